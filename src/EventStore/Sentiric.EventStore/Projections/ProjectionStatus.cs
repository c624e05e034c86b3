namespace Sentiric.EventStore;

public enum ProjectionState
{
    Stopped,

    /// <summary>Another process owns the projection; this one stands by.</summary>
    StandingBy,
    Running,

    /// <summary>The last batch failed for a passing reason and is tried again from the checkpoint.</summary>
    Retrying,

    /// <summary>New tables are being filled; the old ones still serve.</summary>
    Rebuilding,
}

/// <summary>What a projection says about itself. <see cref="Lag"/> counts positions, holes included.</summary>
public sealed record ProjectionStatus(string Name, int Version, ProjectionState State, long Position, long HighWaterMark, string? LastError)
{
    public long Lag => Math.Max(0, HighWaterMark - Position);
}

public sealed record ProjectionOptions
{
    public int BatchSize { get; init; } = 500;

    /// <summary>Events per transaction while rebuilding: nobody waits for the single row then.</summary>
    public int RebuildBatchSize { get; init; } = 2_000;

    /// <summary>Tries per event before it is parked; passing failures do not count.</summary>
    public int MaxAttempts { get; init; } = 3;
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);
    public TimeSpan OwnershipInterval { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>Another process owns the projection; ask there, or stop it.</summary>
public sealed class ProjectionOwnedElsewhereException(string name) : EventStoreException($"Projection '{name}' is owned by another process.");

/// <summary>The live tables belong to another version of the projection: this program is older than the one that built them. Upgrade it, or rebuild with it on purpose.</summary>
public sealed class ProjectionSupersededException(string name, int version) : EventStoreException(
    string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The tables of projection '{name}' are not of version {version} any more."));
