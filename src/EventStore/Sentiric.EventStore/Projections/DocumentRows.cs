using System.Data.Common;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Sentiric.EventStore;

/// <summary>
/// Documents of one kind in their table: loaded once per batch where the owner does not know them already, written once per batch.
/// A document is what its JSON says: members that are not written are gone after the next start.
/// </summary>
internal sealed class DocumentRows<TDoc>(string table, JsonTypeInfo<TDoc> json, Func<EventTables, string> idTypeOf)
    where TDoc : class
{
    private readonly string _dotnetType = typeof(TDoc).FullName ?? typeof(TDoc).Name;

    /// <summary>The documents with these keys; empty slots for those that do not exist. <paramref name="absent"/> says of which that is known beforehand.</summary>
    public async ValueTask<Dictionary<DocumentKey, Slot>> LoadAsync(
        IProjectionWriter writer, IEnumerable<DocumentKey> keys, IReadOnlySet<DocumentKey> absent, CancellationToken ct)
    {
        var cache = (writer as ProjectionWriter)?.Session?.Documents;
        var slots = new Dictionary<DocumentKey, Slot>();
        var unknown = new List<DocumentKey>();
        foreach (var key in keys)
        {
            ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(slots, key, out var isThere);
            if (isThere) continue;
            slot = cache is not null && cache.TryGet(key, out var known) ? Slot.Of((TDoc?)known.Document, known.Version) : new Slot();
            if (!slot.IsKnown && !absent.Contains(key)) unknown.Add(key);
        }
        if (unknown.Count > 0)
        {
            foreach (var (key, slot) in await ReadAsync(writer, unknown, ct).ConfigureAwait(false)) slots[key] = slot;
        }
        return slots;
    }

    /// <summary>Queues one statement for what changed and one for what is gone.</summary>
    public void Save(IProjectionWriter writer, IReadOnlyDictionary<DocumentKey, Slot> documents)
    {
        var cache = (writer as ProjectionWriter)?.Session?.Documents;
        var kept = new Columns();
        var gone = new List<DocumentKey>();
        foreach (var (key, slot) in documents)
        {
            if (!slot.Touched) continue;
            var text = slot.Document is { } document ? JsonSerializer.Serialize(document, json) : null;
            if (text is null) gone.Add(key);
            else kept.Add(key, text, slot);
            cache?.Put(key, new CachedDocument(slot.Document, slot.Version), text?.Length ?? 0);
        }
        if (kept.Count > 0) Upsert(writer, kept);
        if (gone.Count > 0) Delete(writer, gone);
    }

    private async ValueTask<IReadOnlyList<(DocumentKey Key, Slot Slot)>> ReadAsync(IProjectionWriter writer, List<DocumentKey> keys, CancellationToken ct)
    {
        var sql = $"""
            select k.tenant_id, d.id::text, d.data::text, d.mt_version::bigint
            from unnest($1::text[], $2::text[]::{IdType(writer)}[]) as k(tenant_id, id)
            join {writer.Table(table)} d on {SameTenant(writer)}d.id = k.id
            """;
        object[] values = [keys.Select(k => k.Tenant).ToArray(), keys.Select(k => k.Id).ToArray()];
        return writer is ProjectionWriter { Session: not null } owner
            ? await owner.ReadAsync(sql, ReadRow, ct, values).ConfigureAwait(false)
            : await writer.QueryAsync(sql, ReadRow, ct, values).ConfigureAwait(false);
    }

    private (DocumentKey, Slot) ReadRow(DbDataReader row) =>
        (new DocumentKey(row.GetString(0), row.GetString(1)), Slot.Of(JsonSerializer.Deserialize(row.GetString(2), json), row.GetInt64(3)));

    private void Upsert(IProjectionWriter writer, Columns rows) => writer.Execute(
        $"""
        insert into {writer.Table(table)} as d ({Tenant(writer, "tenant_id, ")}id, data, mt_last_modified, mt_dotnet_type, mt_version)
        select {Tenant(writer, "k.tenant_id, ")}k.id, k.data::jsonb, k.changed, $5, k.version
        from unnest($1::text[], $2::text[]::{IdType(writer)}[], $3::text[], $4::timestamptz[], $6::bigint[]) as k(tenant_id, id, data, changed, version)
        on conflict ({Tenant(writer, "tenant_id, ")}id) do update
        set data = excluded.data, mt_last_modified = excluded.mt_last_modified,
            mt_dotnet_type = excluded.mt_dotnet_type, mt_version = excluded.mt_version
        """,
        rows.Tenants.ToArray(), rows.Ids.ToArray(), rows.Texts.ToArray(), rows.ChangedAt.ToArray(), _dotnetType, rows.Versions.ToArray());

    private void Delete(IProjectionWriter writer, List<DocumentKey> keys) => writer.Execute(
        $"delete from {writer.Table(table)} d using unnest($1::text[], $2::text[]::{IdType(writer)}[]) as k(tenant_id, id) where {SameTenant(writer)}d.id = k.id",
        keys.Select(k => k.Tenant).ToArray(), keys.Select(k => k.Id).ToArray());

    private string IdType(IProjectionWriter writer) => idTypeOf(TablesOf(writer));

    /// <summary>Without tenants the documents have no such column.</summary>
    public static bool HasTenants(IProjectionWriter writer) => TablesOf(writer).IsConjoined;

    private static string Tenant(IProjectionWriter writer, string sql) => HasTenants(writer) ? sql : "";

    private static string SameTenant(IProjectionWriter writer) => Tenant(writer, "d.tenant_id = k.tenant_id and ");

    private static EventTables TablesOf(IProjectionWriter writer) => (writer as ProjectionWriter)?.Tables ?? EventTables.Default;

    /// <summary>A document while a batch is folded into it. Null: there is none.</summary>
    internal sealed class Slot
    {
        public TDoc? Document { get; private set; }

        /// <summary>The stream version or the position that it was folded to.</summary>
        public long Version { get; private set; }
        public DateTimeOffset ChangedAt { get; private set; }
        public bool Touched { get; private set; }

        public bool IsKnown { get; private init; }

        public static Slot Of(TDoc? document, long version) => new() { Document = document, Version = version, IsKnown = true };

        public void Become(TDoc? document, long version, DateTimeOffset at) =>
            (Document, Version, ChangedAt, Touched) = (document, version, at, true);
    }

    private sealed class Columns
    {
        public List<string> Tenants { get; } = [];
        public List<string> Ids { get; } = [];
        public List<string> Texts { get; } = [];
        public List<DateTime> ChangedAt { get; } = [];
        public List<long> Versions { get; } = [];
        public int Count => Ids.Count;

        public void Add(DocumentKey key, string text, Slot slot)
        {
            Tenants.Add(key.Tenant);
            Ids.Add(key.Id);
            Texts.Add(text);
            ChangedAt.Add(slot.ChangedAt.UtcDateTime);
            Versions.Add(slot.Version);
        }
    }
}
