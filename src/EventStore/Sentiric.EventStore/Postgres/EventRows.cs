using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Rows of <c>mt_events</c> as <see cref="RecordedEvent"/>. The row has <see cref="EventTables.EventColumns"/>. One instance reads one page: names that repeat in it are one text.</summary>
internal sealed class EventRows(NpgsqlDataReader row)
{
    /// <summary>The type of what a Marten host writes over the numbers of an append that failed.</summary>
    public const string Tombstone = "tombstone";

    private readonly Dictionary<string, (string Name, int Version)> _types = new(StringComparer.Ordinal);
    private readonly RowBytes _bytes = new(row);
    private RepeatedText _tenant;
    private RepeatedText _type;
    private int _version;
    private string _stream = "";

    /// <param name="each">Done with every event as it comes: the server goes on meanwhile.</param>
    public static async ValueTask<List<RecordedEvent>> ReadPageAsync(NpgsqlDataReader row, Action<RecordedEvent>? each, CancellationToken ct)
    {
        var rows = new EventRows(row);
        var page = new List<RecordedEvent>();
        while (await row.ReadAsync(ct).ConfigureAwait(false))
        {
            var recorded = rows.Read();
            each?.Invoke(recorded);
            page.Add(recorded);
        }
        return page;
    }

    // In the order of the columns: each is found from the one before.
    public RecordedEvent Read()
    {
        var position = row.GetInt64(0);
        var tenant = _bytes.Text(1, ref _tenant, out _);
        var stream = Same(ref _stream, row.GetString(2));
        var (version, id) = (row.GetInt64(3), row.GetGuid(4));
        var type = _bytes.Text(5, ref _type, out var isOther);
        if (isOther) (_type.Text, _version) = Known(type);
        var recordedAt = new DateTimeOffset(row.GetDateTime(6), TimeSpan.Zero);
        var json = _bytes.Json(7).ToArray();
        var (correlation, causation, actor, headers, isBinary) = (Text(8), Text(9), Text(10), Text(11), !row.IsDBNull(12));
        var recorded = correlation is null && causation is null && actor is null && headers is null
            ? new RecordedEvent(position, tenant, stream, version, id, _type.Text, _version, recordedAt, json, EventMetadata.None)
            : new RecordedEvent(
                position, tenant, stream, version, id, _type.Text, _version, recordedAt, json, new StoredMetadata(correlation, causation, actor, headers));
        return isBinary ? recorded with { Binary = row.GetFieldValue<byte[]>(12) } : recorded;
    }

    private string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private (string Name, int Version) Known(string name)
    {
        if (_types.TryGetValue(name, out var known)) return known;
        return _types[name] = (name, StoredName.Parse(name).Version);
    }

    /// <summary>The text of the row before, when it is the same: a page held in memory then holds it once.</summary>
    private static string Same(ref string before, string now)
    {
        if (!string.Equals(before, now, StringComparison.Ordinal)) before = now;
        return before;
    }
}
