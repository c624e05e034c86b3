using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>What differs between installations.</summary>
public sealed record PostgresEventStoreOptions
{
    /// <summary>Whose tables these are: Marten 9's, or Marten 8's for a database that an 8.x host opens.</summary>
    public MartenShape Shape { get; init; } = MartenShape.Marten9;

    /// <summary>What identifies a stream. It is decided once, when the tables are created.</summary>
    public StreamIdentity StreamIdentity { get; init; } = StreamIdentity.String;

    /// <summary>Whether the keys of streams and documents hold the tenant. Without tenants all streams are those of <c>*DEFAULT*</c>. Decided when the tables are created.</summary>
    public MartenTenancy Tenancy { get; init; } = MartenTenancy.Conjoined;

    /// <summary>
    /// Archived streams lie in partitions of their own (Marten: <c>UseArchivedStreamPartitioning</c>), and archiving moves rows. Decided when the tables are created.
    /// An archive or its opening waits for the appends that are under way, at most <see cref="AppendLockTimeout"/>, and those that come wait for it.
    /// </summary>
    public bool ArchivePartitions { get; init; }

    /// <summary>The id of a stream is never given twice, even after its rows are gone (Marten: <c>EnableStrictStreamIdentityEnforcement</c>).</summary>
    public bool StrictStreamIdentity { get; init; }

    /// <summary>
    /// Which optional columns <c>mt_events</c> has (Marten: <c>Events.MetadataConfig</c>). Metadata without a column is refused with <see cref="EventDataRejectedException"/>;
    /// what another program writes there is read. Without <see cref="MetadataColumns.Headers"/> there is no time of occurrence either.
    /// </summary>
    public MetadataColumns Metadata { get; init; } = MetadataColumns.All;

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

    /// <summary>
    /// Signs the orders of truncations and moves into files, so that a verification tells them from records that somebody else wrote; the notary's key, or
    /// one that it knows. Null: removals have no order.
    /// </summary>
    public AuditKey? OrderKey { get; init; }

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

    /// <summary>
    /// How long an append may wait for room and for its turn before it is refused with <see cref="EventStoreBusyException"/>;
    /// with <see cref="StreamLockedException"/> where somebody in this process keeps its stream.
    /// </summary>
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

/// <summary>Whether a database holds tenants side by side.</summary>
public enum MartenTenancy
{
    /// <summary>The tenant is part of every key.</summary>
    Conjoined,

    /// <summary>No tenants; what Marten does when it is told nothing.</summary>
    Single,
}

/// <summary>The optional columns of <c>mt_events</c>.</summary>
[Flags]
public enum MetadataColumns
{
    None = 0,
    CorrelationId = 1,
    CausationId = 2,
    Headers = 4,
    UserName = 8,
    All = CorrelationId | CausationId | Headers | UserName,
}

/// <summary>The type of stream ids in the tables. In the API they are text either way.</summary>
public enum StreamIdentity
{
    /// <summary>Any text up to <see cref="EventStoreLimits.MaxStreamIdLength"/>.</summary>
    String,

    /// <summary>A guid in its canonical text: lower case, with hyphens.</summary>
    Guid,
}
