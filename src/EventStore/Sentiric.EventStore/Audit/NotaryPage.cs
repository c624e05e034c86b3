using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>Events that are signed in one transaction, up to 16 blocks of them: their entries, without ordinals yet, and whose they are.</summary>
internal sealed class NotaryPage
{
    public const int BlockSize = 1_024;
    private const int MaxBlocks = 16;

    private const int FirstCapacity = 64;

    private byte[] _entries = new byte[FirstCapacity * AuditEntries.Bytes];
    private (DirectoryStream? Known, string Tenant, string StreamId)[] _streams = new (DirectoryStream?, string, string)[FirstCapacity];

    public int Count { get; private set; }

    /// <summary>Null when there are no more events.</summary>
    public static async ValueTask<NotaryPage?> ReadAsync(EventTuples tuples, StreamDirectory directory, CancellationToken ct)
    {
        NotaryPage? page = null;
        while ((page is null || page.Count < MaxBlocks * BlockSize) && await tuples.ReadAsync(ct).ConfigureAwait(false))
        {
            page ??= new NotaryPage();
            page.Add(tuples, directory);
        }
        return page;
    }

    public Span<byte> Entry(int index) => _entries.AsSpan(index * AuditEntries.Bytes, AuditEntries.Bytes);

    public ReadOnlySpan<byte> Entries(int from, int count) => _entries.AsSpan(from * AuditEntries.Bytes, count * AuditEntries.Bytes);

    public DirectoryStream Stream(int index) => _streams[index].Known ?? throw new InvalidOperationException("The streams of this page were not placed.");

    /// <summary>Streams that were not in the directory's memory when the page was read.</summary>
    public IReadOnlyCollection<(string Tenant, string StreamId)> Unplaced() =>
        _streams.Take(Count).Where(s => s.Known is null).Select(s => (s.Tenant, s.StreamId)).Distinct().ToList();

    /// <summary>Gives every event its stream; a stream that the directory does not have yet gets the next place.</summary>
    public void Place(StreamDirectory directory)
    {
        for (var i = 0; i < Count; i++)
        {
            var (known, tenant, streamId) = _streams[i];
            known ??= directory.Find(tenant, streamId) ?? directory.Add(tenant, streamId);
            _streams[i].Known = known;
            AuditEntries.SetOrdinal(Entry(i), known.Ordinal);
        }
    }

    private void Add(EventTuples tuples, StreamDirectory directory)
    {
        if (Count == _streams.Length)
        {
            Array.Resize(ref _entries, _entries.Length * 2);
            Array.Resize(ref _streams, _streams.Length * 2);
        }
        AuditEntries.Write(Entry(Count), tuples);
        var known = directory.Find(tuples.Field(1), tuples.Field(2));
        _streams[Count++] = known is null ? (null, tuples.Text(1) ?? "", tuples.Text(2) ?? "") : (known, known.Tenant, known.StreamId);
    }
}
