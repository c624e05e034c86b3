using System.Text.Json.Serialization.Metadata;

namespace Sentiric.EventStore;

/// <summary>
/// One document per stream, folded from its events. In PostgreSQL it lives in Marten's table of that document (<c>mt_doc_x</c>),
/// whose <c>mt_version</c> is the stream version it was built to; in tests in <see cref="InMemoryDocuments{TDoc}"/>.
/// </summary>
public abstract partial class SingleStreamProjection<TDoc>(string name, JsonTypeInfo<TDoc> json) : ITableProjection
    where TDoc : class
{
    public string Name { get; } = name;

    public virtual int Version => 1;

    public IReadOnlyList<string> Tables { get; } = [DocumentTable.NameOf(name)];

    internal JsonTypeInfo<TDoc> Json { get; } = json;

    /// <summary>The stored names of the events that concern the document; null where only <see cref="Wants"/> says it.</summary>
    public virtual IReadOnlyCollection<string>? EventTypes => null;

    /// <summary>Whether this kind of event concerns the document at all; events of other types are not decoded. Says what <see cref="EventTypes"/> says.</summary>
    public virtual bool Wants(string eventType) => EventTypes?.Contains(eventType) ?? true;

    /// <summary>The document after the event; null deletes it. <paramref name="document"/> is null before the first event.</summary>
    public abstract TDoc? Evolve(TDoc? document, RecordedEvent recorded, object @event);
}
