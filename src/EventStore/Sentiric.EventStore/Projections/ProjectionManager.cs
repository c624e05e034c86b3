using System.Globalization;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// The manager over the tables: pause notes and orders in <c>sx_shard_state</c> and <c>sx_shard_order</c>, positions in Marten's progress table.
/// It owns no shard and needs none in its process. The data source and the store stay the caller's.
/// </summary>
public sealed class ProjectionManager(NpgsqlDataSource source, IEventStore store, TimeProvider clock) : IProjectionManager
{
    private static readonly TimeSpan RetryPatience = TimeSpan.FromSeconds(10);

    // An answer is not announced; a person waits for it.
    private static readonly TimeSpan AnswerInterval = TimeSpan.FromMilliseconds(100);

    private readonly ShardOrders _orders = new(source);
    private readonly PostgresCheckpointStore _checkpoints = new(source);

    public async ValueTask<IReadOnlyList<ProjectionStatus>> ListAsync(CancellationToken ct = default)
    {
        var mark = await store.GetHighWaterMarkAsync(ct).ConfigureAwait(false);
        return await Failures.GuardAsync(() => new ShardCensus(source, clock).TakeAsync(mark, ct)).ConfigureAwait(false);
    }

    public async ValueTask<ProjectionStatus> FindAsync(string name, CancellationToken ct = default) =>
        (await ListAsync(ct).ConfigureAwait(false)).FirstOrDefault(s => s.Name == name || s.Shard == name) ?? throw new UnknownProjectionException(name);

    public async ValueTask PauseAsync(string name, string? reason = null, string? by = null, CancellationToken ct = default)
    {
        var shard = (await FindAsync(name, ct).ConfigureAwait(false)).Shard;
        await Failures.GuardAsync(() => _orders.PauseAsync(shard, new PauseNote(Timestamps.Now(clock), reason, by), ct)).ConfigureAwait(false);
    }

    public async ValueTask ResumeAsync(string name, CancellationToken ct = default)
    {
        var shard = (await FindAsync(name, ct).ConfigureAwait(false)).Shard;
        await Failures.GuardAsync(() => _orders.ResumeAsync(shard, ct)).ConfigureAwait(false);
    }

    public async ValueTask SkipAsync(string name, long position, string? reason = null, string? by = null, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(position);
        var status = await FindAsync(name, ct).ConfigureAwait(false);
        if (status.Position >= position) throw new EventAlreadyPassedException(status.Shard, position, status.Position);
        await Failures.GuardAsync(() => _orders.OrderAsync(status.Shard, position, OrderKind.Skip, reason, by, ct)).ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<ParkedEvent>> ListParkedAsync(string name, int maxCount = 100, CancellationToken ct = default) =>
        await _checkpoints.ListParkedAsync((await FindAsync(name, ct).ConfigureAwait(false)).Shard, maxCount, ct).ConfigureAwait(false);

    public async ValueTask<RetryResult> RetryParkedAsync(string name, long position, TimeSpan? patience = null, CancellationToken ct = default)
    {
        var shard = (await FindAsync(name, ct).ConfigureAwait(false)).Shard;
        var asked = clock.GetTimestamp();
        return await Failures.GuardAsync(async () =>
        {
            if (!await _orders.IsParkedAsync(shard, position, ct).ConfigureAwait(false)) return new RetryResult(RetryOutcome.NotParked);
            await _orders.OrderAsync(shard, position, OrderKind.Retry, null, null, ct).ConfigureAwait(false);
            while (clock.GetElapsedTime(asked) < (patience ?? RetryPatience))
            {
                if (await _orders.AnswerAsync(shard, position, ct).ConfigureAwait(false) is { } answer) return answer;
                await Task.Delay(AnswerInterval, clock, ct).ConfigureAwait(false);
            }
            return new RetryResult(RetryOutcome.NobodyAnswered);
        }).ConfigureAwait(false);
    }

    public async ValueTask<bool> DiscardParkedAsync(string name, long position, CancellationToken ct = default)
    {
        var shard = (await FindAsync(name, ct).ConfigureAwait(false)).Shard;
        return await Failures.GuardAsync(() => _orders.DiscardAsync(shard, position, ct)).ConfigureAwait(false);
    }
}

/// <summary>What the tables say about all shards at one moment.</summary>
internal sealed class ShardCensus(NpgsqlDataSource source, TimeProvider clock)
{
    // Marten keeps marks of its own beside the shards; and what a newer version of a projection replaced is no shard any more.
    private const string Sql = """
        select n.shard, coalesce(p.last_seq_id, 0), p.last_updated, s.paused_at, s.pause_reason, s.paused_by, s.owner, s.state, s.positions_per_second,
               s.last_error, coalesce(d.parked, 0),
               (select e.timestamp from mt_events e where e.seq_id > coalesce(p.last_seq_id, 0) and e.seq_id <= $1 order by e.seq_id limit 1)
        from (select name as shard from mt_event_progression where name like '%:%' union select shard from sx_shard_state) n
        left join mt_event_progression p on p.name = n.shard
        left join sx_shard_state s on s.shard = n.shard
        left join (select data ->> 'ProjectionName' || ':' || (data ->> 'ShardName') as shard, count(*) as parked from mt_doc_deadletterevent group by 1) d on d.shard = n.shard
        left join sx_projection_version v on v.name = split_part(n.shard, ':', 1)
        where v.version is null or n.shard = v.name || case when v.version = 1 then ':All' else ':V' || v.version || ':All' end
        order by 1
        """;

    private const string HeldSql = """
        select (classid::bigint << 32) | objid::bigint from pg_locks
        where locktype = 'advisory' and objsubid = 1 and granted and database = (select oid from pg_database where datname = current_database())
        """;

    public async ValueTask<IReadOnlyList<ProjectionStatus>> TakeAsync(long mark, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        var schema = await ShardLock.SchemaAsync(connection, ct).ConfigureAwait(false);
        var held = await HeldAsync(connection, ct).ConfigureAwait(false);
        await using var command = new NpgsqlCommand(Sql, connection) { Parameters = { new() { Value = mark } } };
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var all = new List<ProjectionStatus>();
        while (await row.ReadAsync(ct).ConfigureAwait(false)) all.Add(Read(row, mark, held.Contains(ShardLock.IdOf(schema, row.GetString(0)))));
        return all;
    }

    private ProjectionStatus Read(NpgsqlDataReader row, long mark, bool isHeld)
    {
        var (name, version) = ShardName.Parse(row.GetString(0));
        var pause = row.IsDBNull(3) ? null : new PauseNote(Moment(row, 3), Text(row, 4), Text(row, 5));
        return new ProjectionStatus(name, version, StateOf(pause, isHeld, Text(row, 7)), row.GetInt64(1), mark, Text(row, 9))
        {
            MovedAt = row.IsDBNull(2) ? null : Moment(row, 2),
            Pause = pause,
            Owner = isHeld ? Text(row, 6) : null,
            EventsPerSecond = row.IsDBNull(8) ? 0 : row.GetDouble(8),
            Parked = (int)row.GetInt64(10),
            Behind = row.IsDBNull(11) ? TimeSpan.Zero : Age(Moment(row, 11)),
        };
    }

    private TimeSpan Age(DateTimeOffset recordedAt) => Timestamps.Now(clock) is var now && now > recordedAt ? now - recordedAt : TimeSpan.Zero;

    // The owner's own word counts only while it lives.
    private static ProjectionState StateOf(PauseNote? pause, bool isHeld, string? reported) =>
        pause is not null ? ProjectionState.Paused
        : !isHeld ? ProjectionState.Stopped
        : Enum.TryParse<ProjectionState>(reported, ignoreCase: true, out var state) && state is ProjectionState.Retrying or ProjectionState.Rebuilding ? state
        : ProjectionState.Running;

    /// <summary>The numbers of all advisory locks of the kind that shards are held by.</summary>
    public static async ValueTask<HashSet<long>> HeldAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(HeldSql, connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var held = new HashSet<long>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) held.Add(rows.GetInt64(0));
        return held;
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static DateTimeOffset Moment(NpgsqlDataReader row, int column) => new(row.GetDateTime(column), TimeSpan.Zero);
}
