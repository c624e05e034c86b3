using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Ops;

/// <summary>The figures of the event store: how much, how fast, how far, how big, and what stands in the way.</summary>
public static class StoreFigures
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/events/stats", async (NpgsqlDataSource source, IEventStore store, TimeProvider clock, CancellationToken ct) =>
                ReadHttp.Json(Row(await new StatisticsReader(source, store, clock).ReadAsync(ct), store)))
            .WithTags("events").WithName("StoreStats").Produces<StoreStats>()
            .WithSummary("The figures of the event store; of big tables PostgreSQL's estimates. Needs an admin key of the platform.");

    private static StoreStats Row(StoreStatistics s, IEventStore store) => new(
        s.At, Rows(s.Events), Rows(s.Streams), Rows(s.ArchivedStreams), ByName(s.Tenants), ByName(s.Types),
        new(s.Rates.LastMinute, s.Rates.LastHour, s.Rates.LastDay, [.. s.Rates.PerMinute.Select(p => new MinuteRate(p.Minute, p.Events))]),
        s.HighWaterMark, s.LastNumber, s.LastEventAt, new(s.Skipped.Ranges, s.Skipped.Numbers, s.Skipped.LastAt),
        [.. s.Parked.Select(p => new ParkedRows(p.Shard, p.Count, p.OldestAt, p.NewestAt))],
        [.. s.Shards.Select(p => new ShardRow(p.Shard, p.Position, p.Lag, p.LastMoved, p.WaitingSince))],
        store is PostgresEventStore { WaitingAppends: var (waiting, capacity) } ? new(waiting, capacity) : null,
        s.OldestTransaction is { } t ? new(t.ProcessId, t.Application, t.State, t.Since, t.Writes) : null,
        [.. s.Tables.Select(t => new TableRow(t.Name, t.TableBytes, t.IndexBytes, t.EstimatedRows))]);

    private static Rows Rows(RowCount rows) => new(rows.Count, rows.Exact);

    private static RowsByName ByName(CountsByName counts) => new(counts.Exact, [.. counts.Counts.Select(c => new NamedRows(c.Name, c.Count))]);
}
