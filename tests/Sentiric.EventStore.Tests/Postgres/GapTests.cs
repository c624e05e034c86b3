using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>Numbers are drawn before they are committed. A reader of the log must neither overtake a slow transaction nor wait for a dead one.</summary>
public sealed class GapTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task The_mark_waits_for_a_slow_transaction_and_then_delivers_it()
    {
        await using var slow = await SlowAppend.BeginAsync(postgres.Source, "slow-commit");
        var fast = await postgres.Store.AppendToStreamAsync("acme", "fast-1", ExpectedVersion.Any, [Facts.Raised(1)]);
        Assert.InRange(await postgres.Store.GetHighWaterMarkAsync(), 0, slow.Position - 1);
        Assert.Empty(await postgres.Store.ReadAllAsync(slow.Position - 1, 10).ToListAsync());

        await slow.CommitAsync();
        await postgres.Store.WaitForChangeAsync(fast.LastPosition - 1, Patience);
        Assert.Equal([slow.Position, fast.LastPosition], await postgres.Store.ReadAllAsync(slow.Position - 1, 10).Select(e => e.Position).ToListAsync());
    }

    [Fact]
    public async Task A_rolled_back_number_is_skipped_and_written_down()
    {
        await using var slow = await SlowAppend.BeginAsync(postgres.Source, "rolled-back");
        var fast = await postgres.Store.AppendToStreamAsync("acme", "fast-2", ExpectedVersion.Any, [Facts.Raised(1)]);
        Assert.InRange(await postgres.Store.GetHighWaterMarkAsync(), 0, slow.Position - 1);

        await slow.RollbackAsync();
        await postgres.Store.WaitForChangeAsync(slow.Position, Patience);
        Assert.Equal(fast.LastPosition, await postgres.Store.GetHighWaterMarkAsync());
        Assert.Equal([$"{slow.Position}"], await postgres.LinesAsync(
            $"select ending_sequence from mt_high_water_skips where {slow.Position} between starting_sequence and ending_sequence"));
    }

    [Fact]
    public async Task A_long_transaction_elsewhere_does_not_hold_the_log_up()
    {
        await using var elsewhere = await postgres.Source.OpenConnectionAsync();
        await using var foreign = await elsewhere.BeginTransactionAsync();
        await using (var write = new NpgsqlCommand("create table somebody_elses_table (x int)", elsewhere)) await write.ExecuteNonQueryAsync();
        await using var dead = await SlowAppend.BeginAsync(postgres.Source, "dead-beside-foreign");
        var fast = await postgres.Store.AppendToStreamAsync("acme", "fast-3", ExpectedVersion.Any, [Facts.Raised(1)]);
        await dead.RollbackAsync();

        await postgres.Store.WaitForChangeAsync(fast.LastPosition - 1, Patience);
        Assert.Equal(fast.LastPosition, await postgres.Store.GetHighWaterMarkAsync());
        await foreign.RollbackAsync();
    }

    [Fact]
    public async Task With_foreign_writers_a_hole_gets_the_stale_threshold_first()
    {
        var threshold = TimeSpan.FromMilliseconds(600);
        await using var patient = postgres.NewStore(new PostgresEventStoreOptions { ForeignWriters = true, ForeignStaleThreshold = threshold });
        await patient.GetHighWaterMarkAsync();
        await postgres.ExecuteAsync("select nextval('mt_events_sequence')");
        var fast = await postgres.Store.AppendToStreamAsync("acme", "fast-4", ExpectedVersion.Any, [Facts.Raised(1)]);
        var clock = Stopwatch.StartNew();
        Assert.True(await patient.GetHighWaterMarkAsync() < fast.LastPosition);
        await patient.WaitForChangeAsync(fast.LastPosition - 1, Patience);

        Assert.True(clock.Elapsed >= threshold - TimeSpan.FromMilliseconds(50), $"The hole was skipped after {clock.Elapsed}.");
        Assert.Equal(fast.LastPosition, await patient.GetHighWaterMarkAsync());
    }

    [Fact]
    public async Task A_hole_wider_than_one_look_is_skipped_and_rows_on_both_sides_are_read()
    {
        var before = await postgres.Store.AppendToStreamAsync("acme", "wide", ExpectedVersion.Any, [Facts.Raised(1), Facts.Raised(2)]);
        await postgres.ExecuteAsync("select setval('mt_events_sequence', (select last_value from mt_events_sequence) + 120000)");
        var behind = await postgres.Store.AppendToStreamAsync("acme", "wide", ExpectedVersion.Any, [Facts.Raised(3)]);
        await using var fresh = postgres.NewStore();
        await fresh.WaitForChangeAsync(behind.LastPosition - 1, Patience);

        Assert.Equal(behind.LastPosition, await fresh.GetHighWaterMarkAsync());
        Assert.Equal(before.LastPosition + 120_001, behind.LastPosition);
        Assert.Equal([.. before.Positions, .. behind.Positions],
            await fresh.ReadAllAsync(before.Positions[0] - 1, 10).Where(e => e.StreamId == "wide").Select(e => e.Position).ToListAsync());
    }

    [Fact]
    public async Task The_mark_survives_in_the_progress_table()
    {
        await postgres.Store.AppendToStreamAsync("acme", "published", ExpectedVersion.Any, [Facts.Raised(1)]);
        await using var fresh = postgres.NewStore();
        var mark = await fresh.GetHighWaterMarkAsync();
        var published = long.Parse(Assert.Single(await postgres.LinesAsync("select last_seq_id from mt_event_progression where name = 'HighWaterMark'")));
        Assert.InRange(published, 1, mark);
    }

    [Theory]
    [InlineData(20261122)]
    public async Task Nothing_is_lost_or_doubled_under_slow_and_dying_transactions(int seed)
    {
        var start = await postgres.Store.GetHighWaterMarkAsync();
        var committed = new ConcurrentDictionary<long, bool>();
        var seen = new List<long>();
        using var writing = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        var reader = Task.Run(() => ReadUntilQuietAsync(start, seen, () => !writing.IsCancellationRequested));
        await Task.WhenAll(Enumerable.Range(0, 6).Select(n => Task.Run(() => WriteAsync(n, new Random(seed + n), committed, writing.Token)))
            .Append(Task.Run(() => AppendAsync(committed, writing.Token))));
        await reader.WaitAsync(Patience);

        Assert.True(committed.Count > 50, $"Only {committed.Count} events were written: the stress says nothing.");
        Assert.Equal(committed.Keys.Order(), seen);
        Assert.NotEmpty(await postgres.LinesAsync("select 1 from mt_high_water_skips limit 1"));
    }

    /// <summary>Transactions as other programs make them: some slow, some rolled back.</summary>
    private async Task WriteAsync(int writer, Random dice, ConcurrentDictionary<long, bool> committed, CancellationToken ct)
    {
        for (var i = 0; !ct.IsCancellationRequested; i++)
        {
            await using var append = await SlowAppend.BeginAsync(postgres.Source, $"stress-{writer}-{i}");
            // Slow transactions are the matter of this test, slower than a reader on a busy machine; the time passes in the database.
            if (dice.Next(10) == 0) await append.SleepAsync(dice.Next(20, 400));
            if (dice.Next(100) < 15)
            {
                await append.RollbackAsync();
                continue;
            }
            await append.CommitAsync();
            committed[append.Position] = true;
        }
    }

    private async Task AppendAsync(ConcurrentDictionary<long, bool> committed, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var result = await postgres.Store.AppendToStreamAsync("acme", "stress-lane", ExpectedVersion.Any, Facts.Raised(3, 1), ct: CancellationToken.None);
            foreach (var position in result.Positions) committed[position] = true;
        }
    }

    private async Task ReadUntilQuietAsync(long start, List<long> seen, Func<bool> isWriting)
    {
        var position = start;
        while (true)
        {
            var wasWriting = isWriting();
            var before = position;
            await foreach (var recorded in postgres.Store.ReadAllAsync(position, int.MaxValue))
            {
                seen.Add(recorded.Position);
                position = recorded.Position;
            }
            if (position > before) continue;
            var mark = await postgres.Store.GetHighWaterMarkAsync();
            var last = long.Parse(Assert.Single(await postgres.LinesAsync("select coalesce(max(seq_id), 0) from mt_events")));
            // Quiet: the writers were through before this look, and the mark has reached the last row.
            if (!wasWriting && mark >= last && position >= last && await NobodyWritesAsync()) return;
            await postgres.Store.WaitForChangeAsync(mark, TimeSpan.FromMilliseconds(50));
        }
    }

    private async Task<bool> NobodyWritesAsync() => (await postgres.LinesAsync(
        "select 1 from pg_locks where relation = 'mt_events'::regclass and mode = 'RowExclusiveLock'")).Count == 0;
}
