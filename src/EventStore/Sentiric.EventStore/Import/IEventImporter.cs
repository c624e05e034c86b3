namespace Sentiric.EventStore;

/// <summary>
/// Loads history that was written elsewhere: ids, versions and times are given, positions are new.
/// Both stores implement it; events pass in the order in which they come, a transaction at a time, in bounded memory.
/// </summary>
public interface IEventImporter
{
    /// <summary>
    /// Stores what is not there yet. A stream's versions must rise one by one, starting at 1 or right behind what is stored; events that are stored
    /// already (same version, same id) are passed over, so an import that was broken off is simply run again.
    /// Transactions that were committed before a failure stay; <see cref="ImportOptions.Progress"/> told of them.
    /// Throws <see cref="ImportRefusedException"/>, <see cref="StreamArchivedException"/>, <see cref="EventTooLargeException"/>,
    /// <see cref="EventDataRejectedException"/>, <see cref="StreamNameRejectedException"/> and <see cref="EventStoreUnavailableException"/>.
    /// </summary>
    ValueTask<ImportTotals> ImportAsync(IAsyncEnumerable<ImportedEvent> events, ImportOptions? options = null, CancellationToken ct = default);
}

/// <summary>
/// One event as it was recorded elsewhere. <see cref="EventType"/> is the stored name with its version suffix; it need not be registered here.
/// <see cref="AggregateType"/> is used when the stream starts, <see cref="DotnetType"/> is what a Marten host tells the type by.
/// </summary>
public sealed record ImportedEvent(
    string Tenant, string StreamId, long Version, Guid EventId, string EventType, DateTimeOffset RecordedAt, ReadOnlyMemory<byte> Json, EventMetadata Metadata,
    string? AggregateType = null, string? DotnetType = null)
{
    public static ImportedEvent From(RecordedEvent recorded, string? aggregateType = null) => recorded.Binary is not null ? throw new BinaryEventException(recorded.EventType, recorded.Position) : new ImportedEvent(
        recorded.Tenant, recorded.StreamId, recorded.Version, recorded.EventId, recorded.EventType, recorded.RecordedAt, recorded.Json, recorded.Metadata, aggregateType);
}

/// <summary>How much goes into one transaction, whichever bound is met first, and who is told after each.</summary>
public sealed record ImportOptions
{
    /// <summary>1 to 100,000.</summary>
    public int EventsPerTransaction { get; init; } = 5_000;

    /// <summary>Payload bytes, 1 MiB to 256 MiB. The import holds one transaction's events in memory, not more.</summary>
    public long BytesPerTransaction { get; init; } = 8 * 1024 * 1024;

    /// <summary>Called after every commit, on the importing task.</summary>
    public Action<ImportTotals>? Progress { get; init; }

    internal static ImportOptions Checked(ImportOptions? options)
    {
        var chosen = options ?? new ImportOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(chosen.EventsPerTransaction, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chosen.EventsPerTransaction, 100_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(chosen.BytesPerTransaction, 1024 * 1024);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chosen.BytesPerTransaction, 256 * 1024 * 1024);
        return chosen;
    }
}

/// <summary>What is committed so far. <see cref="Read"/> = <see cref="Stored"/> + <see cref="AlreadyStored"/>; <see cref="LastPosition"/> is 0 when nothing was stored.</summary>
public readonly record struct ImportTotals(long Read, long Stored, long AlreadyStored, long LastPosition)
{
    internal ImportTotals With(long stored, long alreadyStored, long lastPosition) =>
        new(Read + stored + alreadyStored, Stored + stored, AlreadyStored + alreadyStored, Math.Max(LastPosition, lastPosition));
}
