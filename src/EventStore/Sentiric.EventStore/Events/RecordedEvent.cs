namespace Sentiric.EventStore;

/// <summary>
/// A stored fact. <see cref="EventType"/> is the stored name with its version suffix (<c>call_started_v2</c>),
/// <see cref="SchemaVersion"/> the number in that suffix, 1 without one. <see cref="Json"/> is the payload as stored, not upcast.
/// <see cref="RecordedAt"/> is UTC with microseconds. Immutable, apart from what it remembers once it was asked for; safe for many threads.
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
    // Another name or payload is another object: both setters forget what was made of the old ones. Only the first serializer that asks is
    // remembered, so that the two fields need no object of their own: _data is always what _by made of the payload.
    private IEventSerializer? _by;
    private object? _data;

    // An EventMetadata, or a StoredMetadata that makes one when somebody asks.
    private readonly object _metadata = Metadata;

    // Rare, so it is one reference and not a memory and a flag in every event.
    private readonly BinaryPayload? _binary;

    internal RecordedEvent(
        long position, string tenant, string streamId, long version, Guid eventId, string eventType, int schemaVersion, DateTimeOffset recordedAt,
        ReadOnlyMemory<byte> json, StoredMetadata stored)
        : this(position, tenant, streamId, version, eventId, eventType, schemaVersion, recordedAt, json, EventMetadata.None) => _metadata = stored;

    public string EventType
    {
        get;
        init => (field, _by, _data) = (value, null, null);
    } = EventType;

    public ReadOnlyMemory<byte> Json
    {
        get;
        init => (field, _by, _data) = (value, null, null);
    } = Json;

    /// <summary>
    /// The payload of an event that a Marten host stored in binary; null for the others. <see cref="Json"/> is then an empty object that says nothing,
    /// and <see cref="Data"/> throws <see cref="BinaryEventException"/>.
    /// </summary>
    public ReadOnlyMemory<byte>? Binary
    {
        get => _binary?.Bytes;
        init => _binary = value is { } bytes ? new BinaryPayload(bytes) : null;
    }

    public EventMetadata Metadata
    {
        get => _metadata as EventMetadata ?? ((StoredMetadata)_metadata).Value;
        init => _metadata = value;
    }

    /// <summary>When it happened, as far as anyone said; otherwise when it was recorded.</summary>
    public DateTimeOffset OccurredAt => Metadata.OccurredAt ?? RecordedAt;

    /// <summary>Set when a sealed member did not open although its key lives.</summary>
    internal PersonalDataTamperedException? Tampered { get; init; }

    /// <summary>
    /// The payload as its registered type, made once per event however many projections ask: all of them get the same object and none may change it.
    /// Throws <see cref="UnknownEventTypeException"/>, <see cref="EventUnreadableException"/>, <see cref="BinaryEventException"/> and
    /// <see cref="PersonalDataTamperedException"/>, every time anew.
    /// </summary>
    public object Data(IEventSerializer serializer)
    {
        var isMine = ReferenceEquals(Volatile.Read(ref _by), serializer);
        if (isMine && Volatile.Read(ref _data) is { } made) return made;
        var data = Decode(serializer);
        if (isMine || Interlocked.CompareExchange(ref _by, serializer, null) is null) Volatile.Write(ref _data, data);
        return data;
    }

    /// <summary>The same, and nothing is remembered: for whoever is the only one to ask.</summary>
    internal object Decode(IEventSerializer serializer)
    {
        if (Tampered is not null) throw Tampered;
        if (_binary is not null) throw new BinaryEventException(EventType, Position);
        try
        {
            return serializer.Deserialize(EventType, Json);
        }
        catch (EventUnreadableException broken) when (broken.StreamId is null)
        {
            throw broken.At(this);
        }
    }

    /// <summary>The same fact: what was made of the payload so far does not count.</summary>
    public bool Equals(RecordedEvent? other) =>
        other is not null
        && (Position, Tenant, StreamId, Version, EventId, EventType, RecordedAt)
            == (other.Position, other.Tenant, other.StreamId, other.Version, other.EventId, other.EventType, other.RecordedAt)
        && Json.Span.SequenceEqual(other.Json.Span)
        && Binary.HasValue == other.Binary.HasValue && Binary.GetValueOrDefault().Span.SequenceEqual(other.Binary.GetValueOrDefault().Span)
        && Metadata.Equals(other.Metadata);

    public override int GetHashCode() => HashCode.Combine(Position, EventId);

    private sealed record BinaryPayload(ReadOnlyMemory<byte> Bytes);
}
