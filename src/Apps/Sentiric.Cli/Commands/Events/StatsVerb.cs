using System.Globalization;
using Sentiric.Cli.Show;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands.Events;

/// <summary>The figures of the store on one screen: how much, how fast, how far, how big, and what stands in the way.</summary>
internal static class StatsVerb
{
    private const int TopTypes = 15, LongTransactionSeconds = 60;

    public static EventsVerb Verb { get; } = new(
        "stats",
        """
        sentiric events stats [--all-types]
        The figures of the store: events, streams, tenants, types, rates, sizes, high-water mark, holes, parked events, lag, open transactions.
        A figure with '~' is PostgreSQL's estimate: counting would have read a big table.
        """,
        [], ["--all-types"], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        session.Arguments.NoMoreThan(1);
        if (session.Json) return await session.PrintJsonAsync("v1/events/stats", ct);
        var stats = await session.Api.GetAsync<StoreStats>("v1/events/stats", ct);
        var terminal = session.Terminal;
        foreach (var line in Table.Pairs(Facts(stats))) terminal.Line(line);
        terminal.Line($"{"per minute",-16}  {Bars.Spark([.. stats.Rates.PerMinute.Select(p => (double)p.Events)])}  {terminal.Paint("the last hour", Colour.Grey)}");
        Section(terminal, "types", ["type", "events", "share"], Types(stats, session.Arguments.Has("--all-types") ? int.MaxValue : TopTypes));
        Section(terminal, "tenants", ["tenant", "events"], [.. stats.Tenants.Counts.Take(TopTypes).Select(t => (IReadOnlyList<string>)[t.Name, Count(t.Count, stats.Tenants.Exact)])]);
        Section(terminal, "shards", ["shard", "position", "lag", "waiting", "moved"], [.. stats.Shards.Select(s => Shard(s, stats))]);
        Section(terminal, "tables", ["table", "rows", "table size", "indexes"], [.. stats.Tables.Select(t => (IReadOnlyList<string>)[t.Name, t.EstimatedRows < 0 ? "-" : $"~{Words.Grouped(t.EstimatedRows)}", Words.Bytes(t.TableBytes), Words.Bytes(t.IndexBytes)])]);
        return Cli.Ok;
    }

    private static IReadOnlyList<(string, string)> Facts(StoreStats s) =>
    [
        ("events", Count(s.Events.Count, s.Events.Exact)),
        ("streams", $"{Count(s.Streams.Count, s.Streams.Exact)}, {Count(s.ArchivedStreams.Count, s.ArchivedStreams.Exact)} archived"),
        ("tenants", Count(s.Tenants.Counts.Count, s.Tenants.Exact)),
        ("appended", $"{Words.Grouped(s.Rates.LastMinute)} in the last minute, {Words.Grouped(s.Rates.LastHour)} in the hour, {Words.Grouped(s.Rates.LastDay)} in the day"),
        ("last event", s.LastEventAt is { } at ? $"{Words.Precise(at)} ({Words.Age(s.At - at)} ago)" : "-"),
        ("high-water mark", s.LastNumber == s.HighWater ? $"{s.HighWater}" : $"{s.HighWater}, {s.LastNumber - s.HighWater} numbers drawn above it"),
        ("holes", s.Skipped.Numbers == 0 ? "none" : $"{Words.Grouped(s.Skipped.Numbers)} numbers in {Words.Grouped(s.Skipped.Ranges)} ranges, the last found {Words.Time(s.Skipped.LastAt)}"),
        ("parked", s.Parked.Count == 0 ? "none" : string.Join(", ", s.Parked.Select(p => $"{p.Shard} {p.Count}"))),
        ("append queue", s.AppendQueue is { } queue ? $"{queue.Waiting} of {queue.Capacity}" : "-"),
        ("transactions", s.OldestTransaction is { } t ? Transaction(t, s.At) : "none open"),
        ("size", Words.Bytes(s.Tables.Sum(t => t.TableBytes + t.IndexBytes))),
    ];

    private static string Transaction(StoreTransaction t, DateTimeOffset now)
    {
        var age = now - t.Since;
        var text = $"oldest open for {Words.Age(age)}: process {t.ProcessId} {t.Application} ({t.State}{(t.Writes ? ", writes" : "")})";
        return age.TotalSeconds < LongTransactionSeconds ? text : text + $"; select pg_terminate_backend({t.ProcessId}) ends it";
    }

    private static IReadOnlyList<IReadOnlyList<string>> Types(StoreStats stats, int most)
    {
        var all = Math.Max(1, stats.Types.Counts.Sum(t => t.Count));
        IReadOnlyList<string> Line(string name, long count) => [name, Count(count, stats.Types.Exact), Words.Percent((double)count / all)];
        var rest = stats.Types.Counts.Skip(most).ToList();
        return [.. stats.Types.Counts.Take(most).Select(t => Line(t.Name, t.Count)), .. rest.Count == 0 ? [] : new[] { Line($"and {rest.Count} more", rest.Sum(t => t.Count)) }];
    }

    private static IReadOnlyList<string> Shard(ShardRow shard, StoreStats stats) =>
    [
        shard.Shard, shard.Position.ToString(CultureInfo.InvariantCulture), Words.Grouped(shard.Lag),
        shard.WaitingSince is { } since ? Words.Age(stats.At - since) : "-", $"{Words.Age(stats.At - shard.LastMoved)} ago",
    ];

    private static string Count(long count, bool exact) => (exact ? "" : "~") + Words.Grouped(count);

    private static void Section(Terminal terminal, string name, IReadOnlyList<string> titles, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        terminal.Line();
        if (rows.Count == 0) terminal.Line(terminal.Paint($"no {name}", Colour.Grey));
        else Table.Print(terminal, titles, rows);
    }
}
