using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

internal sealed partial class ProjectionShard
{
    /// <summary>One stream's document anew, up to where the projection stands; in turns with the loop. What is parked stays parked: it is applied by a retry alone.</summary>
    public async ValueTask RebuildStreamAsync(StreamAddress address, CancellationToken ct)
    {
        if (projection is not IStreamDocument document)
            throw new NotSupportedException($"Projection '{Name}' keeps no document per stream; rebuild it as a whole.");
        await OwnedAsync(() => RebuildStreamAsync(document, address, ct), ct).ConfigureAwait(false);
    }

    private async ValueTask<bool> RebuildStreamAsync(IStreamDocument document, StreamAddress address, CancellationToken ct)
    {
        if (!_prepared && !await TryPrepareAsync(ct).ConfigureAwait(false)) throw new InvalidOperationException($"Projection '{Name}' is being rebuilt as a whole.");
        var upTo = await PositionAsync(ct).ConfigureAwait(false);
        var skipped = await SkippedEvents.LoadAsync(source, Name, ct).ConfigureAwait(false);
        var events = new List<RecordedEvent>();
        await foreach (var recorded in store.ReadStreamAsync(address.Tenant, address.StreamId, ct: ct).ConfigureAwait(false))
        {
            if (recorded.Position <= upTo && !skipped.Contains(recorded.Position)) events.Add(recorded);
        }
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        var parked = await ParkedAsync(connection, events, ct).ConfigureAwait(false);
        events.RemoveAll(e => parked.Contains(e.Position));
        var writer = new ProjectionWriter(connection, _tables, store.Serializer, projection, "");
        document.ReplaceStream(writer, address, events);
        await writer.FlushAsync(ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        Forget();
        return true;
    }

    private async ValueTask<HashSet<long>> ParkedAsync(NpgsqlConnection connection, List<RecordedEvent> events, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(DeadLetters.Among, connection);
        foreach (var part in DeadLetters.Key(_shard)) command.Parameters.Add(new() { Value = part });
        command.Parameters.Add(new() { Value = events.ConvertAll(e => e.Position).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint });
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var parked = new HashSet<long>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) parked.Add(rows.GetInt64(0));
        return parked;
    }
}

/// <summary>A projection with one document per stream.</summary>
internal interface IStreamDocument
{
    /// <summary>Queues what puts the stream's document in the state after these events, all there are up to some position.</summary>
    void ReplaceStream(IProjectionWriter writer, StreamAddress address, IReadOnlyList<RecordedEvent> events);
}
