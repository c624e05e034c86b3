using System.Text.Json.Serialization.Metadata;

namespace Sentiric.EventStore;

/// <summary>
/// One document per key, folded from events of many streams in the order of their positions: a day's calls, a number's history.
/// It lives in Marten's table of that document (<c>mt_doc_x</c>), whose <c>mt_version</c> is the position of the last event applied.
/// Documents are kept per tenant. Further tables (<see cref="SideTables"/>) are written with the documents.
/// </summary>
public abstract partial class MultiStreamProjection<TDoc> : ITableProjection, IShapedProjection
    where TDoc : class
{
    private readonly DocumentRows<TDoc> _rows;
    private readonly string _table;
    private IReadOnlyList<string>? _tables;

    protected MultiStreamProjection(string name, JsonTypeInfo<TDoc> json)
    {
        (Name, Json, _table) = (name, json, DocumentTable.NameOf(name));
        _rows = new DocumentRows<TDoc>(_table, json, _ => "varchar");
    }

    public string Name { get; }

    public virtual int Version => 1;

    public IReadOnlyList<string> Tables => _tables ??= [_table, .. SideTables];

    /// <summary>Tables beside the documents' own, as <see cref="SideSchemaSql"/> creates them.</summary>
    protected virtual IReadOnlyList<string> SideTables => [];

    /// <summary>The same rules as for <see cref="ITableProjection.SchemaSql"/>.</summary>
    protected virtual string SideSchemaSql(string suffix) => "";

    public virtual IReadOnlyCollection<string>? EventTypes => null;

    internal JsonTypeInfo<TDoc> Json { get; }

    /// <summary>The keys of the documents that the event concerns; none when it concerns no document.</summary>
    public abstract IEnumerable<string> KeysOf(RecordedEvent recorded, object @event);

    /// <summary>The document after the event; null deletes it. <paramref name="document"/> is null before the first event.</summary>
    public abstract TDoc? Evolve(string key, TDoc? document, RecordedEvent recorded, object @event);

    /// <summary>Called for every event in order, for what goes into <see cref="SideTables"/>.</summary>
    protected virtual void WriteAside(IProjectionWriter writer, RecordedEvent recorded, object @event)
    {
    }

    // Keys are texts whatever the streams are called by; positions outgrow Marten 8's integer, so the version is a bigint in every shape.
    public string SchemaSql(string suffix) => Schema(suffix, EventTables.Default);

    string IShapedProjection.SchemaSql(string suffix, EventTables tables) => Schema(suffix, tables);

    private string Schema(string suffix, EventTables tables) => DocumentTable.Sql(_table, suffix, "varchar", "bigint", tables) + "\n" + SideSchemaSql(suffix);

    public async ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
    {
        var facts = new List<(RecordedEvent Recorded, object Event, IReadOnlyList<string> Keys)>(batch.Count);
        foreach (var recorded in batch)
        {
            if (EventTypes is { } wanted && !wanted.Contains(recorded.EventType)) continue;
            var fact = writer.Serializer.Deserialize(recorded);
            facts.Add((recorded, fact, [.. KeysOf(recorded, fact)]));
        }
        var keys = facts.SelectMany(f => f.Keys.Select(key => new DocumentKey(f.Recorded.Tenant, key)));
        var documents = await _rows.LoadAsync(writer, keys, new HashSet<DocumentKey>(), ct).ConfigureAwait(false);
        var isLate = writer is ProjectionWriter { IsLate: true };
        foreach (var (recorded, fact, concerned) in facts)
        {
            foreach (var key in concerned) Fold(documents[new DocumentKey(recorded.Tenant, key)], key, recorded, fact, isLate);
            WriteAside(writer, recorded, fact);
        }
        _rows.Save(writer, documents);
    }

    private void Fold(DocumentRows<TDoc>.Slot slot, string key, RecordedEvent recorded, object fact, bool isLate)
    {
        if (recorded.Position <= slot.Version && !isLate) return;
        slot.Become(Evolve(key, slot.Document, recorded, fact), Math.Max(slot.Version, recorded.Position), recorded.RecordedAt);
    }
}

/// <summary>
/// Rows of own tables, event by event: the shortest way to a read model that is neither one document per stream nor per key.
/// What <see cref="Apply"/> queues goes to the database with the whole batch.
/// </summary>
public abstract class EventProjection : ITableProjection
{
    /// <summary>The class's name, as Marten has it.</summary>
    public virtual string Name => GetType().Name;

    public virtual int Version => 1;

    public abstract IReadOnlyList<string> Tables { get; }

    public virtual IReadOnlyCollection<string>? EventTypes => null;

    public abstract string SchemaSql(string suffix);

    public abstract void Apply(IProjectionWriter writer, RecordedEvent recorded, object @event);

    public ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
    {
        foreach (var recorded in batch)
        {
            if (EventTypes is { } wanted && !wanted.Contains(recorded.EventType)) continue;
            Apply(writer, recorded, writer.Serializer.Deserialize(recorded));
        }
        return ValueTask.CompletedTask;
    }
}
