using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Checkpoints in Marten's progress table, parked events in its dead-letter table, ownership by its advisory locks.</summary>
public sealed class PostgresCheckpointStore(NpgsqlDataSource source) : ICheckpointStore
{
    private readonly ShardOrders _orders = new(source);

    public ValueTask<long?> LoadAsync(string shard, CancellationToken ct = default) => Failures.GuardAsync(async () =>
    {
        await using var command = source.CreateCommand("select last_seq_id from mt_event_progression where name = $1");
        command.Parameters.Add(new() { Value = shard });
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as long?;
    });

    public ValueTask<bool> TryAdvanceAsync(string shard, long? from, long to, CancellationToken ct = default) => Failures.GuardAsync(async () =>
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var command = Progress.Advance(shard, from, to);
        command.Connection = connection;
        return await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false) == 1;
    });

    public ValueTask<IShardLease?> TryOwnAsync(string shard, CancellationToken ct = default) =>
        Failures.GuardAsync<IShardLease?>(async () => await ShardLock.TryTakeAsync(source, shard, ct).ConfigureAwait(false));

    public ValueTask ParkAsync(ParkedEvent parked, CancellationToken ct = default) => Failures.GuardAsync(async () =>
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var command = DeadLetters.Insert(parked);
        command.Connection = connection;
        return await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }).AsVoid();

    public ValueTask<IReadOnlyList<ParkedEvent>> ListParkedAsync(string shard, int maxCount = 100, CancellationToken ct = default) => Failures.GuardAsync(async () =>
    {
        await using var command = source.CreateCommand(DeadLetters.List);
        foreach (var value in DeadLetters.Key(shard)) command.Parameters.Add(new() { Value = value });
        command.Parameters.Add(new() { Value = maxCount });
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var parked = new List<ParkedEvent>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) parked.Add(DeadLetters.Read(shard, rows));
        return (IReadOnlyList<ParkedEvent>)parked;
    });

    public ValueTask<bool> DiscardParkedAsync(string shard, long position, CancellationToken ct = default) =>
        Failures.GuardAsync(() => _orders.DiscardAsync(shard, position, ct));

    public ValueTask PauseAsync(string shard, PauseNote note, CancellationToken ct = default) =>
        Failures.GuardAsync(() => _orders.PauseAsync(shard, note, ct)).AsVoid();

    public ValueTask ResumeAsync(string shard, CancellationToken ct = default) => Failures.GuardAsync(() => _orders.ResumeAsync(shard, ct)).AsVoid();

    public ValueTask OrderAsync(string shard, long position, OrderKind kind, string? reason = null, string? by = null, CancellationToken ct = default) =>
        Failures.GuardAsync(() => _orders.OrderAsync(shard, position, kind, reason, by, ct)).AsVoid();

    public ValueTask<ShardOrder> LoadOrdersAsync(string shard, CancellationToken ct = default) => Failures.GuardAsync(() => _orders.LoadAsync(shard, ct));

    public ValueTask AnswerAsync(string shard, long position, OrderKind kind, RetryResult? result = null, CancellationToken ct = default) =>
        Failures.GuardAsync(async () =>
        {
            await _orders.AnswerAsync(shard, position, kind, result, ct).ConfigureAwait(false);
            return true;
        }).AsVoid();
}
