using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Ownership of a shard: a session's advisory lock under the number that a Marten daemon would take for it, so that the two never run one shard together.
/// The lock dies with its connection, which is what hands a dead process's shards to the next. A projection also writes over this connection:
/// what is committed here was written while the lock was held.
/// </summary>
internal sealed class ShardLock : IShardLease
{
    private const int MartenOffset = 4_444;

    /// <summary>Statements that are kept prepared; a projection that makes up ever new texts has the later ones parsed each time.</summary>
    private const int MaxPrepared = 256;

    // Batches are large and their tables grow from nothing: a plan made early would be kept for ever, and planning costs little beside the rows.
    private const string Settings = "set plan_cache_mode = force_custom_plan; set jit = off";

    private readonly NpgsqlConnection _connection;
    private readonly long _id;
    private readonly HashSet<(string Sql, ulong Nulls)> _prepared = [];

    private ShardLock(NpgsqlConnection connection, long id) => (_connection, _id) = (connection, id);

    /// <summary>For the owner alone, one user at a time.</summary>
    public NpgsqlConnection Connection => _connection;

    /// <summary>What the owner wrote last.</summary>
    public DocumentCache Documents { get; } = new();

    public bool IsWorthPreparing(NpgsqlBatchCommand command)
    {
        var nulls = 0UL;
        for (var i = 0; i < command.Parameters.Count; i++)
        {
            // A null has no type: with it the statement is another one.
            if (command.Parameters[i].Value is DBNull) nulls |= 1UL << (i & 63);
        }
        var key = (command.CommandText, nulls);
        return _prepared.Contains(key) || (_prepared.Count < MaxPrepared && _prepared.Add(key));
    }

    public static async ValueTask<ShardLock?> TryTakeAsync(NpgsqlDataSource source, string shard, CancellationToken ct)
    {
        var connection = await source.OpenOwnAsync(ct).ConfigureAwait(false);
        try
        {
            var id = IdOf(await SchemaAsync(connection, ct).ConfigureAwait(false), shard);
            await using var take = new NpgsqlCommand("select pg_try_advisory_lock($1)", connection) { Parameters = { new() { Value = id } } };
            if (await take.ExecuteScalarAsync(ct).ConfigureAwait(false) is true)
            {
                await using var settings = new NpgsqlCommand(Settings, connection);
                await settings.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
                return new ShardLock(connection, id);
            }
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        await connection.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    /// <summary>The connection was found dead, and the lock is nobody's or somebody else's; false says nothing.</summary>
    public bool IsLost => _connection.FullState is System.Data.ConnectionState.Closed or System.Data.ConnectionState.Broken;

    public async ValueTask<bool> IsHeldAsync(CancellationToken ct = default)
    {
        try
        {
            await using var ping = new NpgsqlCommand("select 1", _connection);
            await ping.ExecuteScalarAsync(ct).ConfigureAwait(false);
            return true;
        }
        catch (Exception lost) when (Failures.IsConnectionLost(lost) || lost is InvalidOperationException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            // In the pool it would keep the lock until somebody else uses it; and a transaction that failed answers nothing but its end.
            await using var release = new NpgsqlBatch(_connection)
            {
                BatchCommands = { new("rollback"), new("select pg_advisory_unlock($1)") { Parameters = { new() { Value = _id } } } },
            };
            await release.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
        catch (Exception lost) when (Failures.IsConnectionLost(lost) || lost is InvalidOperationException)
        {
            // The server let go of the lock together with the connection; one that is merely busy is closed and not kept, lock and all.
            NpgsqlConnection.ClearPool(_connection);
        }
        finally
        {
            await _connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    public static async ValueTask<string> SchemaAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var schema = new NpgsqlCommand("select current_schema()", connection);
        return await schema.ExecuteScalarAsync(ct).ConfigureAwait(false) as string ?? "public";
    }

    /// <summary>
    /// Marten's number for a shard: |hash("schema:identity")| + 4444 in 32 bits, wrapping, as its distributor computes it (jasperfx, ProjectionLockIds;
    /// 4444 is the default of Projections.DaemonLockId). The one hash that has no absolute value in 32 bits throws there.
    /// </summary>
    public static long IdOf(string schema, string shard)
    {
        var hash = MartenHash.Of($"{schema}:{shard}");
        return unchecked((hash < 0 ? -hash : hash) + MartenOffset);
    }
}

/// <summary>
/// The hash of a text that is the same in every process, unlike <see cref="string.GetHashCode()"/>: two interleaved djb2-xor lanes over the UTF-16 units,
/// each from (5381 &lt;&lt; 16) + 5381, mixed as even + odd * 1566083941 in wrapping 32-bit arithmetic (jasperfx, GetDeterministicHashCode).
/// </summary>
internal static class MartenHash
{
    private const int Seed = (5381 << 16) + 5381;

    public static int Of(string text)
    {
        var (even, odd) = (Seed, Seed);
        for (var i = 0; i < text.Length; i++)
        {
            if ((i & 1) == 0) even = unchecked(even * 33) ^ text[i];
            else odd = unchecked(odd * 33) ^ text[i];
        }
        return unchecked(even + odd * 1_566_083_941);
    }
}
