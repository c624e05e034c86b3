namespace Sentiric.EventStore;

public sealed partial class PostgresEventStore : IPagedLog
{
    // The types stand in the text, so that the planner hashes them; there are as many texts as there are lists of projections.
    ValueTask<List<RecordedEvent>> IPagedLog.ReadPageAsync(long after, long upTo, int size, IReadOnlyCollection<string>? types, CancellationToken ct)
    {
        var wanted = types is null ? "type <> 'tombstone'" : $"type in ({string.Join(", ", types.Order(StringComparer.Ordinal).Select(Quoted))})";
        var sql = $"select {_tables.EventColumns} from mt_events where seq_id > $1 and seq_id <= $2 and {wanted} order by seq_id limit $3";
        return Failures.GuardAsync(() => PageAsync(sql, ct, after, upTo, size));
    }

    private static string Quoted(string type) => $"'{type.Replace("'", "''", StringComparison.Ordinal)}'";
}
