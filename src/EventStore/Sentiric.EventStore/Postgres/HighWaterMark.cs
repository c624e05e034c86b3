using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// Finds up to where the log is decided. Numbers are drawn before they are committed, so a missing number may still come:
/// its transaction is under way. A hole is declared dead only when nobody who could fill it is left.
/// <code>
///   1 2 3 _ 5 6      mark = 3, hole = 4
///   fence: C = last number drawn, then F = a fresh transaction id, then L = who holds the write lock on mt_events
///   writers take the lock and their transaction id BEFORE they draw, so whoever drew a number up to C has an id below F and is in L
///   proof: every transaction below F has ended, or everybody in L has let go; what is missing up to C after that never comes
/// </code>
/// Either proof suffices: the first survives long readers, the second long write transactions elsewhere.
/// </summary>
internal sealed class HighWaterMark(NpgsqlDataSource source, EventTables tables, TimeProvider clock, PostgresEventStoreOptions options, ILogger logger)
{
    private const int PageSize = 5_000;

    /// <summary>Numbers that one count looks over: without a hole among them nothing has to be listed.</summary>
    private const int CountSpan = 50_000;

    // Under steady writing there is always one hole more; those who wait get what is decided so far.
    private const int MaxStepsPerLook = 10;
    private const string ProgressName = "HighWaterMark";
    private static readonly TimeSpan PublishInterval = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _turn = new(1, 1);

    // Looks begun, read by those who queue for the next; and the last one that got through.
    private long _looks;
    private long _lastGoodLook;

    // All owned by whoever holds _turn.
    private long _mark;
    private bool _loaded;
    private Fence? _fence;
    private long _published;
    private long _publishedAt;

    /// <summary>A hole is waiting for its proof: look again soon.</summary>
    public bool IsWaitingForHole => Volatile.Read(ref _fence) is not null;

    /// <summary>What the last look found.</summary>
    public long Last => Volatile.Read(ref _mark);

    public async ValueTask<long> AdvanceAsync(CancellationToken ct)
    {
        var looks = Volatile.Read(ref _looks);
        await _turn.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            // Somebody looked after this caller asked: one append wakes many readers, one look serves them all.
            if (_lastGoodLook > looks) return _mark;
            var look = Interlocked.Increment(ref _looks);
            await using var connection = await source.OpenOwnAsync(ct).ConfigureAwait(false);
            if (!_loaded) await LoadAsync(connection, ct).ConfigureAwait(false);
            for (var step = 0; step < MaxStepsPerLook && await StepAsync(connection, ct).ConfigureAwait(false); step++) ct.ThrowIfCancellationRequested();
            await PublishAsync(connection, ct).ConfigureAwait(false);
            _lastGoodLook = look;
            return _mark;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>True when it is worth looking again at once.</summary>
    private async ValueTask<bool> StepAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        // While a hole waits for its proof, the rows behind it need not be looked at again and again.
        if (_fence is null && await TryCountAsync(connection, ct).ConfigureAwait(false) is { } more) return more;
        var numbers = await NumbersAfterAsync(connection, _mark, _fence is null ? PageSize : 1, ct).ConfigureAwait(false);
        var next = Prefix(numbers);
        if (next is null)
        {
            var isMore = _fence is not null || numbers.Count == PageSize;
            _fence = null;
            return isMore && numbers.Count > 0;
        }
        if (_fence is null || _fence.Ceiling <= _mark) _fence = await RaiseFenceAsync(connection, ct).ConfigureAwait(false);
        if (!await IsProvenAsync(connection, _fence, ct).ConfigureAwait(false)) return false;
        await SkipAsync(connection, _fence.Ceiling, ct).ConfigureAwait(false);
        _fence = null;
        return true;
    }

    /// <summary>
    /// As many rows as numbers up to the last one: there is no hole, and the mark moves on. True when there may be more behind,
    /// null when there is a hole somewhere.
    /// </summary>
    private async ValueTask<bool?> TryCountAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        const string sql = """
            select count(*), coalesce(max(seq_id), $1), coalesce((select max(seq_id) from mt_events), $1)
            from mt_events where seq_id > $1 and seq_id <= $1 + $2
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = _mark }, new() { Value = (long)CountSpan } },
        };
        await command.PrepareAsync(ct).ConfigureAwait(false);
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
        var (count, last, top) = (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2));
        // None counted, but one far behind: the hole is wider than what was looked at.
        if (count != last - _mark || (count == 0 && top > _mark)) return null;
        _mark = last;
        return top > last;
    }

    /// <summary>Moves the mark over the numbers without a hole; the number behind the first hole, null when there is none.</summary>
    private long? Prefix(List<long> numbers)
    {
        foreach (var number in numbers)
        {
            if (number != _mark + 1) return number;
            _mark = number;
        }
        return null;
    }

    /// <summary>After the proof: rows up to the ceiling are all visible, whatever is missing among them is dead.</summary>
    private async ValueTask SkipAsync(NpgsqlConnection connection, long ceiling, CancellationToken ct)
    {
        while (Prefix(await NumbersAfterAsync(connection, _mark, PageSize, ct).ConfigureAwait(false)) is { } next)
        {
            var (from, to) = (_mark + 1, Math.Min(next - 1, ceiling));
            if (from > to) return;
            await RecordSkipAsync(connection, from, to, ct).ConfigureAwait(false);
            logger.PositionsSkipped(from, to);
            StoreTelemetry.Skipped(to - from + 1);
            _mark = to;
        }
    }

    private static async ValueTask<List<long>> NumbersAfterAsync(NpgsqlConnection connection, long mark, int size, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select seq_id from mt_events where seq_id > $1 order by seq_id limit $2", connection)
        {
            Parameters = { new() { Value = mark }, new() { Value = size } },
        };
        await command.PrepareAsync(ct).ConfigureAwait(false);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var numbers = new List<long>();
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) numbers.Add(reader.GetInt64(0));
        return numbers;
    }

    // pg_current_xact_id, not pg_snapshot_xmax: the latter is one behind the last *completed* transaction, not above the running ones.
    private async ValueTask<Fence> RaiseFenceAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var ceiling = await ScalarAsync<long>(connection, "select last_value from mt_events_sequence", ct).ConfigureAwait(false);
        var transaction = await ScalarAsync<string>(connection, "select pg_current_xact_id()::text", ct).ConfigureAwait(false);
        return new Fence(
            ceiling, ulong.Parse(transaction, CultureInfo.InvariantCulture), await WritersAsync(connection, ct).ConfigureAwait(false), clock.GetTimestamp());
    }

    private async ValueTask<bool> IsProvenAsync(NpgsqlConnection connection, Fence fence, CancellationToken ct)
    {
        // A Marten host draws numbers before it takes any lock; only its own stale threshold covers that.
        if (options.ForeignWriters && clock.GetElapsedTime(fence.RaisedAt) < options.ForeignStaleThreshold) return false;
        var oldest = await ScalarAsync<string>(connection, "select pg_snapshot_xmin(pg_current_snapshot())::text", ct).ConfigureAwait(false);
        if (ulong.Parse(oldest, CultureInfo.InvariantCulture) >= fence.Transaction) return true;
        return !fence.Writers.Overlaps(await WritersAsync(connection, ct).ConfigureAwait(false));
    }

    private static async ValueTask<HashSet<string>> WritersAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        const string sql = """
            select virtualtransaction from pg_locks
            where locktype = 'relation' and mode = 'RowExclusiveLock' and granted and relation = 'mt_events'::regclass
              and database = (select oid from pg_database where datname = current_database())
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var writers = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) writers.Add(reader.GetString(0));
        return writers;
    }

    private async ValueTask LoadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select last_seq_id from mt_event_progression where name = $1", connection)
        {
            Parameters = { new() { Value = ProgressName } },
        };
        _mark = _published = await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as long? ?? 0;
        _loaded = true;
    }

    /// <summary>Written down now and then, for Marten's tools and for the next start; never backwards.</summary>
    private async ValueTask PublishAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        if (_mark == _published || clock.GetElapsedTime(_publishedAt) < PublishInterval) return;
        const string sql = """
            insert into mt_event_progression as p (name, last_seq_id, last_updated) values ($1, $2, transaction_timestamp())
            on conflict (name) do update set last_seq_id = excluded.last_seq_id, last_updated = excluded.last_updated
            where p.last_seq_id < excluded.last_seq_id
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = ProgressName }, new() { Value = _mark } } };
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        (_published, _publishedAt) = (_mark, clock.GetTimestamp());
    }

    private async ValueTask RecordSkipAsync(NpgsqlConnection connection, long from, long to, CancellationToken ct)
    {
        const string sql = "insert into mt_high_water_skips (ending_sequence, starting_sequence) values ($1, $2) on conflict do nothing";
        if (!tables.HasHighWaterSkips) return;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = to, NpgsqlDbType = NpgsqlDbType.Bigint }, new() { Value = from, NpgsqlDbType = NpgsqlDbType.Bigint } },
        };
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static async ValueTask<T> ScalarAsync<T>(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is T value
            ? value
            : throw new InvalidOperationException($"'{sql}' answered something unexpected.");
    }

    private sealed record Fence(long Ceiling, ulong Transaction, HashSet<string> Writers, long RaisedAt);
}
