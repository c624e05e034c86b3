using System.Globalization;

namespace Sentiric.EventStore;

/// <summary>How a projection is rebuilt.</summary>
public sealed record RebuildOptions
{
    public const int MaxParallelism = 64;

    /// <summary>Workers that fold and write, 1 to <see cref="MaxParallelism"/>; 0 takes one per processor.</summary>
    public int Parallelism { get; init; }

    /// <summary>Bytes of documents held in memory; beyond it the store is read stream by stream, which holds one document at a time.</summary>
    public long MemoryBudget { get; init; } = 256L * 1024 * 1024;

    /// <summary>Switch although the new rows differ from the living ones of the same version. They do after a defect was mended or rows were changed by hand.</summary>
    public bool AcceptDifferences { get; init; }

    /// <summary>Throw away what an interrupted rebuild has filled so far.</summary>
    public bool StartOver { get; init; }
}

public enum RebuildState
{
    /// <summary>Never rebuilt.</summary>
    None,
    Running,

    /// <summary>Its process is gone; the next rebuild goes on where it stood.</summary>
    Interrupted,

    /// <summary>The new rows are not those of the living tables; rebuild with <see cref="RebuildOptions.AcceptDifferences"/> to switch all the same.</summary>
    Differs,
    Failed,
    Cancelled,

    /// <summary>The new tables serve.</summary>
    Switched,

    /// <summary>The tables from before the switch serve again.</summary>
    RolledBack,
}

public enum RebuildPhase
{
    /// <summary>Events are read and folded into the new tables.</summary>
    Filling,

    /// <summary>Keys and indexes are built.</summary>
    Indexing,

    /// <summary>What was appended meanwhile is applied.</summary>
    CatchingUp,

    /// <summary>New and living rows are compared.</summary>
    Comparing,
    Switching,
    Done,
}

/// <summary>How far a rebuild came: it ends when <see cref="Position"/> reaches <see cref="Target"/>, which moves while others append.</summary>
public sealed record RebuildProgress(string Name, long Position, long Target)
{
    public RebuildPhase Phase { get; init; }

    /// <summary>Positions per second since this process began; 0 while unknown.</summary>
    public double EventsPerSecond { get; init; }

    /// <summary>Until the target, at this speed; null while unknown.</summary>
    public TimeSpan? Remaining => EventsPerSecond > 0 ? TimeSpan.FromSeconds(Math.Max(0, Target - Position) / EventsPerSecond) : null;
}

/// <summary>A rebuild as the database remembers it. <see cref="PreviousVersion"/> is that of the tables kept for a rollback, null when there are none.</summary>
public sealed record RebuildStatus(
    string Name, int Version, RebuildState State, RebuildProgress Progress, DateTimeOffset? StartedAt, DateTimeOffset? UpdatedAt, string? Error,
    int? PreviousVersion);

/// <summary>What <see cref="RebuildDiffersException"/> found in one table: rows on either side that the other does not have.</summary>
public sealed record TableDifference(string Table, long LiveRows, long NewRows, long OnlyLive, long OnlyNew)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Table}: {LiveRows} living rows, {NewRows} new ones; {OnlyLive} only in the living table, {OnlyNew} only in the new one");
}

/// <summary>A rebuild of the same version gave other rows; the living tables still serve and the new ones are kept to look at (their names end with <c>__sx1</c>).</summary>
public sealed class RebuildDiffersException(string name, IReadOnlyList<TableDifference> differences) : EventStoreException(
    $"The rebuilt rows of projection '{name}' differ from the living ones, which go on serving. {string.Join("; ", differences)}.")
{
    public IReadOnlyList<TableDifference> Differences { get; } = differences;
}

/// <summary>Somebody asked the rebuild to end.</summary>
public sealed class RebuildCancelledException(string name) : EventStoreException($"The rebuild of projection '{name}' was cancelled; its tables are unchanged.");

/// <summary>The switch to this version was rolled back; the daemon does not repeat it by itself. Rebuild on purpose, or run the older program.</summary>
public sealed class ProjectionRolledBackException(string name, int version) : EventStoreException(string.Create(
    CultureInfo.InvariantCulture, $"The switch of projection '{name}' to version {version} was rolled back; rebuild it on purpose to switch again."));
