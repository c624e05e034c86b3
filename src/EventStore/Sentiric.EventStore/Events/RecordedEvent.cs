namespace Sentiric.EventStore;

/// <summary>
/// A stored fact. <see cref="EventType"/> is the stored name with its version suffix (<c>call_started_v2</c>),
/// <see cref="SchemaVersion"/> the number in that suffix, 1 without one. <see cref="Json"/> is the payload as stored, not upcast.
/// <see cref="RecordedAt"/> is UTC with microseconds.
/// </summary>
public sealed record RecordedEvent(
    long Position,
    string Tenant,
    string StreamId,
    long Version,
    Guid EventId,
    string EventType,
    int SchemaVersion,
    DateTimeOffset RecordedAt,
    ReadOnlyMemory<byte> Json,
    EventMetadata Metadata)
{
    /// <summary>When it happened, as far as anyone said; otherwise when it was recorded.</summary>
    public DateTimeOffset OccurredAt => Metadata.OccurredAt ?? RecordedAt;
}
