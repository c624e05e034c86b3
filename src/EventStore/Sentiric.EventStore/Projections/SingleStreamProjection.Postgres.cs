namespace Sentiric.EventStore;

public abstract partial class SingleStreamProjection<TDoc> : IStreamDocument, IShapedProjection, IStreamRows
{
    private DocumentRows<TDoc>? _rows;

    private DocumentRows<TDoc> Rows => _rows ??= new DocumentRows<TDoc>(Tables[0], Json, tables => tables.StreamIdSqlType);

    /// <summary>For Marten 9 and text stream ids; a store of another shape asks for its own.</summary>
    public string SchemaSql(string suffix) => DocumentTable.Sql(Tables[0], suffix, EventTables.Default);

    string IShapedProjection.SchemaSql(string suffix, EventTables tables) => DocumentTable.Sql(Tables[0], suffix, tables);

    /// <summary>Loads the documents that the batch touches, folds, and writes each changed one once.</summary>
    public async ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
    {
        var wanted = batch.Where(e => Wants(e.EventType)).ToList();
        if (wanted.Count == 0) return;
        // Before a stream's first event it can have no document.
        var absent = wanted.Where(e => e.Version == 1).Select(KeyOf).ToHashSet();
        var documents = await Rows.LoadAsync(writer, wanted.Select(KeyOf), absent, ct).ConfigureAwait(false);
        foreach (var recorded in wanted)
        {
            var slot = documents[KeyOf(recorded)];
            if (recorded.Version <= slot.Version) continue;
            slot.Become(Evolve(slot.Document, recorded, writer.Serializer.Deserialize(recorded)), recorded.Version, recorded.RecordedAt);
        }
        Rows.Save(writer, documents);
    }

    void IStreamDocument.ReplaceStream(IProjectionWriter writer, StreamAddress address, IReadOnlyList<RecordedEvent> events)
    {
        // A deleted stream has no document; one event behind its deletion makes a new one.
        var slot = new DocumentRows<TDoc>.Slot();
        slot.Become(null, 0, DateTimeOffset.MinValue);
        foreach (var recorded in events.Where(e => Wants(e.EventType)))
            slot.Become(Evolve(slot.Document, recorded, writer.Serializer.Deserialize(recorded)), recorded.Version, recorded.RecordedAt);
        Rows.Save(writer, new Dictionary<DocumentKey, DocumentRows<TDoc>.Slot> { [new DocumentKey(address.Tenant, address.StreamId)] = slot });
    }

    public void DeleteStream(IProjectionWriter writer, string tenant, string streamId)
    {
        if (DocumentRows<TDoc>.HasTenants(writer)) writer.Execute($"delete from {writer.Table(Tables[0])} where tenant_id = $1 and id::text = $2", tenant, streamId);
        else writer.Execute($"delete from {writer.Table(Tables[0])} where id::text = $1", streamId);
    }

    private static DocumentKey KeyOf(RecordedEvent recorded) => new(recorded.Tenant, recorded.StreamId);
}
