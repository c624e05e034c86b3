using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Rows of <c>mt_events</c> as <see cref="RecordedEvent"/>. The row has <see cref="EventTables.EventColumns"/>. One instance reads one page: names that repeat in it are one text.</summary>
internal sealed class EventRows(NpgsqlDataReader row)
{
    private readonly TypeNames _types = new();
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
        if (isOther) (_type.Text, _version) = _types.Known(type);
        var recordedAt = new DateTimeOffset(row.GetDateTime(6), TimeSpan.Zero);
        var json = _bytes.Json(7).ToArray();
        if (!row.GetBoolean(8))
            return new RecordedEvent(position, tenant, stream, version, id, _type.Text, _version, recordedAt, json, EventMetadata.None);
        var stored = new RecordedEvent(
            position, tenant, stream, version, id, _type.Text, _version, recordedAt, json, new StoredMetadata(Text(9), Text(10), Text(11), Text(12)));
        return row.IsDBNull(13) ? stored : stored with { Binary = row.GetFieldValue<byte[]>(13) };
    }

    private string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);

    /// <summary>The text of the row before, when it is the same: a page held in memory then holds it once.</summary>
    private static string Same(ref string before, string now)
    {
        if (!string.Equals(before, now, StringComparison.Ordinal)) before = now;
        return before;
    }
}
