using System.Globalization;

namespace Sentiric.EventStore;

/// <summary>The common parent of what a store refuses or fails with.</summary>
public abstract class EventStoreException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Somebody else was faster, or the stream is not where the writer believed. Load again and decide again.</summary>
public sealed class WrongExpectedVersionException(string streamId, ExpectedVersion expected, long actual) : EventStoreException(
    $"Stream '{streamId}' stands at version {actual.ToString(CultureInfo.InvariantCulture)}, but {expected} was expected.")
{
    public string StreamId { get; } = streamId;
    public ExpectedVersion Expected { get; } = expected;

    /// <summary>0 when the stream does not exist.</summary>
    public long Actual { get; } = actual;
}

public sealed class StreamArchivedException(string streamId) : EventStoreException($"Stream '{streamId}' is archived and takes no more events.")
{
    public string StreamId { get; } = streamId;
}

/// <summary>A stream had this id before, and the tables remember (<see cref="PostgresEventStoreOptions.StrictStreamIdentity"/>): it is given once, even after the stream is gone.</summary>
public sealed class StreamIdUsedException(string streamId) : EventStoreException($"'{streamId}' was the id of a stream before and is not given again.")
{
    public string StreamId { get; } = streamId;
}

/// <summary>The storage cannot be reached or has no room for another connection; the message says what to do.</summary>
public class EventStoreUnavailableException(string message, Exception? inner = null) : EventStoreException(message, inner);

public sealed class EventTooLargeException(string eventType, long bytes) : EventStoreException(
    $"Event '{eventType}' has {bytes.ToString(CultureInfo.InvariantCulture)} bytes; at most {EventStoreLimits.MaxEventBytes.ToString(CultureInfo.InvariantCulture)} are stored. Keep large content in a file and store a reference.")
{
    public string EventType { get; } = eventType;
    public long Bytes { get; } = bytes;
}

/// <summary>
/// The connection broke, or the time was up, while an append was under way: it may or may not be stored, and nobody can tell from here.
/// Repeat it with <see cref="AppendOptions.Idempotent"/> and the same event ids, which stores it at most once, or load the stream and decide again.
/// </summary>
public sealed class AppendOutcomeUnknownException(Exception inner) : EventStoreUnavailableException(
    "The connection to PostgreSQL was lost while an append was under way: it may or may not have been stored. "
    + "Repeat it idempotently with the same event ids, or load the stream and decide again. Check that the server runs.", inner);

/// <summary>An append waited too long for room or for its turn. Nothing was stored.</summary>
public sealed class EventStoreBusyException(string message, Exception? inner = null) : EventStoreUnavailableException(message, inner);

/// <summary>The store was disposed. Nothing was stored.</summary>
public sealed class EventStoreClosedException() : EventStoreException("The event store is closed and takes no more appends; nothing was stored.");

/// <summary>Another writer has locked the stream and does not let go. Nothing was stored; try again.</summary>
public sealed class StreamLockedException(string streamId, Exception inner) : EventStoreException(
    $"Stream '{streamId}' is locked by another writer; nothing was stored. Try again, or find who keeps its row locked.", inner)
{
    public string StreamId { get; } = streamId;
}

/// <summary>A projection that is written with the append refused its events, so nothing was stored. The inner exception says why.</summary>
public sealed class InlineProjectionException(string projection, Exception inner) : EventStoreException(
    $"The inline projection '{projection}' failed, so the append was taken back and nothing was stored: {inner.Message}", inner)
{
    public string Projection { get; } = projection;
}

/// <summary>More events or more streams than one append may carry; see <see cref="EventStoreLimits"/>.</summary>
public sealed class AppendTooLargeException(string why) : EventStoreException("The append is refused: " + why);

/// <summary>The payload is not JSON, or JSON that the storage cannot hold (a NUL character, half a surrogate pair).</summary>
public sealed class EventDataRejectedException(string eventType, string why, Exception? inner = null) : EventStoreException(
    $"Event '{eventType}' cannot be stored: {why}", inner)
{
    public string EventType { get; } = eventType;
}

/// <summary>The stored payload does not fit its registered type, or an upcaster failed on it. <see cref="StreamId"/> is null where a payload was read that belongs to no stored event.</summary>
public sealed class EventUnreadableException : EventStoreException
{
    private readonly string _why;

    public EventUnreadableException(string eventType, Exception inner)
        : this(eventType, inner.Message, inner)
    {
    }

    public EventUnreadableException(string eventType, string why, Exception inner)
        : base($"A stored '{eventType}' cannot be read as its registered type: {why}", inner) => (EventType, _why) = (eventType, why);

    private EventUnreadableException(EventUnreadableException broken, RecordedEvent recorded)
        : base(
            $"The '{broken.EventType}' at position {recorded.Position.ToString(CultureInfo.InvariantCulture)}, version {recorded.Version.ToString(CultureInfo.InvariantCulture)} "
            + $"of stream '{recorded.StreamId}' of tenant '{recorded.Tenant}', cannot be read as its registered type: {broken._why}", broken.InnerException) =>
        (EventType, _why, Tenant, StreamId, Version, Position) = (broken.EventType, broken._why, recorded.Tenant, recorded.StreamId, recorded.Version, recorded.Position);

    /// <summary>As stored, suffix included.</summary>
    public string EventType { get; }

    public string? Tenant { get; }

    public string? StreamId { get; }

    public long Version { get; }

    public long Position { get; }

    internal EventUnreadableException At(RecordedEvent recorded) => new(this, recorded);
}

/// <summary>A Marten host stored this event in binary, which only that host can read. The bytes are in <see cref="RecordedEvent.Binary"/>.</summary>
public sealed class BinaryEventException(string eventType, long position) : EventStoreException(
    $"The stored '{eventType}' at position {position.ToString(CultureInfo.InvariantCulture)} has a binary payload, which is not JSON.")
{
    public string EventType { get; } = eventType;
    public long Position { get; } = position;
}

/// <summary>The role of the connection has no right to do this; <see cref="PostgresRoles"/> says which role does what.</summary>
public sealed class StoreForbiddenException(string what, Exception inner) : EventStoreException(
    $"The database role may not do this ({what}). Deleting events, truncating streams and changing tables is the migrator's.", inner);

/// <summary>The connections stand in another schema than the store was told to use.</summary>
public sealed class WrongSchemaException(string expected, string? actual) : EventStoreException(
    $"The store shall live in schema '{expected}', but its connections stand in '{actual ?? "none"}'. "
    + $"Put 'Search Path={expected}' into the connection string (PostgresSchema.ConnectionString does it), or leave the option Schema away.")
{
    public string Expected { get; } = expected;
    public string? Actual { get; } = actual;
}

/// <summary>The store keeps its streams by guid, and this is not the canonical text of one.</summary>
public sealed class InvalidStreamIdException(string streamId) : EventStoreException(
    $"'{streamId}' is no stream id of this store: it takes guids in lower case with hyphens, such as 0192f0a1-7c1e-7000-8000-000000000000.")
{
    public string StreamId { get; } = streamId;
}

/// <summary>The application's list of events and upcasters contradicts itself. It stops the start; the message says what to change.</summary>
public sealed class EventTypeListException(string message) : EventStoreException(message);

/// <summary>A name or type that the application did not list, and that no upcaster leads away from.</summary>
public sealed class UnknownEventTypeException(string eventType, string? hint = null) : EventStoreException(
    $"Event type '{eventType}' is not registered.{(hint is null ? "" : " " + hint)}")
{
    public string EventType { get; } = eventType;
}

/// <summary>An idempotent batch shares only some of its event ids with what is stored, or has them in another stream: two batches claim one id.</summary>
public sealed class EventIdReusedException(string streamId, Guid eventId) : EventStoreException(
    $"Event id {eventId} of the batch for stream '{streamId}' was already used by a different batch.")
{
    public string StreamId { get; } = streamId;
    public Guid EventId { get; } = eventId;
}

/// <summary>The tables have Marten's unique index on event ids (<c>EnableUniqueIndexOnEventId</c>), and an id of the batch is stored already. Nothing was stored.</summary>
public sealed class EventIdStoredException(string streamId, Exception inner) : EventStoreException(
    $"An event id of the batch for stream '{streamId}' is stored already, and these tables take each id once. Give the events new ids, or append idempotently from the first time on.", inner)
{
    public string StreamId { get; } = streamId;
}

/// <summary>A tenant or a stream that cannot be named like that: empty, too long, or with characters that no text of the storage holds.</summary>
public sealed class StreamNameRejectedException(string which, string why) : EventStoreException($"The {which} cannot be used: {why}")
{
    /// <summary>"tenant" or "stream".</summary>
    public string Which { get; } = which;
}

/// <summary>An imported event does not follow what is stored, or another one is stored in its place.</summary>
public sealed class ImportRefusedException(string tenant, string streamId, long version, string why) : EventStoreException(
    $"Version {version.ToString(CultureInfo.InvariantCulture)} of stream '{streamId}' of tenant '{tenant}' is not imported: {why}")
{
    public string Tenant { get; } = tenant;
    public string StreamId { get; } = streamId;
    public long Version { get; } = version;
}
