namespace Sentiric.EventStore;

/// <summary>
/// Copied rows of <c>mt_events</c> as <see cref="RecordedEvent"/>. The row has <see cref="EventTables.CopiedColumns"/>. One instance reads one page: names that
/// repeat in it are one text.
/// </summary>
internal sealed class CopiedEvents(CopyRows row)
{
    private const int FirstOfRare = 8;
    private readonly TypeNames _types = new();
    private RepeatedText _tenant;
    private RepeatedText _type;
    private RepeatedText _stream;
    private int _version;

    /// <param name="each">Done with every event as it comes: the server goes on meanwhile.</param>
    public static async ValueTask<List<RecordedEvent>> ReadPageAsync(CopyRows rows, Action<RecordedEvent>? each, CancellationToken ct)
    {
        var events = new CopiedEvents(rows);
        var page = new List<RecordedEvent>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var recorded = events.Read();
            each?.Invoke(recorded);
            page.Add(recorded);
        }
        return page;
    }

    public RecordedEvent Read()
    {
        if (_type.IsOther(row.Field(5))) (_type.Text, _version) = _types.Known(_type.Text);
        _tenant.IsOther(row.Field(1));
        _stream.IsOther(row.Field(2));
        var recordedAt = new DateTimeOffset(row.Timestamp(6), TimeSpan.Zero);
        var json = row.Json(7).ToArray();
        if (!HasRare())
        {
            return new RecordedEvent(
                row.Int64(0), _tenant.Text, _stream.Text, row.Int64(3), row.Guid(4), _type.Text, _version, recordedAt, json, EventMetadata.None);
        }
        var stored = new RecordedEvent(
            row.Int64(0), _tenant.Text, _stream.Text, row.Int64(3), row.Guid(4), _type.Text, _version, recordedAt, json,
            new StoredMetadata(row.Text(8), row.Text(9), row.Text(10), row.Text(11)));
        return row.IsNull(12) ? stored : stored with { Binary = row.Field(12).ToArray() };
    }

    private bool HasRare()
    {
        for (var field = FirstOfRare; field < EventTables.CopiedFields; field++)
        {
            if (!row.IsNull(field)) return true;
        }
        return false;
    }
}

/// <summary>Stored names and the versions in them, taken apart once.</summary>
internal sealed class TypeNames
{
    private readonly Dictionary<string, (string Name, int Version)> _known = new(StringComparer.Ordinal);

    public (string Name, int Version) Known(string name)
    {
        if (_known.TryGetValue(name, out var known)) return known;
        return _known[name] = (name, StoredName.Parse(name).Version);
    }
}
