using System.Runtime.CompilerServices;

namespace Sentiric.EventStore;

public sealed partial class PostgresEventStore : IPagedLog
{
    /// <summary>Tombstones among them, which fill the numbers of a Marten host's failed appends and say nothing: where they are rare, leaving them out here costs less than asking every row.</summary>
    private string ScanSql => field ??= $"select {_tables.EventColumns} from mt_events where seq_id > $1 and seq_id <= $2 order by seq_id limit $3";

    private string LogSql => field ??= $"""
        select {_tables.EventColumns} from mt_events
        where seq_id > $1 and seq_id <= $2 and type <> '{EventRows.Tombstone}' order by seq_id limit $3
        """;

    /// <summary>Page by page: whoever opens sealed members asks for the keys of a page at once.</summary>
    private async IAsyncEnumerable<RecordedEvent> ReadPagesAsync(long fromPosition, int maxCount, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var mark = await GetHighWaterMarkAsync(ct).ConfigureAwait(false);
        var (after, left) = (fromPosition, maxCount);
        Task<List<RecordedEvent>>? coming = null;
        try
        {
            while (left > 0 && after < mark)
            {
                var size = Math.Min(left, LogPageSize);
                var page = await (coming ?? NextAsync(after, size)).ConfigureAwait(false);
                (coming, left) = (null, left - page.Count);
                if (page.Count == size) after = page[^1].Position;
                else left = 0;
                // While the caller works on this page, the next one is on its way.
                if (left > 0 && after < mark) coming = NextAsync(after, Math.Min(left, LogPageSize));
                foreach (var recorded in page) yield return recorded;
            }
        }
        finally
        {
            // A caller that stops half-way must not leave a read behind.
            if (coming is not null) await ((Task)coming).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Task<List<RecordedEvent>> NextAsync(long from, int size) => Failures.GuardAsync(() => PageAsync(LogSql, ct, from, mark, size)).AsTask();
    }

    // The types stand in the text, so that the planner hashes them; there are as many texts as there are lists of projections.
    ValueTask<List<RecordedEvent>> IPagedLog.ReadPageAsync(long after, long upTo, int size, IReadOnlyCollection<string>? types, Action<RecordedEvent>? each, CancellationToken ct)
    {
        var wanted = types is null ? $"type <> '{EventRows.Tombstone}'" : $"type in ({string.Join(", ", types.Order(StringComparer.Ordinal).Select(Quoted))})";
        var sql = $"select {_tables.EventColumns} from mt_events where seq_id > $1 and seq_id <= $2 and {wanted} order by seq_id limit $3";
        return Failures.GuardAsync(() => PageAsync(sql, each, ct, [after, upTo, size]));
    }

    private static string Quoted(string type) => $"'{type.Replace("'", "''", StringComparison.Ordinal)}'";
}
