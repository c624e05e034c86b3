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

    /// <summary>Somebody, or an event that could not be applied, stopped it; it goes on when it is resumed.</summary>
    Paused,
}

/// <summary>What a projection says about itself, or what the database says of it to everybody.</summary>
public sealed record ProjectionStatus(string Name, int Version, ProjectionState State, long Position, long HighWaterMark, string? LastError)
{
    /// <summary>The name of its row in <c>mt_event_progression</c>.</summary>
    public string Shard => ShardName.Of(Name, Version);

    /// <summary>Positions that it has not passed yet, holes included.</summary>
    public long Lag => Math.Max(0, HighWaterMark - Position);

    /// <summary>How long ago the oldest event that it has not passed was recorded; zero when there is none. Only known to <see cref="IProjectionManager"/>.</summary>
    public TimeSpan Behind { get; init; }

    /// <summary>Positions passed per second while it last had work.</summary>
    public double EventsPerSecond { get; init; }

    /// <summary>The host that runs it; null when nobody does.</summary>
    public string? Owner { get; init; }

    /// <summary>When the checkpoint last moved.</summary>
    public DateTimeOffset? MovedAt { get; init; }

    /// <summary>Set while it is paused.</summary>
    public PauseNote? Pause { get; init; }

    /// <summary>Events that wait on the list of the parked ones.</summary>
    public int Parked { get; init; }
}

public sealed record ProjectionOptions
{
    /// <summary>Events per transaction at first; while there is more and it stays quick, it doubles up to <see cref="MaxBatchSize"/>.</summary>
    public int BatchSize { get; init; } = 500;

    public int MaxBatchSize { get; init; } = 5_000;

    /// <summary>Events per transaction while rebuilding: nobody waits for the single row then.</summary>
    public int RebuildBatchSize { get; init; } = 2_000;

    /// <summary>Writes the rows of forgotten persons anew when their erasure is read; null: nobody is forgotten here.</summary>
    public ErasureReplay? Erasure { get; init; }

    /// <summary>Tries per event before it is parked; passing failures do not count.</summary>
    public int MaxAttempts { get; init; } = 3;
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>What becomes of an event that keeps failing.</summary>
    public ErrorPolicy OnError { get; init; } = ErrorPolicy.Park;
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a host asks for shards that it does not own, and looks at what operators told and at how many hosts there are.</summary>
    public TimeSpan OwnershipInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How this process is called where operators see who owns a shard.</summary>
    public string HostName { get; init; } = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Environment.ProcessId}");
}

public enum ErrorPolicy
{
    /// <summary>It goes on the list of the parked events and the projection goes on.</summary>
    Park,

    /// <summary>The projection is paused in front of it, on all hosts, until somebody resumes it or has the event skipped.</summary>
    Stop,
}

/// <summary>Another process owns the projection; ask there, or stop it.</summary>
public sealed class ProjectionOwnedElsewhereException(string name) : EventStoreException($"Projection '{name}' is owned by another process.");

/// <summary>The live tables belong to another version of the projection: this program is older than the one that built them. Upgrade it, or rebuild with it on purpose.</summary>
public sealed class ProjectionSupersededException(string name, int version) : EventStoreException(
    string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The tables of projection '{name}' are not of version {version} any more."));
