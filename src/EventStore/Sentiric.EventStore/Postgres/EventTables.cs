using System.Globalization;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// What differs between the shapes of the tables: Marten's generation and the type of stream ids. The text of statements is the same for all;
/// what a statement needs is asked here.
/// <code>
///   command.Parameters.Add(new() { NpgsqlDbType = tables.StreamIdDbType, Value = tables.StreamId(address.StreamId) })    varchar or uuid
///   $"select {tables.EventColumns} from mt_events ..."                                                                   read with EventRows
/// </code>
/// Schemas are the connection's matter: unqualified names meet the first schema of its search path.
/// </summary>
internal sealed class EventTables(MartenShape shape = MartenShape.Marten9, StreamIdentity identity = StreamIdentity.String)
{
    public static EventTables Default { get; } = new();

    public MartenShape Shape => shape;

    public StreamIdentity Identity => identity;

    /// <summary>Only Marten 9 stores binary payloads beside the JSON.</summary>
    public bool HasBinaryData => shape == MartenShape.Marten9;

    /// <summary>Only Marten 9 writes down which numbers were skipped.</summary>
    public bool HasHighWaterSkips => shape == MartenShape.Marten9;

    /// <summary>The SQL type of <c>mt_streams.id</c>, <c>mt_events.stream_id</c> and the ids of single-stream documents.</summary>
    public string StreamIdSqlType => identity == StreamIdentity.Guid ? "uuid" : "varchar";

    /// <summary>The SQL type of <c>mt_version</c> in documents.</summary>
    public string RevisionSqlType => shape == MartenShape.Marten9 ? "bigint" : "integer";

    public NpgsqlDbType StreamIdDbType => identity == StreamIdentity.Guid ? NpgsqlDbType.Uuid : NpgsqlDbType.Varchar;

    /// <summary>The columns that <see cref="EventRows.Read"/> expects, in its order: whether there is any of the last five stands before them, so that most rows are done there.</summary>
    public string EventColumns { get; } =
        $"seq_id, tenant_id, {AsText("stream_id", identity)}, version, id, type, timestamp, data, "
        + "(correlation_id is not null or causation_id is not null or user_name is not null or headers is not null"
        + (shape == MartenShape.Marten9 ? " or bdata is not null" : "")
        + "), correlation_id, causation_id, user_name, headers::text, "
        + (shape == MartenShape.Marten9 ? "bdata" : "null::bytea");

    /// <summary>A stream id as the column holds it. The address was checked by <see cref="Address"/>.</summary>
    public object StreamId(string streamId) => identity == StreamIdentity.Guid ? Guid.ParseExact(streamId, "D") : streamId;

    /// <summary>Several, for a parameter of type array of <see cref="StreamIdDbType"/>.</summary>
    public Array StreamIds(IReadOnlyCollection<string> streamIds) =>
        identity == StreamIdentity.Guid ? streamIds.Select(id => Guid.ParseExact(id, "D")).ToArray() : streamIds.ToArray();

    /// <summary>A stream id column as the text of the API.</summary>
    public string AsText(string column) => AsText(column, identity);

    /// <summary>Checks both names; with guid streams anything but the canonical text throws <see cref="InvalidStreamIdException"/>.</summary>
    public StreamAddress Address(string tenant, string streamId)
    {
        var address = StreamAddress.Of(tenant, streamId);
        if (identity == StreamIdentity.Guid) EnsureCanonical(streamId);
        return address;
    }

    public static EventTables Of(PostgresEventStoreOptions? options) => options is null ? Default : new EventTables(options.Shape, options.StreamIdentity);

    /// <summary>The tables that a store works on; the default ones for a store that does not say.</summary>
    public static EventTables Of(IEventStore store) => store is IOnPostgres known ? known.Tables : Default;

    private static string AsText(string column, StreamIdentity identity) => identity == StreamIdentity.Guid ? column + "::text" : column;

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
