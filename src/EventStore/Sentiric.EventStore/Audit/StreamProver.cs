using Npgsql;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>Puts a proof together: the events of the stream, the path of its head, the newest checkpoint, the keys.</summary>
internal static class StreamProver
{
    public static async ValueTask<StreamProof> ProveAsync(NpgsqlConnection connection, AuditTables tables, string tenant, string streamId, CancellationToken ct)
    {
        var directory = await DirectoryReader.OpenAsync(connection, tables, ct).ConfigureAwait(false) ?? throw new StreamNotNotarisedException(streamId);
        var ordinal = await OrdinalAsync(connection, tables, tenant, streamId, ct).ConfigureAwait(false) ?? throw new StreamNotNotarisedException(streamId);
        var stream = await directory.FindAsync(connection, ordinal, ct).ConfigureAwait(false)
            ?? throw new AuditTamperedException($"the rows around stream number {ordinal} of sx_audit_stream are not those that were signed");
        var (events, pending) = await EventsAsync(connection, tables, stream, directory.Last.To, ct).ConfigureAwait(false);
        if (Head(stream, events) is not { } head || !head.AsSpan().SequenceEqual(stream.Head))
            events = await WithRemovedAsync(connection, tables, stream, events, ct).ConfigureAwait(false);
        var path = new DirectoryPath(directory.Last.Streams, [.. directory.PathOf(ordinal).Select(hash => AuditHash.Hex(hash))]);
        return new StreamProof(
            StreamProof.CurrentFormat, tenant, streamId, ordinal, stream.Version, stream.Type, Text(stream.Created), Text(stream.Appended),
            events, path, directory.Signed, await KeyRows.ListAsync(connection, tables, ct).ConfigureAwait(false), pending);
    }

    private static string? Text(long? microseconds) => microseconds is { } known ? AuditTime.Text(known) : null;

    private static byte[]? Head(DirectoryStream stream, List<ProvenEvent> events)
    {
        var head = AuditHash.Genesis(stream.Ordinal, stream.Tenant, stream.StreamId);
        foreach (var proven in events)
        {
            if (proven.LeafHash(stream.Tenant, stream.StreamId) is not { } leaf) return null;
            AuditHash.Link(head, leaf, head);
        }
        return head;
    }

    private static async ValueTask<long?> OrdinalAsync(NpgsqlConnection connection, AuditTables tables, string tenant, string streamId, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select ordinal from sx_audit_stream where tenant_id = $1 and stream_id = $2", connection)
        {
            Parameters = { new() { Value = tenant }, new() { Value = streamId } },
        };
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as long?;
    }

    private static async ValueTask<(List<ProvenEvent> Events, int Pending)> EventsAsync(
        NpgsqlConnection connection, AuditTables tables, DirectoryStream stream, long upTo, CancellationToken ct)
    {
        var events = new List<ProvenEvent>();
        var pending = 0;
        await using var tuples = await EventTuples.OpenAsync(connection, tables, tables.RowsOf(stream.Tenant, stream.StreamId), ct).ConfigureAwait(false);
        while (await tuples.ReadAsync(ct).ConfigureAwait(false))
        {
            if (tuples.Position > upTo) pending++;
            else events.Add(Event(tuples));
        }
        return (events, pending);
    }

    /// <summary>Events that are gone stand in the proof with the leaf that the blocks remember. Whether they went by right, a verification says.</summary>
    private static async ValueTask<List<ProvenEvent>> WithRemovedAsync(
        NpgsqlConnection connection, AuditTables tables, DirectoryStream stream, List<ProvenEvent> events, CancellationToken ct)
    {
        var there = events.ToDictionary(e => e.Position);
        var signed = await BlockRows.EntriesOfAsync(connection, tables, stream.Ordinal, ct).ConfigureAwait(false);
        return [.. signed.Select(s => there.GetValueOrDefault(s.Key)
            ?? new ProvenEvent(s.Key, AuditEntries.Version(s.Value)) { Leaf = AuditHash.Hex(AuditEntries.Leaf(s.Value)) })];
    }

    private static ProvenEvent Event(EventTuples tuple) => new(tuple.Position, tuple.Version)
    {
        Id = new Guid(tuple.Field(4), bigEndian: true),
        Type = tuple.Text(5),
        Timestamp = AuditTime.Text(tuple.Int64(6)),
        Data = tuple.Text(7),
        BinaryData = tuple.IsNull(8) ? null : tuple.Field(8).ToArray(),
        DotnetType = tuple.Text(9),
        CorrelationId = tuple.Text(10),
        CausationId = tuple.Text(11),
        Headers = tuple.Text(12),
        UserName = tuple.Text(13),
    };
}
