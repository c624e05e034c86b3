using System.Data.Common;
using System.Text;
using System.Text.Json;

namespace Sentiric.EventStore;

public abstract partial class SingleStreamProjection<TDoc> : IStreamDocument, IShapedProjection
{
    /// <summary>For Marten 9 and text stream ids; a store of another shape asks for its own.</summary>
    public string SchemaSql(string suffix) => DocumentTable.Sql(Tables[0], suffix, EventTables.Default);

    string IShapedProjection.SchemaSql(string suffix, EventTables tables) => DocumentTable.Sql(Tables[0], suffix, tables);

    /// <summary>Loads the documents that the batch touches, folds, and writes each changed one once.</summary>
    public async ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
    {
        var wanted = batch.Where(e => Wants(e.EventType)).ToList();
        if (wanted.Count == 0) return;
        var documents = await LoadAsync(writer, wanted, ct).ConfigureAwait(false);
        foreach (var recorded in wanted)
        {
            var slot = documents[(recorded.Tenant, recorded.StreamId)];
            if (recorded.Version <= slot.Version) continue;
            slot.Document = Evolve(slot.Document, recorded, writer.Serializer.Deserialize(recorded));
            (slot.Version, slot.ChangedAt, slot.Touched) = (recorded.Version, recorded.RecordedAt, true);
        }
        Save(writer, documents);
    }

    void IStreamDocument.ReplaceStream(IProjectionWriter writer, StreamAddress address, IReadOnlyList<RecordedEvent> events)
    {
        // A deleted stream has no document; one event behind its deletion makes a new one.
        var slot = new Slot { Touched = true };
        foreach (var recorded in events.Where(e => Wants(e.EventType)))
        {
            slot.Document = Evolve(slot.Document, recorded, writer.Serializer.Deserialize(recorded));
            (slot.Version, slot.ChangedAt) = (recorded.Version, recorded.RecordedAt);
        }
        Save(writer, new Dictionary<(string Tenant, string StreamId), Slot> { [(address.Tenant, address.StreamId)] = slot });
    }

    private async ValueTask<Dictionary<(string Tenant, string StreamId), Slot>> LoadAsync(
        IProjectionWriter writer, List<RecordedEvent> wanted, CancellationToken ct)
    {
        var keys = wanted.Select(e => (e.Tenant, e.StreamId)).Distinct().ToArray();
        var slots = keys.ToDictionary(k => k, _ => new Slot());
        var sql = $"""
            select d.tenant_id, d.id::text, d.data::text, d.mt_version::bigint
            from unnest($1::text[], $2::text[]::{IdType(writer)}[]) as k(tenant_id, id)
            join {writer.Table(Tables[0])} d on d.tenant_id = k.tenant_id and d.id = k.id
            """;
        var rows = await writer.QueryAsync(sql, ReadRow, ct, keys.Select(k => k.Tenant).ToArray(), keys.Select(k => k.StreamId).ToArray())
            .ConfigureAwait(false);
        foreach (var row in rows) slots[row.Key] = new Slot { Document = row.Document, Version = row.Version };
        return slots;
    }

    private ((string, string) Key, TDoc? Document, long Version) ReadRow(DbDataReader row) =>
        ((row.GetString(0), row.GetString(1)), JsonSerializer.Deserialize(row.GetString(2), Json), row.GetInt64(3));

    private void Save(IProjectionWriter writer, Dictionary<(string Tenant, string StreamId), Slot> documents)
    {
        var table = writer.Table(Tables[0]);
        var kept = documents.Where(d => d.Value is { Touched: true, Document: not null }).ToArray();
        var gone = documents.Where(d => d.Value is { Touched: true, Document: null }).Select(d => d.Key).ToArray();
        if (kept.Length > 0)
        {
            writer.Execute(
                $"""
                insert into {table} as d (tenant_id, id, data, mt_last_modified, mt_dotnet_type, mt_version)
                select k.tenant_id, k.id, k.data::jsonb, k.changed, $5, k.version
                from unnest($1::text[], $2::text[]::{IdType(writer)}[], $3::text[], $4::timestamptz[], $6::bigint[]) as k(tenant_id, id, data, changed, version)
                on conflict (tenant_id, id) do update
                set data = excluded.data, mt_last_modified = excluded.mt_last_modified,
                    mt_dotnet_type = excluded.mt_dotnet_type, mt_version = excluded.mt_version
                """,
                kept.Select(d => d.Key.Tenant).ToArray(),
                kept.Select(d => d.Key.StreamId).ToArray(),
                kept.Select(d => Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(d.Value.Document!, Json))).ToArray(),
                kept.Select(d => d.Value.ChangedAt.UtcDateTime).ToArray(),
                typeof(TDoc).FullName,
                kept.Select(d => d.Value.Version).ToArray());
        }
        if (gone.Length > 0)
        {
            writer.Execute(
                $"delete from {table} d using unnest($1::text[], $2::text[]::{IdType(writer)}[]) as k(tenant_id, id) where d.tenant_id = k.tenant_id and d.id = k.id",
                gone.Select(k => k.Tenant).ToArray(), gone.Select(k => k.StreamId).ToArray());
        }
    }

    private static string IdType(IProjectionWriter writer) => ((writer as ProjectionWriter)?.Tables ?? EventTables.Default).StreamIdSqlType;

    private sealed class Slot
    {
        public TDoc? Document { get; set; }
        public long Version { get; set; }
        public DateTimeOffset ChangedAt { get; set; }
        public bool Touched { get; set; }
    }
}
