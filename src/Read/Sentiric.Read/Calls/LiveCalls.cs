using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Calls;

/// <summary>The board of calls that are up now. A call leaves it when it ends.</summary>
public sealed class LiveCalls : ITableProjection, IStreamRows
{
    private const string Table = "read_live_call";

    public string Name => "LiveCalls";

    public int Version => 2;

    public IReadOnlyList<string> Tables { get; } = [Table];

    public string SchemaSql(string suffix) => $"""
        create table if not exists {Table}{suffix} (
            call_id     uuid        not null,
            tenant      text        not null,
            from_number text        not null,
            to_number   text        not null,
            user_name   text,
            dialplan_id text,
            state       text        not null,
            started_at  timestamptz not null,
            answered_at timestamptz,
            turns       integer     not null default 0,
            last_heard  text,
            last_said   text,
            direction   text        not null,
            constraint pkey_{Table}{suffix} primary key (call_id)
        );
        """;

    public IReadOnlyCollection<string> EventTypes { get; } = ConversationEvents.Named(
        typeof(CallReceived), typeof(CallRequested), typeof(CallDialled), typeof(TransferCompleted), typeof(UserIdentifiedForCall), typeof(UserCreatedForCall), typeof(CallRouteResolved), typeof(CallRinging), typeof(CallAnswered),
        typeof(AgentTookOver), typeof(TranscriptFinal), typeof(DialogTurnCompleted), typeof(CallEnded));

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
                    [callId], ("tenant", recorded.Tenant), ("from_number", e.From), ("to_number", e.To), ("state", "received"), ("started_at", e.At),
                    ("direction", StableName.Of(e.Direction)));
                break;
            case CallRequested e:
                rows.Insert(
                    [callId], ("tenant", recorded.Tenant), ("from_number", e.From), ("to_number", e.To), ("state", "requested"), ("started_at", e.At),
                    ("dialplan_id", e.Resolution.DialplanId), ("direction", StableName.Of(CallDirection.Outbound)));
                break;
            case CallDialled:
                Set(("state", "dialled"));
                break;
            case TransferCompleted:
                Set(("state", "transferred"));
                break;
            case UserIdentifiedForCall e:
                Set(("user_name", e.Name));
                break;
            case UserCreatedForCall e:
                Set(("user_name", e.Name));
                break;
            case CallRouteResolved e:
                Set(("dialplan_id", e.Resolution.DialplanId));
                break;
            case CallRinging:
                Set(("state", "ringing"));
                break;
            case CallAnswered e:
                Set(("state", "answered"), ("answered_at", e.At));
                break;
            case AgentTookOver:
                Set(("state", "talking"));
                break;
            case TranscriptFinal { Speaker: Speaker.Caller } e:
                Set(("last_heard", e.Text));
                break;
            case TranscriptFinal { Speaker: Speaker.Agent } e:
                Set(("last_said", e.Text));
                break;
            case DialogTurnCompleted e:
                rows.Raise([callId], "turns", e.Turn);
                break;
            case CallEnded:
                rows.Delete([callId]);
                break;
        }
    }

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/calls/live", (HttpContext http, Tables tables, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => ReadHttp.Json(await ListAsync(tables, tenant, ct))))
            .WithTags("calls").WithName("ListLiveCalls").Produces<IReadOnlyList<LiveCall>>().WithSummary("Calls that are up now, oldest first.");

    private static Task<IReadOnlyList<LiveCall>> ListAsync(Tables tables, string tenant, CancellationToken ct) => tables.QueryAsync(
        $"""
        select call_id, tenant, from_number, to_number, user_name, dialplan_id, state, started_at, answered_at, turns, last_heard, last_said, direction
        from {Table} where tenant = $1 order by started_at, call_id limit {Sentiric.Read.Tables.MaxRows}
        """,
        row =>
        {
            var c = new RowReader(row);
            return new LiveCall(
                c.Guid(), c.Text(), c.Text(), c.Text(), c.TextOrNull(), c.TextOrNull(), c.Text(), c.Time(), c.TimeOrNull(), c.Int(), c.TextOrNull(),
                c.TextOrNull(), StableName.Parse<CallDirection>(c.Text()));
        }, ct, tenant);
}
