using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Rows of <c>mt_events</c> as <see cref="RecordedEvent"/>. The row has <see cref="EventTables.EventColumns"/>. One instance reads one page: names that repeat in it are one text.</summary>
internal sealed class EventRows(NpgsqlDataReader row)
{
    private readonly Dictionary<string, (string Name, int Version)> _types = new(StringComparer.Ordinal);
    private string _tenant = "";
    private string _stream = "";

    public static async ValueTask<List<RecordedEvent>> ReadPageAsync(NpgsqlDataReader row, CancellationToken ct)
    {
        var rows = new EventRows(row);
        var page = new List<RecordedEvent>();
        while (await row.ReadAsync(ct).ConfigureAwait(false)) page.Add(rows.Read());
        return page;
    }

    private RecordedEvent Read()
    {
        var type = Type(row.GetString(5));
        var (correlation, causation, actor, headers) = (Text(8), Text(9), Text(10), Text(11));
        var (tenant, stream) = (Same(ref _tenant, row.GetString(1)), Same(ref _stream, row.GetString(2)));
        var recordedAt = new DateTimeOffset(row.GetDateTime(6), TimeSpan.Zero);
        if (!row.IsDBNull(12))
        {
            return new RecordedEvent(
                row.GetInt64(0), tenant, stream, row.GetInt64(3), row.GetGuid(4), type.Name, type.Version, recordedAt, row.GetFieldValue<byte[]>(7),
                new StoredMetadata(correlation, causation, actor, headers))
            { Binary = row.GetFieldValue<byte[]>(12) };
        }
        return correlation is null && causation is null && actor is null && headers is null
            ? new RecordedEvent(
                row.GetInt64(0), tenant, stream, row.GetInt64(3), row.GetGuid(4), type.Name, type.Version, recordedAt, row.GetFieldValue<byte[]>(7), EventMetadata.None)
            : new RecordedEvent(
                row.GetInt64(0), tenant, stream, row.GetInt64(3), row.GetGuid(4), type.Name, type.Version, recordedAt, row.GetFieldValue<byte[]>(7),
                new StoredMetadata(correlation, causation, actor, headers));
    }

    private string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private (string Name, int Version) Type(string name)
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
