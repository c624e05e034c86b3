namespace Sentiric.EventStore;

/// <summary>One stream's share of an append to several streams. Without a <see cref="TenantOverride"/> the caller's tenant holds.</summary>
public sealed record StreamAppend(
    string? TenantOverride, string StreamId, ExpectedVersion Expected, IReadOnlyList<EventData> Events, string? AggregateType = null);

/// <summary>
/// With <see cref="Idempotent"/> a repeated batch (same event ids) appends nothing and returns the original positions, whatever version is expected.
/// <see cref="AggregateType"/> is the stream's type, recorded when the stream starts.
/// </summary>
public sealed record AppendOptions(bool Idempotent = false, string? AggregateType = null)
{
    public static AppendOptions Default { get; } = new();
}

/// <summary>Where the events went. <see cref="Version"/> is the stream's version after them.</summary>
public sealed record AppendResult(string Tenant, string StreamId, long Version, IReadOnlyList<long> Positions, bool AlreadyStored = false)
{
    /// <summary>0 when nothing was appended.</summary>
    public long LastPosition => Positions.Count == 0 ? 0 : Positions[^1];
}

/// <summary>Where a stream stands.</summary>
public sealed record StreamState(
    string Tenant, string StreamId, string? AggregateType, long Version, DateTimeOffset Created, DateTimeOffset LastChanged, bool IsArchived)
{
    /// <summary>Events before this version were deleted (<see cref="IStreamLifecycle.TruncateStreamAsync"/>); 0 when the stream is whole.</summary>
    public long TruncatedBefore { get; init; }

    /// <summary>The file where the events lie after they were moved out of the tables; null when they are in the tables.</summary>
    public string? File { get; init; }
}
