using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Where the progress and the parked events of a running projection go, inside the transaction of its rows.</summary>
internal interface IProjectionCheckpoint
{
    ValueTask AdvanceAsync(NpgsqlConnection connection, long? from, long to, CancellationToken ct);

    ValueTask ParkAsync(NpgsqlConnection connection, ParkedEvent parked, CancellationToken ct);
}

/// <summary>The progress table: the transaction fails when somebody else moved the shard or a newer version took the tables over.</summary>
internal sealed class LiveCheckpoint(ITableProjection projection, string shard) : IProjectionCheckpoint
{
    public async ValueTask AdvanceAsync(NpgsqlConnection connection, long? from, long to, CancellationToken ct)
    {
        // After the rows were written: whoever wrote into the tables of a newer version sees that version here.
        await using var version = new NpgsqlCommand("select version from sx_projection_version where name = $1", connection)
        {
            Parameters = { new() { Value = projection.Name } },
        };
        if (await version.ExecuteScalarAsync(ct).ConfigureAwait(false) is not int current || current != projection.Version)
            throw new ProjectionSupersededException(projection.Name, projection.Version);
        await using var command = Progress.Advance(shard, from, to);
        command.Connection = connection;
        if (await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false) != 1) throw new CheckpointMovedException(shard);
    }

    public async ValueTask ParkAsync(NpgsqlConnection connection, ParkedEvent parked, CancellationToken ct)
    {
        await using var command = DeadLetters.Insert(parked);
        command.Connection = connection;
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }
}
