using System.Runtime.CompilerServices;

namespace Sentiric.EventStore;

/// <summary>Cuts the events into transactions and checks what can be checked without the storage.</summary>
internal static class ImportBatches
{
    public static async IAsyncEnumerable<List<ImportedEvent>> CutAsync(
        IAsyncEnumerable<ImportedEvent> events, ImportOptions options, [EnumeratorCancellation] CancellationToken ct)
    {
        var batch = new List<ImportedEvent>();
        var bytes = 0L;
        await foreach (var imported in events.WithCancellation(ct).ConfigureAwait(false))
        {
            EnsureStorable(imported);
            batch.Add(imported);
            bytes += imported.Json.Length;
            if (batch.Count < options.EventsPerTransaction && bytes < options.BytesPerTransaction) continue;
            yield return batch;
            (batch, bytes) = ([], 0);
        }
        if (batch.Count > 0) yield return batch;
    }

    /// <summary>The streams of a batch with their events, each in rising versions without a hole; in one order for all processes.</summary>
    public static List<ImportedStream> Streams(IReadOnlyList<ImportedEvent> batch)
    {
        var streams = new Dictionary<StreamAddress, ImportedStream>();
        foreach (var imported in batch)
        {
            var address = new StreamAddress(imported.Tenant, imported.StreamId);
            if (!streams.TryGetValue(address, out var stream)) streams[address] = stream = new ImportedStream(address, imported.AggregateType);
            stream.Add(imported);
        }
        return [.. streams.Values.Order(ImportedStream.ByAddress)];
    }

    private static void EnsureStorable(ImportedEvent imported)
    {
        var address = StreamAddress.Of(imported.Tenant, imported.StreamId);
        if (imported.Version < 1) throw new ImportRefusedException(address.Tenant, address.StreamId, imported.Version, "versions count from 1.");
        Payload.EnsureStorable(imported.EventType, imported.Json, imported.Metadata);
        Payload.EnsureText(imported.EventType, "the aggregate type", imported.AggregateType);
        Payload.EnsureText(imported.EventType, "the .NET type", imported.DotnetType);
    }
}

/// <summary>One stream's share of a transaction.</summary>
internal sealed class ImportedStream(StreamAddress address, string? aggregateType)
{
    public static Comparer<ImportedStream> ByAddress { get; } = Comparer<ImportedStream>.Create((a, b) => StreamAddress.Compare(a.Address, b.Address));

    public StreamAddress Address { get; } = address;
    public string? AggregateType { get; } = aggregateType;
    public List<ImportedEvent> Events { get; } = [];

    public long First => Events[0].Version;

    public long Last => Events[^1].Version;

    public void Add(ImportedEvent imported)
    {
        if (Events.Count > 0 && imported.Version != Last + 1)
            throw Refused(imported.Version, $"version {Last + 1} comes next.");
        Events.Add(imported);
    }

    /// <summary>Those behind the version that is stored; the caller has compared the others with what is stored.</summary>
    public IEnumerable<ImportedEvent> Behind(long stored) => Events.Where(e => e.Version > stored);

    public void EnsureItFollows(long stored)
    {
        if (First > stored + 1) throw Refused(First, $"the stream stands at version {stored}, so version {stored + 1} comes next.");
    }

    public void EnsureSame(long version, Guid storedId)
    {
        var mine = Events[(int)(version - First)];
        if (mine.EventId != storedId) throw Refused(version, $"event {storedId} is stored under that version, the import has {mine.EventId}.");
    }

    public ImportRefusedException Refused(long version, FormattableString why) =>
        new(Address.Tenant, Address.StreamId, version, FormattableString.Invariant(why));
}
