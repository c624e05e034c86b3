using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

public abstract partial class MultiStreamProjection<TDoc> : IFoldedDocuments
{
    // What is written aside needs its tables, batch by batch.
    bool IFoldedDocuments.CanFold => SideTables.Count == 0;

    bool IFoldedDocuments.IsByStream => false;

    bool IFoldedDocuments.Wants(string eventType) => EventTypes is not { } wanted || wanted.Contains(eventType);

    void IFoldedDocuments.Route(RecordedEvent recorded, IEventSerializer serializer, Span<bool> workers)
    {
        foreach (var key in KeysOf(recorded, recorded.Data(serializer))) workers[WorkerOf(recorded.Tenant, key, workers.Length)] = true;
    }

    IDocumentFolder IFoldedDocuments.NewFolder(IEventSerializer serializer, int worker, int workers) => new Folder(this, serializer, worker, workers);

    private static int WorkerOf(string tenant, string key, int workers) => (int)((uint)HashCode.Combine(tenant, key) % (uint)workers);

    private sealed class Folder(MultiStreamProjection<TDoc> projection, IEventSerializer serializer, int worker, int workers) : IDocumentFolder
    {
        private readonly Dictionary<DocumentKey, Held> _documents = [];
        private readonly DocumentWeight _weight = new();

        public int Count => _documents.Count;

        public long Bytes => _weight.Of(Count);

        public void Apply(RecordedEvent recorded)
        {
            var fact = recorded.Data(serializer);
            foreach (var key in projection.KeysOf(recorded, fact))
            {
                if (WorkerOf(recorded.Tenant, key, workers) != worker) continue;
                var address = new DocumentKey(recorded.Tenant, key);
                _documents.TryGetValue(address, out var held);
                if (recorded.Position <= held.Position) continue;
                var next = projection.Evolve(key, held.Document, recorded, fact);
                // A deleted document leaves nothing behind, as in its table.
                if (next is null) _documents.Remove(address);
                else _documents[address] = new Held(next, recorded.Position, recorded.RecordedAt);
                if (next is not null && _weight.IsDue()) _weight.Add(JsonSerializer.SerializeToUtf8Bytes(next, projection.Json).Length);
            }
        }

        public async ValueTask CopyAsync(NpgsqlConnection connection, string table, EventTables tables, CancellationToken ct)
        {
            var type = typeof(TDoc).FullName ?? typeof(TDoc).Name;
            await using var rows = await connection.BeginBinaryImportAsync(DocumentTable.CopySql(table, tables), ct).ConfigureAwait(false);
            foreach (var (key, held) in _documents)
            {
                if (held.Document is null) continue;
                await rows.StartRowAsync(ct).ConfigureAwait(false);
                if (tables.IsConjoined) await rows.WriteAsync(key.Tenant, NpgsqlDbType.Varchar, ct).ConfigureAwait(false);
                await rows.WriteAsync(key.Id, NpgsqlDbType.Varchar, ct).ConfigureAwait(false);
                await rows.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(held.Document, projection.Json), NpgsqlDbType.Jsonb, ct).ConfigureAwait(false);
                await rows.WriteAsync(held.ChangedAt.UtcDateTime, NpgsqlDbType.TimestampTz, ct).ConfigureAwait(false);
                await rows.WriteAsync(type, NpgsqlDbType.Varchar, ct).ConfigureAwait(false);
                await rows.WriteAsync(held.Position, NpgsqlDbType.Bigint, ct).ConfigureAwait(false);
            }
            await rows.CompleteAsync(ct).ConfigureAwait(false);
            _documents.Clear();
        }

        private readonly record struct Held(TDoc? Document, long Position, DateTimeOffset ChangedAt);
    }
}
