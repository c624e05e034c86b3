using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Measures a store on PostgreSQL. Tables up to <paramref name="exactUpTo"/> rows are counted, of bigger ones PostgreSQL's own statistics are asked
/// (pg_class, pg_stats), so that the answer takes milliseconds whatever their size.
/// </summary>
public sealed class StatisticsReader(NpgsqlDataSource source, IEventStore store, TimeProvider clock, long exactUpTo = StatisticsReader.UsualExactUpTo)
{
    public const long UsualExactUpTo = 100_000;
    private const int HistoryPoints = 600;
    private const int MaxNames = 200;
    private const int MinRowBytes = 32;
    private static readonly TimeSpan History = TimeSpan.FromHours(1);
    private static readonly TimeSpan BucketOf = TimeSpan.FromMinutes(1);

    private readonly LogClock _logClock = new(source);

    public ValueTask<StoreStatistics> ReadAsync(CancellationToken ct = default) => Failures.GuardAsync(async () =>
    {
        var mark = await store.GetHighWaterMarkAsync(ct).ConfigureAwait(false);
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        var tables = await TablesAsync(connection, ct).ConfigureAwait(false);
        var (events, streams) = (Estimate(tables, "mt_events"), Estimate(tables, "mt_streams"));
        var (countEvents, countStreams) = (IsCountable(events), IsCountable(streams));
        var place = await PlaceAsync(connection, ct).ConfigureAwait(false);
        return new StoreStatistics(
            clock.GetUtcNow(),
            await RowsAsync(connection, "mt_events", events, countEvents, ct).ConfigureAwait(false),
            await RowsAsync(connection, "mt_streams", streams, countStreams, ct).ConfigureAwait(false),
            await ArchivedAsync(connection, streams, countStreams, ct).ConfigureAwait(false),
            await ByNameAsync(connection, "mt_events", "tenant_id", events, countEvents, ct).ConfigureAwait(false),
            await ByNameAsync(connection, "mt_events", "type", events, countEvents, ct).ConfigureAwait(false),
            await RatesAsync(mark, ct).ConfigureAwait(false),
            mark, place.LastNumber, place.LastEventAt,
            await SkippedAsync(connection, ct).ConfigureAwait(false), await ParkedAsync(connection, ct).ConfigureAwait(false),
            await ShardsAsync(connection, mark, ct).ConfigureAwait(false), await OldestTransactionAsync(connection, ct).ConfigureAwait(false), tables);
    });

    private bool IsCountable(long estimate) => estimate >= 0 && estimate <= exactUpTo;

    // Where no estimate was ever made, the pages bound it from above.
    private static long Estimate(IReadOnlyList<TableSize> tables, string name) =>
        tables.FirstOrDefault(t => t.Name == name) is { } table ? table.EstimatedRows >= 0 ? table.EstimatedRows : table.TableBytes / MinRowBytes : 0;

    /// <summary>Ours and Marten's, each with its partitions.</summary>
    private static ValueTask<List<TableSize>> TablesAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        const string sql = """
            with recursive t as (
                select oid as root, oid from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition
                  and (relname like 'mt\_%' or relname like 'sx\_%')
                union all select t.root, i.inhrelid from t join pg_inherits i on i.inhparent = t.oid)
            select r.relname, sum(pg_table_size(c.oid))::bigint, sum(pg_indexes_size(c.oid))::bigint,
                   case when bool_or(c.relkind <> 'p' and c.reltuples < 0) then -1 else sum(greatest(c.reltuples, 0))::bigint end
            from t join pg_class c on c.oid = t.oid join pg_class r on r.oid = t.root group by r.relname order by 2 desc, 1
            """;
        return ListAsync(connection, sql, row => new TableSize(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)), ct);
    }

    private static async ValueTask<RowCount> RowsAsync(NpgsqlConnection connection, string table, long estimate, bool count, CancellationToken ct) =>
        count ? new RowCount(await OneAsync(connection, $"select count(*) from {table}", r => r.GetInt64(0), ct).ConfigureAwait(false), true) : new RowCount(estimate, false);

    private static async ValueTask<RowCount> ArchivedAsync(NpgsqlConnection connection, long streams, bool count, CancellationToken ct)
    {
        if (count) return new RowCount(await OneAsync(connection, "select count(*) from mt_streams where is_archived", r => r.GetInt64(0), ct).ConfigureAwait(false), true);
        var counts = await CommonAsync(connection, "mt_streams", "is_archived", streams, ct).ConfigureAwait(false);
        return new RowCount(counts.FirstOrDefault(c => c.Name == "t")?.Count ?? 0, false);
    }

    private static async ValueTask<CountsByName> ByNameAsync(NpgsqlConnection connection, string table, string column, long estimate, bool count, CancellationToken ct)
    {
        if (!count) return new CountsByName(await CommonAsync(connection, table, column, estimate, ct).ConfigureAwait(false), false);
        var sql = $"select {column}, count(*) from {table} where {column} is not null group by 1 order by 2 desc, 1 limit $1";
        return new CountsByName(await ListAsync(connection, sql, NameAndCount, ct, MaxNames).ConfigureAwait(false), true);
    }

    private static ValueTask<List<NamedCount>> CommonAsync(NpgsqlConnection connection, string table, string column, long rows, CancellationToken ct)
    {
        const string sql = """
            select v, (f * $3)::bigint from (
                select most_common_vals::text::text[] as vals, most_common_freqs as freqs from pg_stats
                where schemaname = current_schema() and tablename = $1 and attname = $2 order by inherited desc limit 1) s,
            unnest(s.vals, s.freqs) as u(v, f) order by 2 desc, 1 limit $4
            """;
        return ListAsync(connection, sql, NameAndCount, ct, table, column, (double)rows, MaxNames);
    }

    private static NamedCount NameAndCount(NpgsqlDataReader row) => new(row.GetString(0), row.GetInt64(1));

    private static ValueTask<(long LastNumber, DateTimeOffset? LastEventAt)> PlaceAsync(NpgsqlConnection connection, CancellationToken ct) => OneAsync(
        connection,
        "select case when is_called then last_value else 0 end, (select timestamp from mt_events order by seq_id desc limit 1) from mt_events_sequence",
        row => (row.GetInt64(0), Time(row, 1)), ct);

    /// <summary>Tables of Marten 8 keep no record of them.</summary>
    private ValueTask<SkippedNumbers> SkippedAsync(NpgsqlConnection connection, CancellationToken ct) => !EventTables.Of(store).HasHighWaterSkips
        ? ValueTask.FromResult(new SkippedNumbers(0, 0, null))
        : OneAsync(
        connection,
        "select count(*), coalesce(sum(ending_sequence - starting_sequence + 1), 0)::bigint, max(timestamp) from mt_high_water_skips",
        row => new SkippedNumbers(row.GetInt64(0), row.GetInt64(1), Time(row, 2)), ct);

    private static ValueTask<List<ParkedCount>> ParkedAsync(NpgsqlConnection connection, CancellationToken ct) => ListAsync(
        connection,
        """
        select (data ->> 'ProjectionName') || ':' || (data ->> 'ShardName'), count(*), min(mt_last_modified), max(mt_last_modified)
        from mt_doc_deadletterevent group by 1 order by 1
        """,
        row => new ParkedCount(row.GetString(0), row.GetInt64(1), At(row, 2), At(row, 3)), ct);

    /// <summary>Every shard that ever ran here, whether the program still has it or not. The names left out are a Marten daemon's own notes.</summary>
    internal static ValueTask<List<ShardProgress>> ShardsAsync(NpgsqlConnection connection, long mark, CancellationToken ct) => ListAsync(
        connection,
        """
        select p.name, p.last_seq_id, p.last_updated, e.timestamp from mt_event_progression p
        left join lateral (select timestamp from mt_events where seq_id > p.last_seq_id and seq_id <= $1 order by seq_id limit 1) e on true
        where p.name not in ('HighWaterMark', 'HighWaterAllocationFence', 'HighWaterStuckGap') and p.last_seq_id is not null order by p.name
        """,
        row => new ShardProgress(row.GetString(0), row.GetInt64(1), Math.Max(0, mark - row.GetInt64(1)), At(row, 2), Time(row, 3)), ct, mark);

    internal static async ValueTask<OpenTransaction?> OldestTransactionAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        const string sql = """
            select pid, coalesce(application_name, ''), coalesce(state, ''), xact_start, backend_xid is not null from pg_stat_activity
            where datname = current_database() and xact_start is not null and pid <> pg_backend_pid() and backend_type = 'client backend'
            order by xact_start limit 1
            """;
        var open = await ListAsync(connection, sql, r => new OpenTransaction(r.GetInt32(0), r.GetString(1), r.GetString(2), At(r, 3), r.GetBoolean(4)), ct).ConfigureAwait(false);
        return open.FirstOrDefault();
    }

    private async ValueTask<AppendRates> RatesAsync(long mark, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var minute = await _logClock.PositionBeforeAsync(now - BucketOf, mark, ct).ConfigureAwait(false);
        var hour = await _logClock.PositionBeforeAsync(now - History, mark, ct).ConfigureAwait(false);
        var day = await _logClock.PositionBeforeAsync(now - TimeSpan.FromDays(1), mark, ct).ConfigureAwait(false);
        var samples = hour >= mark ? [] : await _logClock.SampleAsync(hour + 1, mark, HistoryPoints, ct).ConfigureAwait(false);
        return new AppendRates(mark - minute, mark - hour, mark - day, PerMinute(now, hour, mark, samples));
    }

    /// <summary>Each sample stands for the positions since the one before it, in its own minute; the rest behind the last goes to the last.</summary>
    private static List<RatePoint> PerMinute(DateTimeOffset now, long before, long mark, IReadOnlyList<(long Position, DateTimeOffset At)> samples)
    {
        var first = Floor(now - History) + BucketOf;
        var counts = new long[(int)(History / BucketOf)];
        void Add(DateTimeOffset at, long events) => counts[Math.Clamp((int)((Floor(at) - first) / BucketOf), 0, counts.Length - 1)] += events;
        foreach (var (position, at) in samples)
        {
            Add(at, position - before);
            before = position;
        }

        if (samples.Count > 0) Add(samples[^1].At, mark - before);
        return [.. counts.Select((events, n) => new RatePoint(first + n * BucketOf, events))];
    }

    private static DateTimeOffset Floor(DateTimeOffset at) => at.AddTicks(-(at.Ticks % BucketOf.Ticks));

    private static DateTimeOffset At(NpgsqlDataReader row, int column) => new(row.GetDateTime(column), TimeSpan.Zero);

    private static DateTimeOffset? Time(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : At(row, column);

    private static async ValueTask<T> OneAsync<T>(NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, CancellationToken ct) =>
        (await ListAsync(connection, sql, read, ct).ConfigureAwait(false))[0];

    private static async ValueTask<List<T>> ListAsync<T>(NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, CancellationToken ct, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var list = new List<T>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) list.Add(read(rows));
        return list;
    }
}
