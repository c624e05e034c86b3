namespace Sentiric.EventStore;

/// <summary>A number of rows; an estimate of PostgreSQL's statistics where counting would scan a big table.</summary>
public readonly record struct RowCount(long Count, bool Exact);

public sealed record NamedCount(string Name, long Count);

/// <summary>Rows by name, most first; of a big table the names that PostgreSQL's statistics know, by estimate.</summary>
public sealed record CountsByName(IReadOnlyList<NamedCount> Counts, bool Exact);

/// <summary>One table with its indexes, in bytes; partitions are counted in. <see cref="EstimatedRows"/> is what PostgreSQL believes, -1 before it was ever analysed.</summary>
public sealed record TableSize(string Name, long TableBytes, long IndexBytes, long EstimatedRows);

/// <summary>Holes that were proven dead: how many ranges, how many numbers, and when the last was found.</summary>
public sealed record SkippedNumbers(long Ranges, long Numbers, DateTimeOffset? LastAt);

public sealed record ParkedCount(string Shard, long Count, DateTimeOffset OldestAt, DateTimeOffset NewestAt);

/// <summary>Where a shard stands. <see cref="WaitingSince"/> is when the first event that it has not handled was recorded; null when it is through.</summary>
public sealed record ShardProgress(string Shard, long Position, long Lag, DateTimeOffset LastMoved, DateTimeOffset? WaitingSince);

/// <summary>The transaction of this database that is open longest; it may hold back the high-water mark and PostgreSQL's cleaning.</summary>
public sealed record OpenTransaction(int ProcessId, string Application, string State, DateTimeOffset Since, bool Writes);

/// <summary>Positions per minute. Of more than a few hundred events an hour, the shape is interpolated between samples.</summary>
public sealed record RatePoint(DateTimeOffset Minute, long Events);

/// <summary>Positions that came within the last minute, hour and day, dead holes among them.</summary>
public sealed record AppendRates(long LastMinute, long LastHour, long LastDay, IReadOnlyList<RatePoint> PerMinute);

/// <summary>Everything countable about a store, cheap on a big one.</summary>
/// <param name="LastNumber">The last number that was drawn; above the mark while appends are under way.</param>
public sealed record StoreStatistics(
    DateTimeOffset At, RowCount Events, RowCount Streams, RowCount ArchivedStreams, CountsByName Tenants, CountsByName Types, AppendRates Rates,
    long HighWaterMark, long LastNumber, DateTimeOffset? LastEventAt, SkippedNumbers Skipped, IReadOnlyList<ParkedCount> Parked,
    IReadOnlyList<ShardProgress> Shards, OpenTransaction? OldestTransaction, IReadOnlyList<TableSize> Tables);
