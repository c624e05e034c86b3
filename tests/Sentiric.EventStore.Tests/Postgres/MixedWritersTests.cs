using System.Collections.Concurrent;
using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>Our writers beside those of a Marten host, which draw their numbers earlier than ours: a reader that knows of them loses nothing.</summary>
public sealed class MixedWritersTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly MartenHost.Event One = new("counter_raised", """{"By": 1}""");

    private readonly MartenHost _marten = new(postgres);

    // The threshold is far above what a writer holds its numbers, on a busy machine too; dead numbers cost that much waiting.
    [Theory]
    [Trait("Category", "Slow")]
    [InlineData(20261122)]
    public async Task Nothing_is_lost_or_doubled_and_versions_have_no_gaps(int seed)
    {
        var options = new PostgresEventStoreOptions { ForeignWriters = true, ForeignStaleThreshold = TimeSpan.FromSeconds(5) };
        await using var store = postgres.NewStore(options);
        await using var readingStore = postgres.NewStore(options);
        var committed = new ConcurrentDictionary<long, bool>();
        var refused = 0;
        using var writing = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        var seen = new List<long>();
        var reading = Task.Run(() => ReadAsync(readingStore, seen, () => !writing.IsCancellationRequested));
        await Task.WhenAll(
            Task.Run(() => WriteOursAsync(store, new Random(seed), committed, writing.Token)),
            Task.Run(() => WriteOursAsync(store, new Random(seed + 1), committed, writing.Token)),
            Task.Run(() => WriteQuicklyAsync(new Random(seed + 2), committed, () => Interlocked.Increment(ref refused), writing.Token)),
            Task.Run(() => WriteQuicklyAsync(new Random(seed + 3), committed, () => Interlocked.Increment(ref refused), writing.Token)),
            Task.Run(() => WriteRichlyAsync(new Random(seed + 4), committed, () => Interlocked.Increment(ref refused), writing.Token)),
            Task.Run(() => WriteRichlyAsync(new Random(seed + 5), committed, () => Interlocked.Increment(ref refused), writing.Token)));
        await reading.WaitAsync(Patience);

        Assert.True(committed.Count > 100 && refused > 0, $"{committed.Count} events and {refused} refusals say nothing (seed {seed}).");
        Assert.Equal(committed.Keys.Order(), seen);
        Assert.Empty(await postgres.LinesAsync("""
            select s.id from mt_streams s where s.id like 'mixed-%' and (s.version <> (select count(*) from mt_events e where e.stream_id = s.id and e.tenant_id = s.tenant_id)
              or s.version <> (select max(version) from mt_events e where e.stream_id = s.id and e.tenant_id = s.tenant_id))
            """));
    }

    private static async Task WriteOursAsync(PostgresEventStore store, Random dice, ConcurrentDictionary<long, bool> committed, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var result = await store.AppendToStreamAsync("acme", $"mixed-{dice.Next(4)}", ExpectedVersion.Any, Facts.Raised(dice.Next(1, 4), 1), ct: CancellationToken.None);
                foreach (var position in result.Positions) committed[position] = true;
            }
            catch (Exception lost) when (lost is WrongExpectedVersionException or PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected })
            {
                // A host that checks versions with a plain select may have put its events behind the back of the stream's row.
                continue;
            }
        }
    }

    private async Task WriteQuicklyAsync(Random dice, ConcurrentDictionary<long, bool> committed, Action refused, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var numbers = await _marten.AppendQuicklyAsync("acme", $"mixed-{dice.Next(4)}", dice.Next(5) == 0 ? dice.Next(1, 100) : 0, [.. Enumerable.Repeat(One, dice.Next(1, 3))]);
            if (numbers is null) refused();
            foreach (var number in numbers ?? []) committed[number] = true;
        }
    }

    /// <summary>Numbers first and apart; then some time passes in which nothing shows that they are taken.</summary>
    private async Task WriteRichlyAsync(Random dice, ConcurrentDictionary<long, bool> committed, Action refused, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var stream = $"mixed-{dice.Next(4)}";
            var numbers = await _marten.DrawAsync(2);
            var version = (await postgres.Store.GetStreamStateAsync("acme", stream, CancellationToken.None))?.Version;
            if (dice.Next(3) == 0) await postgres.ExecuteAsync($"select pg_sleep({dice.Next(1, 300)} / 1000.0)");
            if (version is not null && await _marten.AppendAsync("acme", stream, version.Value, numbers, One, One))
            {
                foreach (var number in numbers) committed[number] = true;
                continue;
            }
            refused();
            // Now and then the host dies before it can bury them.
            if (dice.Next(4) > 0) await _marten.BuryAsync(numbers);
        }
    }

    private async Task ReadAsync(PostgresEventStore store, List<long> seen, Func<bool> isWriting)
    {
        var position = 0L;
        while (true)
        {
            var wasWriting = isWriting();
            await foreach (var recorded in store.ReadAllAsync(position, int.MaxValue))
            {
                seen.Add(recorded.Position);
                position = recorded.Position;
            }
            var last = long.Parse(Assert.Single(await postgres.LinesAsync("select coalesce(max(seq_id), 0) from mt_events where type <> 'tombstone'")));
            if (!wasWriting && position >= last && await NobodyWritesAsync()) return;
            await store.WaitForChangeAsync(await store.GetHighWaterMarkAsync(), TimeSpan.FromMilliseconds(50));
        }
    }

    private async Task<bool> NobodyWritesAsync() => (await postgres.LinesAsync(
        "select 1 from pg_locks where relation = 'mt_events'::regclass and mode = 'RowExclusiveLock'")).Count == 0;
}
