using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// The rows of an event depend on its stream alone: no other stream's events touch them and their order across streams does not matter.
/// A rebuild then applies streams side by side, each stream's events in order.
/// </summary>
public interface IPartitionedProjection : ITableProjection;

/// <summary>A projection whose rows are documents that a rebuild folds in memory, shared out among workers, and copies.</summary>
internal interface IFoldedDocuments
{
    /// <summary>False when something of it has to be written batch by batch.</summary>
    bool CanFold { get; }

    /// <summary>A document is of one stream: it can be finished by reading that stream alone, and an event that cannot be applied concerns no other document.</summary>
    bool IsByStream { get; }

    /// <summary>Events of other types are not even decoded.</summary>
    bool Wants(string eventType);

    /// <summary>Sets the workers that need the event; the same document always belongs to the same one.</summary>
    void Route(RecordedEvent recorded, IEventSerializer serializer, Span<bool> workers);

    /// <summary>The share of one worker.</summary>
    IDocumentFolder NewFolder(IEventSerializer serializer, int worker, int workers);
}

/// <summary>Documents of one worker, and of one thread at a time.</summary>
internal interface IDocumentFolder
{
    int Count { get; }

    /// <summary>About what the documents take in memory, judged by samples of their JSON.</summary>
    long Bytes { get; }

    /// <summary>Folds the event. A throw leaves the document as it was.</summary>
    void Apply(RecordedEvent recorded);

    /// <summary>Copies all documents into an empty range of the table and forgets them.</summary>
    ValueTask CopyAsync(NpgsqlConnection connection, string table, EventTables tables, CancellationToken ct);
}

/// <summary>What documents take in memory, judged by one change in so many: an object takes about three times its JSON, its key and slot some more.</summary>
internal sealed class DocumentWeight
{
    private const int SampleEvery = 128;
    private const int BytesPerJsonByte = 3;
    private const int BytesPerSlot = 250;
    private const double Share = 0.1;

    private long _changes;
    private double _jsonBytes;

    public bool IsDue() => _changes++ % SampleEvery == 0;

    public void Add(int jsonBytes) => _jsonBytes = _jsonBytes == 0 ? jsonBytes : _jsonBytes + (jsonBytes - _jsonBytes) * Share;

    public long Of(int documents) => (long)(documents * (BytesPerSlot + _jsonBytes * BytesPerJsonByte));
}
