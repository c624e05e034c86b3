using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Finds positions by time without an index on the time: numbers and times rise together (but for the moments by which concurrent appends overtake
/// each other), so a few looks at evenly spread numbers close in on the moment. A billion positions take five looks of 64 single-row reads.
/// </summary>
public sealed class LogClock(NpgsqlDataSource source)
{
    private const int Points = 64;

    // 64^11 is more than a bigint counts: a search that needs more steps is a bug.
    private const int MaxLooks = 11;

    // The first row at or behind each of the evenly spread numbers.
    private const string Sample = """
        select e.seq_id, e.timestamp from generate_series($1::bigint, $2::bigint, $3::bigint) as s(p)
        cross join lateral (select seq_id, timestamp from mt_events where seq_id >= s.p order by seq_id limit 1) e
        """;

    /// <summary>The last position recorded before <paramref name="moment"/>, so that reading behind it starts with the first one at or after; 0 when all are later.</summary>
    /// <param name="upTo">No position above this one is looked at: the high-water mark.</param>
    public ValueTask<long> PositionBeforeAsync(DateTimeOffset moment, long upTo, CancellationToken ct = default) =>
        Failures.GuardAsync(() => SearchAsync(moment, 1, upTo, ct));

    /// <summary>Evenly spread (position, time) pairs from <paramref name="from"/> to <paramref name="upTo"/>, at most <paramref name="points"/> and both ends.</summary>
    public ValueTask<IReadOnlyList<(long Position, DateTimeOffset At)>> SampleAsync(long from, long upTo, int points, CancellationToken ct = default) =>
        Failures.GuardAsync(async () => (IReadOnlyList<(long, DateTimeOffset)>)await LookAsync(from, upTo, Math.Max(1, (upTo - from) / points), ct).ConfigureAwait(false));

    private async ValueTask<long> SearchAsync(DateTimeOffset moment, long low, long high, CancellationToken ct)
    {
        var before = low - 1;
        for (var look = 0; look < MaxLooks && low <= high; look++)
        {
            var step = Math.Max(1, (high - low) / Points);
            var seen = await LookAsync(low, high, step, ct).ConfigureAwait(false);
            var later = seen.FindIndex(s => s.At >= moment);
            before = later == 0 ? before : later < 0 ? LastOf(seen, before) : seen[later - 1].Position;
            if (later == 0 || step == 1) return before;
            // Between two samples, or behind the last of them: the next look goes there.
            (low, high) = (before + 1, later < 0 ? high : Math.Min(high, seen[later].Position - 1));
        }

        return before;
    }

    private static long LastOf(List<(long Position, DateTimeOffset At)> seen, long otherwise) => seen.Count == 0 ? otherwise : seen[^1].Position;

    private async ValueTask<List<(long Position, DateTimeOffset At)>> LookAsync(long low, long high, long step, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Sample);
        foreach (var value in new[] { low, high, step }) command.Parameters.Add(new() { Value = value });
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var seen = new List<(long Position, DateTimeOffset At)>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            // Behind a hole several numbers meet the same row, and the last may lie above the bound.
            var position = rows.GetInt64(0);
            if (position <= high && (seen.Count == 0 || seen[^1].Position < position)) seen.Add((position, new DateTimeOffset(rows.GetDateTime(1), TimeSpan.Zero)));
        }

        return seen;
    }
}
