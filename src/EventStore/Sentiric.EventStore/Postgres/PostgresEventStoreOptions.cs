namespace Sentiric.EventStore;

/// <summary>What differs between installations.</summary>
public sealed record PostgresEventStoreOptions
{
    /// <summary>Whose tables these are: Marten 9's, or Marten 8's for a database that an 8.x host opens.</summary>
    public MartenShape Shape { get; init; } = MartenShape.Marten9;

    /// <summary>What identifies a stream. It is decided once, when the tables are created.</summary>
    public StreamIdentity StreamIdentity { get; init; } = StreamIdentity.String;

    /// <summary>
    /// The schema of all tables, created when missing: lower-case letters, digits, underscores. The connections must have it as their search path
    /// (<see cref="PostgresSchema.ConnectionString"/>). Null: whatever schema is the current one of the connections.
    /// </summary>
    public string? Schema { get; init; }

    /// <summary>
    /// Where <see cref="StreamFiles"/> puts streams: then they are read from there. Without it, reading such a stream throws <see cref="StreamInFileException"/>.
    /// A file is searched from its start, so this is for looking something up, not for work.
    /// </summary>
    public string? ArchiveFolder { get; init; }

    /// <summary>A Marten host appends to the same database: holes in the order wait for <see cref="ForeignStaleThreshold"/> before they count as dead.</summary>
    public bool ForeignWriters { get; init; }

    public TimeSpan ForeignStaleThreshold { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Seals personal members and opens them again; null: everything is stored as it is.</summary>
    public IPayloadProtection? Protection { get; init; }

    /// <summary>Look for other processes' events at least this often while waiting, in case a wake-up was lost.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>While a number is missing that may still come, look this often.</summary>
    public TimeSpan HoleInterval { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Written in the transaction of each append; one that fails refuses the append with <see cref="InlineProjectionException"/>.
    /// Their tables are made by <see cref="PostgresEventStore.EnsureSchemaAsync"/>. Do not give them to a <see cref="ProjectionDaemon"/> as well.
    /// </summary>
    public IReadOnlyList<ITableProjection> InlineProjections { get; init; } = [];

    /// <summary>Connections that append at once, 1 to 16. The first serves all that comes singly; further ones open only while many events wait.</summary>
    public int MaxAppendLanes { get; init; } = 3;

    /// <summary>Appends that may wait for their turn, 1 to 1,000,000; beyond it the writers wait for room.</summary>
    public int MaxWaitingAppends { get; init; } = 4_096;

    /// <summary>How long an append may wait for room and for its turn before it is refused with <see cref="EventStoreBusyException"/>.</summary>
    public TimeSpan MaxAppendWait { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the database may take for one statement of an append, whole seconds; then it is cancelled.</summary>
    public TimeSpan AppendTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an append waits for the row of a stream that somebody else has locked; then it is refused with <see cref="StreamLockedException"/>.</summary>
    public TimeSpan AppendLockTimeout { get; init; } = TimeSpan.FromSeconds(2);

    internal PostgresEventStoreOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAppendLanes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxAppendLanes, 16);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxWaitingAppends, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxWaitingAppends, 1_000_000);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(MaxAppendWait, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(AppendTimeout, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfLessThan(AppendLockTimeout, TimeSpan.FromMilliseconds(1));
        return this;
    }
}

/// <summary>The generation of Marten whose tables the store uses. The rows mean the same; a few columns and tables differ.</summary>
public enum MartenShape
{
    Marten9,
    Marten8,
}

/// <summary>The type of stream ids in the tables. In the API they are text either way.</summary>
public enum StreamIdentity
{
    /// <summary>Any text up to <see cref="EventStoreLimits.MaxStreamIdLength"/>.</summary>
    String,

    /// <summary>A guid in its canonical text: lower case, with hyphens.</summary>
    Guid,
}
