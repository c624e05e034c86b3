using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Archiving where archived rows have partitions of their own: row and events move, in one statement, since each refers to the other and neither may stand alone at its end.
/// <code>
///   lock mt_streams     waits for the appends under way, keeps new ones waiting
///   move row, events    an append that waited sees the archived row and is refused
/// </code>
/// Without the lock an append that looked before the move would start the stream anew behind it: the keys of the two partitions do not exclude each other.
/// </summary>
public sealed partial class PostgresEventStore
{
    private const string Move = """
        with s as (update mt_streams set is_archived = $3 where tenant_id = $1 and id = $2 and is_archived = not $3 returning id),
             e as (update mt_events set is_archived = $3 where tenant_id = $1 and stream_id = $2 and is_archived = not $3 and exists (select from s))
        select count(*) from s
        """;

    private async ValueTask<bool> MoveToArchiveAsync(NpgsqlConnection connection, StreamAddress address, bool archived, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        try
        {
            await PartitionLock.TakeAsync(connection, _options.AppendLockTimeout, ct).ConfigureAwait(false);
        }
        catch (PostgresException busy) when (busy.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new StreamLockedException(address.StreamId, busy);
        }
        var (isThere, isArchived, hasNamesake) = await PlaceAsync(connection, address, ct).ConfigureAwait(false);
        if (!isThere || isArchived == archived) return isThere;
        // Opening what has a living namesake: that one is open. Archiving it would put two streams of one id into one partition.
        if (hasNamesake) return archived ? throw new StreamIdUsedException(address.StreamId) : true;
        await using var move = new NpgsqlCommand(Move, connection, transaction)
        {
            Parameters = { new() { Value = address.Tenant }, StreamIdOf(address), new() { Value = archived } },
        };
        await move.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        return true;
    }

    private async ValueTask<(bool IsThere, bool IsArchived, bool HasNamesake)> PlaceAsync(NpgsqlConnection connection, StreamAddress address, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select count(*), coalesce(bool_and(is_archived), false) from mt_streams where tenant_id = $1 and id = $2", connection)
        {
            Parameters = { new() { Value = address.Tenant }, StreamIdOf(address) },
        };
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await row.ReadAsync(ct).ConfigureAwait(false);
        return (row.GetInt64(0) > 0, row.GetBoolean(1), row.GetInt64(0) > 1);
    }
}

/// <summary>Nobody appends while streams move between partitions.</summary>
internal static class PartitionLock
{
    /// <summary>Holds until the caller's transaction ends. Fails with SQLSTATE 55P03 when the appends under way do not end in time.</summary>
    public static async ValueTask TakeAsync(NpgsqlConnection connection, TimeSpan patience, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { new NpgsqlBatchCommand(AppendSession.Local(patience)), new NpgsqlBatchCommand("lock table mt_streams in share row exclusive mode") },
        };
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }
}
