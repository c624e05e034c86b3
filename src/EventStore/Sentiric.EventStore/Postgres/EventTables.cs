using System.Globalization;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// What differs between the shapes of the tables: Marten's generation, the type of stream ids, tenancy, partitions, optional columns. The text of statements
/// is the same for all; what a statement needs is asked here.
/// <code>
///   command.Parameters.Add(new() { NpgsqlDbType = tables.StreamIdDbType, Value = tables.StreamId(address.StreamId) })    varchar or uuid
///   $"select {tables.EventColumns} from mt_events ..."                                                                   read with EventRows
///   $"... where tenant_id = $1 and stream_id = $2{tables.Living("$1", "$2")}"                                            one stream, not its archived namesake
/// </code>
/// Schemas are the connection's matter: unqualified names meet the first schema of its search path.
/// </summary>
internal sealed class EventTables
{
    /// <summary>The tenant of all rows where there are no tenants.</summary>
    public const string DefaultTenant = "*DEFAULT*";

    private readonly PostgresEventStoreOptions _options;

    private EventTables(PostgresEventStoreOptions options)
    {
        _options = options;
        EventColumns = Selected();
        OptionalColumns = Metadata("correlation_id", "causation_id", "headers", "user_name");
        InsertColumns = $"seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type{OptionalColumns}, is_archived";
    }

    public static EventTables Default { get; } = new(new PostgresEventStoreOptions());

    public MartenShape Shape => _options.Shape;

    public StreamIdentity Identity => _options.StreamIdentity;

    public bool IsConjoined => _options.Tenancy == MartenTenancy.Conjoined;

    /// <summary>Archived rows lie in partitions of their own: the flag is part of every key, and a stream may have a namesake that was archived.</summary>
    public bool IsPartitioned => _options.ArchivePartitions;

    /// <summary>Ids of streams are remembered for ever in <c>mt_streams_identity</c>.</summary>
    public bool IsStrict => _options.StrictStreamIdentity;

    /// <summary>Only Marten 9 stores binary payloads beside the JSON.</summary>
    public bool HasBinaryData => Shape == MartenShape.Marten9;

    /// <summary>Only Marten 9 writes down which numbers were skipped.</summary>
    public bool HasHighWaterSkips => Shape == MartenShape.Marten9;

    /// <summary>The SQL type of <c>mt_streams.id</c>, <c>mt_events.stream_id</c> and the ids of single-stream documents.</summary>
    public string StreamIdSqlType => Identity == StreamIdentity.Guid ? "uuid" : "varchar";

    /// <summary>The SQL type of <c>mt_version</c> in documents.</summary>
    public string RevisionSqlType => Shape == MartenShape.Marten9 ? "bigint" : "integer";

    public NpgsqlDbType StreamIdDbType => Identity == StreamIdentity.Guid ? NpgsqlDbType.Uuid : NpgsqlDbType.Varchar;

    /// <summary>The columns that <see cref="EventRows.Read"/> expects, in its order.</summary>
    public string EventColumns { get; }

    /// <summary>The columns of <c>mt_events</c> that an append writes.</summary>
    public string InsertColumns { get; }

    /// <summary>Those of correlation_id, causation_id, headers and user_name that the table has, each behind a comma.</summary>
    public string OptionalColumns { get; }

    /// <summary>The primary key of <c>mt_streams</c>.</summary>
    public string StreamKey => (IsConjoined ? "tenant_id, id" : "id") + (IsPartitioned ? ", is_archived" : "");

    /// <summary>The values of the optional columns, each behind a comma; those without a column are left out.</summary>
    public string Metadata(string correlation, string causation, string headers, string actor) =>
        (Has(MetadataColumns.CorrelationId) ? ", " + correlation : "") + (Has(MetadataColumns.CausationId) ? ", " + causation : "")
        + (Has(MetadataColumns.Headers) ? ", " + headers : "") + (Has(MetadataColumns.UserName) ? ", " + actor : "");

    /// <summary>There is a column for everything that metadata can say.</summary>
    public bool KeepsAll => _options.Metadata == MetadataColumns.All;

    public bool Has(MetadataColumns column) => (_options.Metadata & column) != 0;

    /// <summary>The column, or null of its type where the table has none.</summary>
    public string Optional(MetadataColumns column)
    {
        if (Has(column)) return NameOf(column);
        return column == MetadataColumns.Headers ? "null::jsonb" : "null::varchar";
    }

    /// <summary>The name of one column.</summary>
    public static string NameOf(MetadataColumns column) => column switch
    {
        MetadataColumns.CorrelationId => "correlation_id",
        MetadataColumns.CausationId => "causation_id",
        MetadataColumns.Headers => "headers",
        MetadataColumns.UserName => "user_name",
        var other => throw new ArgumentException($"'{other}' is not one column."),
    };

    /// <summary>
    /// With partitions: of two streams of one id the one that is not archived; where all are archived, the archived one.
    /// The arguments are SQL, the answer is a condition on <c>is_archived</c> behind "and".
    /// </summary>
    public string Living(string tenant, string stream) => IsPartitioned
        ? $" and is_archived = coalesce((select bool_and(x.is_archived) from mt_streams x where x.tenant_id = {tenant} and x.id = {stream}), false)"
        : "";

    /// <summary>The living one of two rows of <c>mt_streams</c> comes first.</summary>
    public string LivingFirst => IsPartitioned ? " order by is_archived limit 1" : "";

    /// <summary>A row may be made: no archived stream has this id, and none ever had where that counts. The arguments are SQL.</summary>
    public string MayStart(string tenant, string stream)
    {
        if (!IsPartitioned && !IsStrict) return "";
        var remembered = IsStrict
            ? $" and not exists (select from mt_streams_identity i where {(IsConjoined ? $"i.tenant_id = {tenant} and " : "")}i.id = {stream})"
            : "";
        return $"""
             and (exists (select from mt_streams x where x.tenant_id = {tenant} and x.id = {stream} and not x.is_archived)
                  or (not exists (select from mt_streams x where x.tenant_id = {tenant} and x.id = {stream}){remembered}))
            """;
    }

    /// <summary>Writes ids into <c>mt_streams_identity</c> where they are not there yet. The arguments are SQL.</summary>
    public string RememberIdentity(string tenant, string stream, string from) =>
        $"insert into mt_streams_identity ({(IsConjoined ? "tenant_id, " : "")}id) select {(IsConjoined ? tenant + ", " : "")}{stream} from {from} on conflict do nothing";

    /// <summary>A stream id as the column holds it. The address was checked by <see cref="Address"/>.</summary>
    public object StreamId(string streamId) => Identity == StreamIdentity.Guid ? Guid.ParseExact(streamId, "D") : streamId;

    /// <summary>Several, for a parameter of type array of <see cref="StreamIdDbType"/>.</summary>
    public Array StreamIds(IReadOnlyCollection<string> streamIds) =>
        Identity == StreamIdentity.Guid ? streamIds.Select(id => Guid.ParseExact(id, "D")).ToArray() : streamIds.ToArray();

    /// <summary>A stream id column as the text of the API.</summary>
    public string AsText(string column) => Identity == StreamIdentity.Guid ? column + "::text" : column;

    /// <summary>
    /// Checks both names; with guid streams anything but the canonical text throws <see cref="InvalidStreamIdException"/>, and tables without tenants take
    /// <see cref="DefaultTenant"/> alone (<see cref="StreamNameRejectedException"/>).
    /// </summary>
    public StreamAddress Address(string tenant, string streamId)
    {
        var address = StreamAddress.Of(tenant, streamId);
        if (Identity == StreamIdentity.Guid) EnsureCanonical(streamId);
        if (!IsConjoined && tenant != DefaultTenant) throw new StreamNameRejectedException("tenant", $"these tables know no tenants; all streams are those of '{DefaultTenant}'.");
        return address;
    }

    /// <summary>Throws <see cref="EventDataRejectedException"/> for metadata that the tables have no column for: it would be lost without a word.</summary>
    public void EnsureKept(string eventType, EventMetadata metadata)
    {
        if (KeepsAll) return;
        EnsureKept(eventType, MetadataColumns.CorrelationId, metadata.CorrelationId is not null);
        EnsureKept(eventType, MetadataColumns.CausationId, metadata.CausationId is not null);
        EnsureKept(eventType, MetadataColumns.UserName, metadata.Actor is not null);
        EnsureKept(eventType, MetadataColumns.Headers, metadata.OccurredAt is not null || metadata.Headers is { Count: > 0 });
    }

    public static EventTables Of(PostgresEventStoreOptions? options) => options is null ? Default : new EventTables(options);

    /// <summary>The tables that a store works on; the default ones for a store that does not say.</summary>
    public static EventTables Of(IEventStore store) => store is IOnPostgres known ? known.Tables : Default;

    private void EnsureKept(string eventType, MetadataColumns column, bool isGiven)
    {
        if (isGiven && !Has(column))
            throw new EventDataRejectedException(eventType, $"the tables have no column {NameOf(column)} for what its metadata says.");
    }

    // The last five are looked at where they arrive: an expression over them costs the server more than their five lengths.
    private string Selected() =>
        $"seq_id, tenant_id, {AsText("stream_id")}, version, id, type, timestamp, data, "
        + $"{Optional(MetadataColumns.CorrelationId)}, {Optional(MetadataColumns.CausationId)}, {Optional(MetadataColumns.UserName)}, {Optional(MetadataColumns.Headers)}::text, "
        + (HasBinaryData ? "bdata" : "null::bytea");

    // Upper-case digits name the same guid, but what is read back would be another text than what was written.
    private static void EnsureCanonical(string streamId)
    {
        if (!Guid.TryParseExact(streamId, "D", out var id) || !string.Equals(id.ToString("D", CultureInfo.InvariantCulture), streamId, StringComparison.Ordinal))
            throw new InvalidStreamIdException(streamId);
    }
}

/// <summary>A store, or a wrapper of one, that knows its tables.</summary>
internal interface IOnPostgres
{
    EventTables Tables { get; }
}
