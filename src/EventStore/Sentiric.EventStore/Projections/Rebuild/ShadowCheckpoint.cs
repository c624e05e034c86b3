using Npgsql;

namespace Sentiric.EventStore;

/// <summary>The position and the parked events of a rebuild, written with its rows, so that an interrupted one goes on exactly where it stood.</summary>
internal sealed class ShadowCheckpoint(ITableProjection projection) : IProjectionCheckpoint
{
    private const int MaxParked = 10_000;
    private const string Move = "update sx_rebuild set position = $2, updated_at = transaction_timestamp() where name = $1 and position = $3";

    private int _parked;

    /// <summary>The shard under which its events are parked until the switch.</summary>
    public static string ShardOf(ITableProjection projection) => projection.Name + ":Rebuild";

    public async ValueTask AdvanceAsync(NpgsqlConnection connection, long? from, long to, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Move, connection)
        {
            Parameters = { new() { Value = projection.Name }, new() { Value = to }, new() { Value = from ?? 0 } },
        };
        if (await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false) != 1) throw new CheckpointMovedException(ShardOf(projection));
    }

    public async ValueTask ParkAsync(NpgsqlConnection connection, ParkedEvent parked, CancellationToken ct)
    {
        if (Interlocked.Increment(ref _parked) > MaxParked)
            throw new InvalidOperationException("Too many events cannot be applied; the rebuild stops and the old tables stay.");
        await using var command = DeadLetters.Insert(parked with { Shard = ShardOf(projection) });
        command.Connection = connection;
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }
}
