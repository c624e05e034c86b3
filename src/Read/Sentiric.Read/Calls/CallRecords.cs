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
public sealed class CallRecords : ITableProjection
{
    private const string Table = "read_call_record";

    public string Name => "CallRecords";

    public int Version => 1;

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
            constraint pkey_{Table}{suffix} primary key (call_id)
        );
        create index if not exists idx_{Table}_tenant_started{suffix} on {Table}{suffix} (tenant, started_at desc, call_id);
        """;

    public ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct) =>
        ConversationEvents.EachAsync(writer, batch, Apply);

    private static void Apply(IProjectionWriter writer, Guid callId, RecordedEvent recorded, object @event)
    {
        void Set(string columns, params object?[] values) => writer.Set(Table, callId, columns, values);

        switch (@event)
        {
            case CallReceived e:
                writer.Execute(
                    $"""
                    insert into {writer.Table(Table)} (call_id, tenant, direction, sip_call_id, from_number, to_number, started_at)
                    values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing
                    """,
                    callId, recorded.Tenant, StableName.Of(e.Direction), e.SipCallId, e.From, e.To, e.At.UtcDateTime);
                break;
            case UserIdentifiedForCall e:
                Set("user_id = $2, user_name = $3", e.UserId, e.Name);
                break;
            case UserCreatedForCall e:
                Set("user_id = $2, user_name = $3", e.UserId, e.Name);
                break;
            case CallRouteResolved { Resolution: var r }:
                Set("dialplan_id = $2, action = $3, why = $4", r.DialplanId, StableName.Of(r.Action), r.Why);
                break;
            case MediaStarted e:
                Set("codec = $2", e.Codec);
                break;
            case CallRinging e:
                Set("ringing_at = $2", e.At.UtcDateTime);
                break;
            case CallAnswered e:
                Set("answered_at = $2, ring_ms = $3, answered = true", e.At.UtcDateTime, e.RingMs);
                break;
            case DialogTurnCompleted e:
                Set("turns = greatest(turns, $2)", e.Turn);
                break;
            case MediaQualityMeasured { Summary: true } e:
                Set("mos = $2, loss_percent = $3, jitter_ms = $4", e.Mos, LossPercent(e), e.JitterMs);
                break;
            case RecordingAvailable e:
                Set("recording_uri = $2, recording_sha256 = $3, recording_ms = $4", e.Uri, e.Sha256, e.DurationMs);
                break;
            case CallEnded e:
                Set(
                    "ended_at = $2, end_reason = $3, hung_up_by = $4, sip_code = $5, q850_cause = $6, ring_ms = $7, talk_ms = $8, billable_ms = $9",
                    e.At.UtcDateTime, StableName.Of(e.Reason), StableName.Of(e.HungUpBy), e.SipCode, e.Q850Cause, e.RingMs, e.TalkMs, e.BillableMs);
                break;
        }
    }

    private static double LossPercent(MediaQualityMeasured e) =>
        e.Received + e.Lost == 0 ? 0 : Math.Round(100.0 * e.Lost / (e.Received + e.Lost), 3);

    private const string Columns = """
        call_id, tenant, direction, from_number, to_number, user_id, user_name, dialplan_id, action, why, started_at, ringing_at, answered_at,
        ended_at, answered, end_reason, hung_up_by, sip_code, q850_cause, ring_ms, talk_ms, billable_ms, turns, codec, mos, loss_percent, jitter_ms,
        recording_uri, recording_sha256, recording_ms, sip_call_id
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
            c.TextOrNull(), c.DoubleOrNull(), c.DoubleOrNull(), c.DoubleOrNull(), c.TextOrNull(), c.TextOrNull(), c.LongOrNull(), c.Text());
    }
}
