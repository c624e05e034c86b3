using System.Runtime.InteropServices;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

public abstract partial class SingleStreamProjection<TDoc> : IFoldedDocuments
{
    bool IFoldedDocuments.CanFold => true;

    bool IFoldedDocuments.IsByStream => true;

    void IFoldedDocuments.Route(RecordedEvent recorded, IEventSerializer serializer, Span<bool> workers) =>
        workers[(int)((uint)HashCode.Combine(recorded.Tenant, recorded.StreamId) % (uint)workers.Length)] = true;

    IDocumentFolder IFoldedDocuments.NewFolder(IEventSerializer serializer, int worker, int workers) => new Folder(this, serializer);

    private sealed class Folder(SingleStreamProjection<TDoc> projection, IEventSerializer serializer) : IDocumentFolder
    {
        private readonly Dictionary<StreamAddress, Held> _documents = [];
        private readonly DocumentWeight _weight = new();

        public int Count => _documents.Count;

        public long Bytes => _weight.Of(Count);

        public void Apply(RecordedEvent recorded)
        {
            var address = new StreamAddress(recorded.Tenant, recorded.StreamId);
            // The object of the event is nobody else's: keeping it with the event would only hold memory.
            var data = recorded.Decode(serializer);
            ref var held = ref CollectionsMarshal.GetValueRefOrNullRef(_documents, address);
            var isNew = System.Runtime.CompilerServices.Unsafe.IsNullRef(ref held);
            var next = projection.Evolve(isNew ? null : held.Document, recorded, data);
            var now = new Held(next, recorded.Version, recorded.RecordedAt);
            if (isNew) _documents.Add(address, now);
            else held = now;
            if (next is not null && _weight.IsDue()) _weight.Add(JsonSerializer.SerializeToUtf8Bytes(next, projection.Json).Length);
        }

        public async ValueTask CopyAsync(NpgsqlConnection connection, string table, EventTables tables, CancellationToken ct)
        {
            var isLong = tables.RevisionSqlType == "bigint";
            var type = typeof(TDoc).FullName ?? "";
            await using var rows = await connection.BeginBinaryImportAsync(DocumentTable.CopySql(table, tables), ct).ConfigureAwait(false);
            foreach (var (address, held) in _documents)
            {
                if (held.Document is null) continue;
                await rows.StartRowAsync(ct).ConfigureAwait(false);
                if (tables.IsConjoined) await rows.WriteAsync(address.Tenant, NpgsqlDbType.Varchar, ct).ConfigureAwait(false);
                await rows.WriteAsync(tables.StreamId(address.StreamId), tables.StreamIdDbType, ct).ConfigureAwait(false);
                await rows.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(held.Document, projection.Json), NpgsqlDbType.Jsonb, ct).ConfigureAwait(false);
                await rows.WriteAsync(held.ChangedAt.UtcDateTime, NpgsqlDbType.TimestampTz, ct).ConfigureAwait(false);
                await rows.WriteAsync(type, NpgsqlDbType.Varchar, ct).ConfigureAwait(false);
                if (isLong) await rows.WriteAsync(held.Version, NpgsqlDbType.Bigint, ct).ConfigureAwait(false);
                else await rows.WriteAsync((int)held.Version, NpgsqlDbType.Integer, ct).ConfigureAwait(false);
            }
            await rows.CompleteAsync(ct).ConfigureAwait(false);
            _documents.Clear();
        }

        private readonly record struct Held(TDoc? Document, long Version, DateTimeOffset ChangedAt);
    }
}
