using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// One look at the database for all shards of a daemon, now and then and whenever an operator says something: hands them their orders, spreads
/// them over the hosts, writes down how they are. A host shows that it lives by an advisory lock of its own, which dies with its connection,
/// so nobody compares clocks. While the database cannot be asked, the shards go on as they were told last.
/// </summary>
internal sealed class ShardWatch(
    NpgsqlDataSource source, IReadOnlyList<ProjectionShard> shards, ProjectionOptions options, TimeProvider clock, ILogger logger)
{
    /// <summary>Looks that a host leaves a shard to the others after it gave it away.</summary>
    private const int LooksToRest = 3;

    /// <summary>A shard that nobody took for so many looks is taken whatever the share: the host whose share it is lives and does nothing.</summary>
    private const int LooksToAdopt = 6;

    private static readonly TimeSpan SpeedReportInterval = TimeSpan.FromSeconds(5);

    // Owned by the loop.
    private readonly int _host = Random.Shared.Next();
    private readonly Dictionary<string, int> _resting = [];
    private readonly Dictionary<string, int> _orphaned = [];
    private readonly HashSet<string> _adopted = [];
    private int _hosts;
    private readonly Dictionary<string, Report> _reported = [];
    private bool _isAnnounced;
    private long _speedReportedAt;

    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await WatchAsync(ct).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                if (ct.IsCancellationRequested) return;
                logger.WatchInterrupted(failure);
            }
            await Task.Delay(options.OwnershipInterval, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WatchAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        var schema = await ShardLock.SchemaAsync(connection, ct).ConfigureAwait(false);
        var house = HouseOf(schema);
        await RunAsync(connection, $"listen {ShardOrders.Channel}", ct).ConfigureAwait(false);
        await RunAsync(connection, $"select pg_advisory_lock_shared({house}, {_host})", ct).ConfigureAwait(false);
        try
        {
            while (true)
            {
                await LookAsync(connection, schema, house, ct).ConfigureAwait(false);
                // Any notification ends the wait: it is about some shard.
                await connection.WaitAsync(options.OwnershipInterval, ct).ConfigureAwait(false);
            }
        }
        finally
        {
            await LeaveAsync(connection).ConfigureAwait(false);
        }
    }

    /// <summary>In the pool the connection would go on saying that this host lives.</summary>
    private static async ValueTask LeaveAsync(NpgsqlConnection connection)
    {
        try
        {
            await RunAsync(connection, "select pg_advisory_unlock_all()", CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception lost) when (Failures.IsConnectionLost(lost) || lost is InvalidOperationException)
        {
            // It said so for the last time.
            return;
        }
    }

    private async ValueTask LookAsync(NpgsqlConnection connection, string schema, int house, CancellationToken ct)
    {
        var told = await ShardOrders.LoadAsync(connection, [.. shards.Select(s => s.Shard)], ct).ConfigureAwait(false);
        foreach (var shard in shards) shard.Tell(told.GetValueOrDefault(shard.Shard, ShardOrder.None));
        var hosts = await HostsAsync(connection, house, ct).ConfigureAwait(false);
        var held = hosts == 1 ? [] : await ShardCensus.HeldAsync(connection, ct).ConfigureAwait(false);
        Spread(hosts, shard => held.Contains(ShardLock.IdOf(schema, shard)));
        await ReportAsync(connection, ct).ConfigureAwait(false);
    }

    /// <summary>Each host serves its share and no more; what it has too many of, it gives back and leaves to the others for a while.</summary>
    private void Spread(int hosts, Func<string, bool> isHeld)
    {
        if (hosts != _hosts) _adopted.Clear();
        _hosts = hosts;
        var share = (shards.Count + hosts - 1) / hosts;
        var serving = shards.Where(s => s.IsServing && !_adopted.Contains(s.Shard)).ToList();
        foreach (var shard in serving.Skip(share))
        {
            _resting[shard.Shard] = LooksToRest;
            shard.Yield();
        }
        var room = share - Math.Min(share, serving.Count);
        foreach (var shard in shards.Where(s => !s.IsServing))
        {
            var rest = _resting.GetValueOrDefault(shard.Shard);
            if (rest > 0) _resting[shard.Shard] = rest - 1;
            var orphaned = _orphaned[shard.Shard] = isHeld(shard.Shard) ? 0 : _orphaned.GetValueOrDefault(shard.Shard) + 1;
            var isOrphan = hosts > 1 && room == 0 && orphaned >= LooksToAdopt;
            if (isOrphan) _adopted.Add(shard.Shard);
            shard.Allow(isOrphan || (rest == 0 && room > 0));
        }
    }

    private static async ValueTask<int> HostsAsync(NpgsqlConnection connection, int house, CancellationToken ct)
    {
        const string sql = """
            select count(distinct objid) from pg_locks where locktype = 'advisory' and objsubid = 2 and granted and classid::bigint = $1
              and database = (select oid from pg_database where datname = current_database())
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = (long)house } } };
        return Math.Max(1, (int)(await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as long? ?? 1));
    }

    /// <summary>State, owner and error when they changed; the speed alone now and then.</summary>
    private async ValueTask ReportAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var isSpeedDue = clock.GetElapsedTime(_speedReportedAt) >= SpeedReportInterval;
        // Whoever serves it next writes his own line over it.
        foreach (var shard in shards.Where(s => !s.IsServing)) _reported.Remove(shard.Shard);
        var news = shards.Where(s => s.IsServing || !_isAnnounced).Select(s => Report.Of(s, options.HostName))
            .Where(r => !_reported.TryGetValue(r.Shard, out var last) || (isSpeedDue ? r != last : !r.IsAlike(last))).ToList();
        if (isSpeedDue) _speedReportedAt = clock.GetTimestamp();
        if (news.Count == 0) return;
        const string sql = """
            insert into sx_shard_state as s (shard, owner, state, positions_per_second, last_error, reported_at)
            select u.*, transaction_timestamp() from unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::text[]) as u
            on conflict (shard) do update set owner = coalesce(excluded.owner, s.owner), state = coalesce(excluded.state, s.state),
                positions_per_second = excluded.positions_per_second, last_error = excluded.last_error, reported_at = excluded.reported_at
            where excluded.owner is not null
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new() { Value = news.Select(r => r.Shard).ToArray() },
                new() { Value = news.Select(r => r.Owner).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                new() { Value = news.Select(r => r.State).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                new() { Value = news.Select(r => r.Speed).ToArray() },
                new() { Value = news.Select(r => r.Error).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
            },
        };
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        _isAnnounced = true;
        foreach (var report in news) _reported[report.Shard] = report;
    }

    private int HouseOf(string schema) => HouseOf(schema, shards.Select(s => s.Shard));

    /// <summary>Hosts that serve the same shards of the same schema know each other by this number.</summary>
    internal static int HouseOf(string schema, IEnumerable<string> shards) =>
        (int)(ShardLock.IdOf(schema, string.Join('|', shards.Order(StringComparer.Ordinal))) & int.MaxValue);

    private static async ValueTask RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private sealed record Report(string Shard, string? Owner, string? State, double Speed, string? Error)
    {
        // A shard that another host serves is only made known.
        public static Report Of(ProjectionShard shard, string host) => shard.IsServing
            ? new Report(shard.Shard, host, shard.Status.State.ToString().ToLowerInvariant(), Math.Round(shard.Status.EventsPerSecond, 1), shard.Status.LastError)
            : new Report(shard.Shard, null, null, 0, null);

        public bool IsAlike(Report other) => this with { Speed = other.Speed } == other;
    }
}
