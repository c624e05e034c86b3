using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;

namespace Sentiric.EventStore;

public enum ErasureState
{
    /// <summary>Written down; nothing is destroyed yet.</summary>
    Begun,

    /// <summary>The keys are gone; copies in clear are being cleared away.</summary>
    Destroyed,

    /// <summary>Everything is done and the receipt is signed.</summary>
    Done,
}

/// <summary>One erasure. Subjects and streams are ids without a personal value.</summary>
public sealed record ErasureRecord(
    Guid Id, string Tenant, string SubjectHash, string Reason, string Actor, DateTimeOffset RequestedAt, ErasureState State,
    IReadOnlyList<SubjectId> Subjects, IReadOnlyList<SubjectStream> Streams, int KeysDestroyed = 0, DateTimeOffset? DestroyedAt = null, SignedReceipt? Receipt = null);

/// <summary>The list of erasures with their receipts, which has to be kept for years (KVKK: three). Safe for many processes.</summary>
public interface IErasureRecords
{
    ValueTask StartAsync(CancellationToken ct = default);

    ValueTask SaveAsync(ErasureRecord record, CancellationToken ct = default);

    ValueTask<ErasureRecord?> FindAsync(Guid id, CancellationToken ct = default);

    /// <summary>Newest first.</summary>
    ValueTask<IReadOnlyList<ErasureRecord>> ListAsync(string tenant, int maxCount, CancellationToken ct = default);

    /// <summary>Erasures that a crash interrupted, oldest first.</summary>
    ValueTask<IReadOnlyList<ErasureRecord>> UnfinishedAsync(CancellationToken ct = default);

    /// <summary>Deletes finished records that were requested before that moment; answers how many.</summary>
    ValueTask<int> PurgeAsync(DateTimeOffset before, CancellationToken ct = default);
}

public sealed class InMemoryErasureRecords : IErasureRecords
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, ErasureRecord> _records = [];

    public ValueTask StartAsync(CancellationToken ct = default) => ValueTask.CompletedTask;

    public ValueTask SaveAsync(ErasureRecord record, CancellationToken ct = default)
    {
        lock (_gate) _records[record.Id] = record;
        return ValueTask.CompletedTask;
    }

    public ValueTask<ErasureRecord?> FindAsync(Guid id, CancellationToken ct = default)
    {
        lock (_gate) return ValueTask.FromResult(_records.GetValueOrDefault(id));
    }

    public ValueTask<IReadOnlyList<ErasureRecord>> ListAsync(string tenant, int maxCount, CancellationToken ct = default)
    {
        lock (_gate) return ValueTask.FromResult<IReadOnlyList<ErasureRecord>>([.. _records.Values.Where(r => r.Tenant == tenant).OrderByDescending(r => r.RequestedAt).Take(maxCount)]);
    }

    public ValueTask<IReadOnlyList<ErasureRecord>> UnfinishedAsync(CancellationToken ct = default)
    {
        lock (_gate) return ValueTask.FromResult<IReadOnlyList<ErasureRecord>>([.. _records.Values.Where(r => r.State != ErasureState.Done).OrderBy(r => r.RequestedAt)]);
    }

    public ValueTask<int> PurgeAsync(DateTimeOffset before, CancellationToken ct = default)
    {
        lock (_gate)
        {
            var old = _records.Values.Where(r => r.State == ErasureState.Done && r.RequestedAt < before).ToList();
            foreach (var record in old) _records.Remove(record.Id);
            return ValueTask.FromResult(old.Count);
        }
    }
}

/// <summary>Rows of <c>sx_erasure</c>. The receipt is kept as the text that was signed.</summary>
public sealed class PostgresErasureRecords(NpgsqlDataSource source) : IErasureRecords
{
    private const string Table = """
        set local client_min_messages = warning; select pg_advisory_xact_lock(7316604026);
        create table if not exists sx_erasure (
            id           uuid                     not null,
            tenant_id    varchar                  not null,
            state        varchar                  not null,
            requested_at timestamp with time zone not null,
            data         text                     not null,
            constraint pkey_sx_erasure primary key (id)
        );
        create index if not exists idx_sx_erasure_requested on sx_erasure (tenant_id, requested_at);
        """;

    public async ValueTask StartAsync(CancellationToken ct = default)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        await using var create = new NpgsqlCommand(Table, connection);
        await create.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
    }

    public async ValueTask SaveAsync(ErasureRecord record, CancellationToken ct = default)
    {
        await using var command = Command(
            "insert into sx_erasure (id, tenant_id, state, requested_at, data) values ($1, $2, $3, $4, $5) on conflict (id) do update set state = excluded.state, data = excluded.data",
            record.Id, record.Tenant, record.State.ToString(), record.RequestedAt.UtcDateTime, JsonSerializer.Serialize(record, ErasureJson.Default.ErasureRecord));
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    public async ValueTask<ErasureRecord?> FindAsync(Guid id, CancellationToken ct = default) =>
        (await QueryAsync(Command("select data from sx_erasure where id = $1", id), ct).ConfigureAwait(false)).SingleOrDefault();

    public ValueTask<IReadOnlyList<ErasureRecord>> ListAsync(string tenant, int maxCount, CancellationToken ct = default) =>
        QueryAsync(Command("select data from sx_erasure where tenant_id = $1 order by requested_at desc, id limit $2", tenant, maxCount), ct);

    public ValueTask<IReadOnlyList<ErasureRecord>> UnfinishedAsync(CancellationToken ct = default) =>
        QueryAsync(Command("select data from sx_erasure where state <> $1 order by requested_at, id", nameof(ErasureState.Done)), ct);

    public async ValueTask<int> PurgeAsync(DateTimeOffset before, CancellationToken ct = default)
    {
        await using var command = Command("delete from sx_erasure where state = $1 and requested_at < $2", nameof(ErasureState.Done), before.UtcDateTime);
        return await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static async ValueTask<IReadOnlyList<ErasureRecord>> QueryAsync(NpgsqlCommand question, CancellationToken ct)
    {
        await using var command = question;
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var records = new List<ErasureRecord>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            if (JsonSerializer.Deserialize(rows.GetString(0), ErasureJson.Default.ErasureRecord) is { } record) records.Add(record);
        }
        return records;
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = source.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ErasureRecord))]
[JsonSerializable(typeof(ErasureReceipt))]
internal sealed partial class ErasureJson : JsonSerializerContext;
