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
