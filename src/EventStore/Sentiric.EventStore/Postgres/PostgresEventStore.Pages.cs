using System.Globalization;
using System.Runtime.CompilerServices;

namespace Sentiric.EventStore;

public sealed partial class PostgresEventStore : IPagedLog
{
    // Tombstones fill the numbers of a Marten host's failed appends; they say nothing.
    private const string Told = "type <> 'tombstone'";

    /// <summary>A page of few numbers is read by a prepared statement; from this on a COPY, which is planned anew each time, costs less.</summary>
    private const int MinCopied = 256;

    private string LogSql => field ??= $"select {_tables.EventColumns} from mt_events where seq_id > $1 and seq_id <= $2 and {Told} order by seq_id limit $3";

    private string CopySql(string wanted, long after, long upTo, int size) => string.Create(
        CultureInfo.InvariantCulture, $"select {_tables.CopiedColumns} from mt_events where seq_id > {after} and seq_id <= {upTo} and {wanted} order by seq_id limit {size}");

    private ValueTask<CopyRows> ScanAsync(ReadConnection connection, long after, long upTo, int size, CancellationToken ct) =>
        connection.CopyAsync(CopySql(Told, after, upTo, size), EventTables.CopiedFields, ct);

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

        Task<List<RecordedEvent>> NextAsync(long from, int size) => Failures.GuardAsync(() => LogPageAsync(Told, LogSql, null, from, mark, size, ct)).AsTask();
    }

    // The types stand in the text, so that the planner hashes them; there are as many texts as there are lists of projections.
    ValueTask<List<RecordedEvent>> IPagedLog.ReadPageAsync(long after, long upTo, int size, IReadOnlyCollection<string>? types, Action<RecordedEvent>? each, CancellationToken ct)
    {
        var wanted = types is null ? Told : $"type in ({string.Join(", ", types.Order(StringComparer.Ordinal).Select(CopyRows.Literal))})";
        var sql = $"select {_tables.EventColumns} from mt_events where seq_id > $1 and seq_id <= $2 and {wanted} order by seq_id limit $3";
        return Failures.GuardAsync(() => LogPageAsync(wanted, sql, each, after, upTo, size, ct));
    }

    private ValueTask<List<RecordedEvent>> LogPageAsync(
        string wanted, string sql, Action<RecordedEvent>? each, long after, long upTo, int size, CancellationToken ct) =>
        Math.Min(upTo - after, size) < MinCopied
            ? PageAsync(sql, each, ct, [after, upTo, size])
            : PageAsync(each, async (connection, now) =>
            {
                await using var rows = await connection.CopyAsync(CopySql(wanted, after, upTo, size), EventTables.CopiedFields, ct).ConfigureAwait(false);
                return await CopiedEvents.ReadPageAsync(rows, now, ct).ConfigureAwait(false);
            }, ct);
}
