using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Where the progress and the parked events of a running projection go, inside the transaction of its rows.</summary>
internal interface IProjectionCheckpoint
{
    ValueTask AdvanceAsync(NpgsqlConnection connection, long? from, long to, CancellationToken ct);

    ValueTask ParkAsync(NpgsqlConnection connection, ParkedEvent parked, CancellationToken ct);
}
