using System.Text.Json;

namespace Sentiric.Contracts.Queries;

/// <summary>One event of the log as operators see it: where it stands, who wrote it and why, and its data.</summary>
/// <param name="Type">Routing key ("call.started"); the stored name for a type that this build does not know.</param>
/// <param name="StoredType">The name in the store, with its version.</param>
/// <param name="Headers">What else its writer noted; absent when nothing.</param>
public sealed record LogEntry(
    long Position, string Tenant, string Stream, long Version, Guid Id, string Type, string StoredType, DateTimeOffset RecordedAt, DateTimeOffset OccurredAt,
    string? Actor, string? CorrelationId, string? CausationId, IReadOnlyDictionary<string, string>? Headers, JsonElement Data);

/// <summary>Where a reader of the log stands; sent first, and now and then while nothing that it asked for happens.</summary>
public sealed record LogPlace(long Position, long HighWater);

/// <summary>A stream and a page of its events.</summary>
/// <param name="Version">Where it stands now, whatever version or moment was asked for.</param>
/// <param name="Next">The version to ask for next; absent on the last page.</param>
public sealed record StreamPage(
    string Tenant, string Stream, string? AggregateType, long Version, DateTimeOffset Created, DateTimeOffset LastChanged, bool Archived,
    IReadOnlyList<LogEntry> Events, long? Next);

/// <summary>A number of rows; of a big table PostgreSQL's estimate, and then not <paramref name="Exact"/>.</summary>
public sealed record Rows(long Count, bool Exact);

public sealed record NamedRows(string Name, long Count);

public sealed record RowsByName(bool Exact, IReadOnlyList<NamedRows> Counts);

/// <summary>Positions that came in these spans up to now, and minute by minute over the last hour.</summary>
public sealed record StoreRates(long LastMinute, long LastHour, long LastDay, IReadOnlyList<MinuteRate> PerMinute);

public sealed record MinuteRate(DateTimeOffset Minute, long Events);

/// <summary>Numbers that no event will ever have.</summary>
public sealed record StoreSkips(long Ranges, long Numbers, DateTimeOffset? LastAt);

public sealed record ParkedRows(string Shard, long Count, DateTimeOffset OldestAt, DateTimeOffset NewestAt);

/// <param name="WaitingSince">When the first event that the shard has not handled was recorded; absent when it is through.</param>
public sealed record ShardRow(string Shard, long Position, long Lag, DateTimeOffset LastMoved, DateTimeOffset? WaitingSince);

public sealed record StoreTransaction(int ProcessId, string Application, string State, DateTimeOffset Since, bool Writes);

public sealed record TableRow(string Name, long TableBytes, long IndexBytes, long EstimatedRows);

/// <summary>Appends that wait in the process that answered.</summary>
public sealed record AppendQueueRow(int Waiting, int Capacity);

/// <summary>Everything countable about the event store.</summary>
/// <param name="Events">Stored events.</param>
/// <param name="LastNumber">The last number that was drawn; above the high-water mark while appends are under way.</param>
public sealed record StoreStats(
    DateTimeOffset At, Rows Events, Rows Streams, Rows ArchivedStreams, RowsByName Tenants, RowsByName Types, StoreRates Rates, long HighWater,
    long LastNumber, DateTimeOffset? LastEventAt, StoreSkips Skipped, IReadOnlyList<ParkedRows> Parked, IReadOnlyList<ShardRow> Shards,
    AppendQueueRow? AppendQueue, StoreTransaction? OldestTransaction, IReadOnlyList<TableRow> Tables);

/// <summary>What an import did; Read is Stored and AlreadyStored together.</summary>
public sealed record ImportReport(long Read, long Stored, long AlreadyStored, int ArchivedStreams);

/// <summary>The record that a truncation left.</summary>
/// <param name="BeforeVersion">The first version that stayed.</param>
/// <param name="Events">How many were deleted.</param>
/// <param name="Sha256">Hex, of the deleted events as lines.</param>
/// <param name="SignedAt">When the record was signed; absent when it is not yet, or nobody asked.</param>
/// <param name="OrderedBy">Id of the key that ordered it.</param>
/// <param name="Order">Who vouches for it; absent right after the truncation, and where the log is not signed.</param>
public sealed record TruncationReply(
    string Tenant, string Stream, long BeforeVersion, long Events, long FirstPosition, long LastPosition, string Sha256, string Why, string? Actor, DateTimeOffset At,
    DateTimeOffset? SignedAt = null, string? OrderedBy = null, RemovalOrdering? Order = null);

/// <summary>What was moved between tables and files.</summary>
/// <param name="Bytes">Of the compressed files.</param>
public sealed record FileMoveReply(long Streams, long Events, long Bytes);

/// <summary>Files that were read and found whole.</summary>
/// <param name="Unused">Files that no stream lies in; they may be deleted.</param>
public sealed record FileCheckReply(int Files, IReadOnlyList<string> Unused);
