using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>What is to become of one event of a shard.</summary>
public enum OrderKind
{
    /// <summary>It is parked without being tried.</summary>
    Skip,

    /// <summary>It is parked and tried once more.</summary>
    Retry,
}

/// <summary>What the owner of a shard has been told: nothing, to stop, to leave events out, to try parked ones again.</summary>
public sealed record ShardOrder(PauseNote? Pause, IReadOnlyList<long> Skips, IReadOnlyList<long> Retries)
{
    public static ShardOrder None { get; } = new(null, [], []);

    /// <summary>There is something to do beside going on.</summary>
    internal bool HasWork => Retries.Count > 0;

    internal bool IsSameAs(ShardOrder other) => Pause == other.Pause && Skips.SequenceEqual(other.Skips) && Retries.SequenceEqual(other.Retries);
}

/// <summary>
/// Pause notes and orders of operators, in side tables, so that they outlive every process. Writing one wakes the owners by NOTIFY;
/// a lost wake-up costs one look, never an order.
/// </summary>
internal sealed class ShardOrders(NpgsqlDataSource source)
{
    public const string Channel = "sx_shards";

    // Orders of one shard that are carried out at one look; further ones wait for the next.
    private const int MaxOrders = 1_000;

    /// <summary>What the shards were told, for those that were told anything.</summary>
    public static async ValueTask<Dictionary<string, ShardOrder>> LoadAsync(NpgsqlConnection connection, IReadOnlyCollection<string> shards, CancellationToken ct)
    {
        const string sql = """
            select shard, paused_at, pause_reason, paused_by, null::bigint, null::text from sx_shard_state where shard = any($1) and paused_at is not null
            union all
            (select shard, null, null, null, seq_id, kind from sx_shard_order where shard = any($1) and done_at is null order by seq_id limit $2)
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = shards.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text }, new() { Value = MaxOrders } },
        };
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var told = new Dictionary<string, ShardOrder>(StringComparer.Ordinal);
        while (await row.ReadAsync(ct).ConfigureAwait(false))
        {
            var shard = row.GetString(0);
            told[shard] = With(told.GetValueOrDefault(shard, ShardOrder.None), row);
        }
        return told;
    }

    /// <summary>What one shard was told.</summary>
    public async ValueTask<ShardOrder> LoadAsync(string shard, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        return (await LoadAsync(connection, [shard], ct).ConfigureAwait(false)).GetValueOrDefault(shard, ShardOrder.None);
    }

    public ValueTask<bool> PauseAsync(string shard, PauseNote note, CancellationToken ct) => TellAsync(
        """
        insert into sx_shard_state as s (shard, paused_at, pause_reason, paused_by) values ($1, $2, $3::text, $4::text)
        on conflict (shard) do update set paused_at = excluded.paused_at, pause_reason = excluded.pause_reason, paused_by = excluded.paused_by
        where s.paused_at is null
        """, ct, shard, note.At.UtcDateTime, note.Reason, note.By);

    public ValueTask<bool> ResumeAsync(string shard, CancellationToken ct) => TellAsync(
        "update sx_shard_state set paused_at = null, pause_reason = null, paused_by = null where shard = $1 and paused_at is not null", ct, shard);

    public ValueTask<bool> OrderAsync(string shard, long position, OrderKind kind, string? reason, string? by, CancellationToken ct) => TellAsync(
        """
        insert into sx_shard_order (shard, seq_id, kind, reason, asked_by) values ($1, $2, $3, $4::text, $5::text)
        on conflict (shard, seq_id, kind) do update
        set reason = excluded.reason, asked_by = excluded.asked_by, asked_at = transaction_timestamp(), done_at = null, outcome = null, error = null
        """, ct, shard, position, NameOf(kind), reason, by);

    /// <summary>To run in the transaction that carries the order out.</summary>
    public static NpgsqlBatchCommand Done(string shard, long position, OrderKind kind, RetryResult? result) => Command(
        "update sx_shard_order set done_at = transaction_timestamp(), outcome = $4::text, error = $5::text where shard = $1 and seq_id = $2 and kind = $3 and done_at is null",
        shard, position, NameOf(kind), result?.Outcome.ToString(), result?.Error);

    /// <summary>How an order ended that changed no rows.</summary>
    public async ValueTask AnswerAsync(string shard, long position, OrderKind kind, RetryResult? result, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Done(shard, position, kind, result) } };
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Null while nobody has carried the retry out.</summary>
    public async ValueTask<RetryResult?> AnswerAsync(string shard, long position, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            "select outcome, error from sx_shard_order where shard = $1 and seq_id = $2 and kind = $3 and done_at is not null");
        foreach (var value in new object[] { shard, position, NameOf(OrderKind.Retry) }) command.Parameters.Add(new() { Value = value });
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
        return new RetryResult(Enum.Parse<RetryOutcome>(row.GetString(0)), row.IsDBNull(1) ? null : row.GetString(1));
    }

    public async ValueTask<bool> IsParkedAsync(string shard, long position, CancellationToken ct)
    {
        await using var command = source.CreateCommand(DeadLetters.Exists);
        foreach (var value in DeadLetters.Key(shard)) command.Parameters.Add(new() { Value = value });
        command.Parameters.Add(new() { Value = position });
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is not null;
    }

    public async ValueTask<bool> DiscardAsync(string shard, long position, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Discard(shard, position));
        return await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false) > 0;
    }

    public static NpgsqlBatchCommand Discard(string shard, long position) => Command(DeadLetters.Discard, [.. DeadLetters.Key(shard), position]);

    private static ShardOrder With(ShardOrder order, NpgsqlDataReader row)
    {
        if (row.IsDBNull(4))
        {
            var at = new DateTimeOffset(row.GetDateTime(1), TimeSpan.Zero);
            return order with { Pause = new PauseNote(at, row.IsDBNull(2) ? null : row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3)) };
        }
        return row.GetString(5) == NameOf(OrderKind.Skip)
            ? order with { Skips = [.. order.Skips, row.GetInt64(4)] }
            : order with { Retries = [.. order.Retries, row.GetInt64(4)] };
    }

    private async ValueTask<bool> TellAsync(string sql, CancellationToken ct, params object?[] values)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Command(sql, values));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("notify " + Channel));
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        return batch.BatchCommands[0].RecordsAffected > 0;
    }

    private static NpgsqlBatchCommand Command(string sql, params object?[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value ?? DBNull.Value });
        return command;
    }

    private static string NameOf(OrderKind kind) => kind switch
    {
        OrderKind.Skip => "skip",
        OrderKind.Retry => "retry",
    };
}
