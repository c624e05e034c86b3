using System.Data.Common;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Text;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Calls;

/// <summary>The CDR: one row per call, answered or not.</summary>
public sealed class CallRecords : ITableProjection, IStreamRows
{
    private const string Table = "read_call_record";

    public string Name => "CallRecords";

    public int Version => 2;

    public IReadOnlyList<string> Tables { get; } = [Table];

    public string SchemaSql(string suffix) => $"""
        create table if not exists {Table}{suffix} (
            call_id          uuid        not null,
            tenant           text        not null,
            direction        text        not null,
            sip_call_id      text        not null,
            from_number      text        not null,
            to_number        text        not null,
            user_id          uuid,
            user_name        text,
            dialplan_id      text,
            action           text,
            why              text,
            started_at       timestamptz not null,
            ringing_at       timestamptz,
            answered_at      timestamptz,
            ended_at         timestamptz,
            answered         boolean     not null default false,
            end_reason       text,
            hung_up_by       text,
            sip_code         integer,
            q850_cause       integer,
            ring_ms          bigint      not null default 0,
            talk_ms          bigint      not null default 0,
            billable_ms      bigint      not null default 0,
            turns            integer     not null default 0,
            codec            text,
            mos              double precision,
            loss_percent     double precision,
            jitter_ms        double precision,
            recording_uri    text,
            recording_sha256 text,
            recording_ms     bigint,
            trunk            text,
            toll_rule        text,
            transferred_to   text,
            transfer         text,
            constraint pkey_{Table}{suffix} primary key (call_id)
        );
        create index if not exists idx_{Table}_tenant_started{suffix} on {Table}{suffix} (tenant, started_at desc, call_id);
        """;

    public IReadOnlyCollection<string> EventTypes { get; } = ConversationEvents.Named(
        typeof(CallReceived), typeof(CallRequested), typeof(CallDialled), typeof(CallTollRefused), typeof(TransferCompleted), typeof(TransferFailed), typeof(UserIdentifiedForCall), typeof(UserCreatedForCall), typeof(CallRouteResolved), typeof(MediaStarted),
        typeof(CallRinging), typeof(CallAnswered), typeof(DialogTurnCompleted), typeof(MediaQualityMeasured), typeof(RecordingAvailable), typeof(CallEnded));

    public void DeleteStream(IProjectionWriter writer, string tenant, string streamId) => ConversationEvents.Delete(writer, streamId, Table);

    public ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
    {
        var rows = writer.Rows(Table, "call_id");
        ConversationEvents.Each(writer, batch, (callId, recorded, @event) => Apply(rows, callId, recorded, @event));
        return ValueTask.CompletedTask;
    }

    private static void Apply(IRowBatch rows, Guid callId, RecordedEvent recorded, object @event)
    {
        void Set(params (string Column, object? Value)[] values) => rows.Set([callId], values);

        switch (@event)
        {
            case CallReceived e:
                rows.Insert(
                    [callId], ("tenant", recorded.Tenant), ("direction", StableName.Of(e.Direction)), ("sip_call_id", e.SipCallId),
                    ("from_number", e.From), ("to_number", e.To), ("started_at", e.At));
                break;
            case CallRequested { Resolution: var r } e:
                rows.Insert(
                    [callId], ("tenant", recorded.Tenant), ("direction", StableName.Of(CallDirection.Outbound)), ("sip_call_id", ""),
                    ("from_number", e.From), ("to_number", e.To), ("started_at", e.At), ("dialplan_id", r.DialplanId), ("action", StableName.Of(r.Action)), ("why", r.Why));
                break;
            case CallDialled e:
                Set(("sip_call_id", e.SipCallId), ("trunk", e.Trunk));
                break;
            case CallTollRefused e:
                Set(("toll_rule", StableName.Of(e.Rule)));
                break;
            case TransferCompleted e:
                Set(("transferred_to", e.To), ("transfer", StableName.Of(e.Way)));
                break;
            case TransferFailed e:
                Set(("transferred_to", e.To), ("transfer", "failed"));
                break;
            case UserIdentifiedForCall e:
                Set(("user_id", e.UserId), ("user_name", e.Name));
                break;
            case UserCreatedForCall e:
                Set(("user_id", e.UserId), ("user_name", e.Name));
                break;
            case CallRouteResolved { Resolution: var r }:
                Set(("dialplan_id", r.DialplanId), ("action", StableName.Of(r.Action)), ("why", r.Why));
                break;
            case MediaStarted e:
                Set(("codec", e.Codec));
                break;
            case CallRinging e:
                Set(("ringing_at", e.At));
                break;
            case CallAnswered e:
                Set(("answered_at", e.At), ("ring_ms", e.RingMs), ("answered", true));
                break;
            case DialogTurnCompleted e:
                rows.Raise([callId], "turns", e.Turn);
                break;
            case MediaQualityMeasured { Summary: true } e:
                Set(("mos", e.Mos), ("loss_percent", LossPercent(e)), ("jitter_ms", e.JitterMs));
                break;
            case RecordingAvailable e:
                Set(("recording_uri", e.Uri), ("recording_sha256", e.Sha256), ("recording_ms", e.DurationMs));
                break;
            case CallEnded e:
                Set(
                    ("ended_at", e.At), ("end_reason", StableName.Of(e.Reason)), ("hung_up_by", StableName.Of(e.HungUpBy)), ("sip_code", e.SipCode),
                    ("q850_cause", e.Q850Cause), ("ring_ms", e.RingMs), ("talk_ms", e.TalkMs), ("billable_ms", e.BillableMs));
                break;
        }
    }

    private static double LossPercent(MediaQualityMeasured e) =>
        e.Received + e.Lost == 0 ? 0 : Math.Round(100.0 * e.Lost / (e.Received + e.Lost), 3);

    private const string Columns = """
        call_id, tenant, direction, from_number, to_number, user_id, user_name, dialplan_id, action, why, started_at, ringing_at, answered_at,
        ended_at, answered, end_reason, hung_up_by, sip_code, q850_cause, ring_ms, talk_ms, billable_ms, turns, codec, mos, loss_percent, jitter_ms,
        recording_uri, recording_sha256, recording_ms, sip_call_id, trunk, toll_rule, transferred_to, transfer
        """;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/calls", (HttpContext http, Tables tables, string? from, string? to, DateTimeOffset? since, DateTimeOffset? until, int? limit, string? cursor, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => ReadHttp.Json(await ListAsync(tables, tenant, from, to, since, until, limit, cursor, ct))))
            .WithTags("calls").WithName("ListCalls").Produces<Page<CallRecord>>().WithSummary("Call detail records, newest first.");
        routes.MapGet("/calls/{callId:guid}", (HttpContext http, Tables tables, Guid callId, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => await FindDetailAsync(tables, tenant, callId, ct)))
            .WithTags("calls").WithName("GetCall").Produces<CallDetail>().WithSummary("One call with its record, transcript and turns.");
    }

    public static async Task<CallRecord?> FindAsync(Tables tables, string tenant, Guid callId, CancellationToken ct) =>
        (await tables.QueryAsync($"select {Columns} from {Table} where tenant = $1 and call_id = $2", Read, ct, tenant, callId)).SingleOrDefault();

    private static async Task<IResult> FindDetailAsync(Tables tables, string tenant, Guid callId, CancellationToken ct) =>
        await FindAsync(tables, tenant, callId, ct) is { } record
            ? ReadHttp.Json(new CallDetail(
                record, await Transcripts.LinesAsync(tables, tenant, callId, ct), await Transcripts.TurnsAsync(tables, tenant, callId, ct)))
            : ReadHttp.Problem("call.unknown", $"There is no call {callId} in tenant '{tenant}', or its first event has not been read yet.");

    private static async Task<Page<CallRecord>> ListAsync(
        Tables tables, string tenant, string? from, string? to, DateTimeOffset? since, DateTimeOffset? until, int? limit, string? cursor, CancellationToken ct)
    {
        var size = ReadHttp.PageSize(limit);
        var before = ReadHttp.ReadCursor(cursor);
        var rows = await tables.QueryAsync(
            $"""
            select {Columns} from {Table}
            where tenant = $1 and ($2::text is null or from_number = $2) and ($3::text is null or to_number = $3)
              and ($4::timestamptz is null or started_at >= $4) and ($5::timestamptz is null or started_at < $5)
              and ($6::timestamptz is null or (started_at, call_id) < ($6, $7::uuid))
            order by started_at desc, call_id desc limit $8
            """,
            Read, ct, tenant, Number(from), Number(to), since?.UtcDateTime, until?.UtcDateTime, before?.At.UtcDateTime, before?.Id, size + 1);
        var page = rows.Take(size).ToList();
        return new(page, rows.Count > size ? ReadHttp.Cursor(page[^1].StartedAt, page[^1].CallId) : null);
    }

    // As people type it; in an address a plus reads as a space.
    private static string? Number(string? asked) => string.IsNullOrWhiteSpace(asked) ? null
        : PhoneNumber.Normalize(asked.StartsWith(' ') ? "+" + asked.TrimStart() : asked);

    private static CallRecord Read(DbDataReader row)
    {
        var c = new RowReader(row);
        return new(
            c.Guid(), c.Text(), StableName.Parse<CallDirection>(c.Text()), c.Text(), c.Text(), c.GuidOrNull(), c.TextOrNull(), c.TextOrNull(),
            c.TextOrNull() is { } action ? StableName.Parse<DialplanAction>(action) : null, c.TextOrNull(), c.Time(), c.TimeOrNull(), c.TimeOrNull(),
            c.TimeOrNull(), c.Bool(), c.TextOrNull() is { } reason ? StableName.Parse<CallEndReason>(reason) : null,
            c.TextOrNull() is { } by ? StableName.Parse<HungUpBy>(by) : null, c.IntOrNull(), c.IntOrNull(), c.Long(), c.Long(), c.Long(), c.Int(),
            c.TextOrNull(), c.DoubleOrNull(), c.DoubleOrNull(), c.DoubleOrNull(), c.TextOrNull(), c.TextOrNull(), c.LongOrNull(), c.Text(),
            c.TextOrNull(), c.TextOrNull() is { } rule ? StableName.Parse<TollRule>(rule) : null, c.TextOrNull(), c.TextOrNull());
    }
}
