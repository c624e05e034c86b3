using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Xunit.Abstractions;

namespace Sentiric.EventStore.Tests.Chaos;

/// <summary>
/// Twelve writers whose transactions are held, rolled back or killed, beside a write transaction of somebody else that never ends.
/// <c>SENTIRIC_STRESS_SECONDS</c> sets how long, <c>SENTIRIC_SEED</c> the dice.
/// </summary>
public sealed class GapStressTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Writers = 12, UsualSeconds = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly PostgresFixture _postgres = new();

    // When a position was decided (committed or dead), and when the reader had it or was past it; in stopwatch ticks.
    private readonly ConcurrentDictionary<long, long> _committed = new(), _dead = new(), _unsure = new();

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Nothing_is_lost_or_doubled_under_held_rolled_back_and_killed_transactions()
    {
        var (seconds, seed) = (Setting("SENTIRIC_STRESS_SECONDS", UsualSeconds), Setting("SENTIRIC_SEED", 20_261_122));
        await using var elsewhere = await _postgres.Source.OpenConnectionAsync();
        await using var foreign = await elsewhere.BeginTransactionAsync();
        await using (var write = new NpgsqlCommand("create table somebody_elses_table (x int)", elsewhere)) await write.ExecuteNonQueryAsync();
        using var writing = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        await using var second = _postgres.NewStore();
        var readers = new[] { ReadAsync(_postgres.Store, writing.Token), ReadAsync(second, writing.Token) };
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(n => Task.Run(() => WriteAsync(n, new Random(seed + n), writing.Token)))
            .Append(Task.Run(() => AppendAsync(writing.Token))).Append(Task.Run(() => KillAsync(new Random(seed), elsewhere.ProcessID, writing.Token))));
        var seen = await Task.WhenAll(readers);
        await foreign.RollbackAsync();

        var stored = (await _postgres.LinesAsync("select seq_id from mt_events order by 1")).ConvertAll(line => long.Parse(line, CultureInfo.InvariantCulture));
        var where = $"Seed {seed}; repeat with SENTIRIC_SEED={seed} SENTIRIC_STRESS_SECONDS={seconds} ./sentiric test {nameof(GapStressTests)}";
        foreach (var reader in seen)
        {
            var positions = reader.Select(s => s.Position).ToList();
            Assert.True(stored.SequenceEqual(positions), $"{where}\n{stored.Except(positions).Count()} of {stored.Count} events lost, {positions.Count - positions.Distinct().Count()} doubled, in order: {positions.SequenceEqual(positions.Order())}");
        }
        Assert.True(_committed.Keys.All(new HashSet<long>(stored).Contains), where + "\na committed event is not stored");
        Assert.True(_dead.Count > 20 && stored.Count > 500, $"{_dead.Count} dead numbers and {stored.Count} events: the stress says nothing.");
        Report(seconds, stored.Count, seen[0]);
    }

    /// <summary>How long after the fate of all numbers up to an event was decided the reader had it.</summary>
    private void Report(int seconds, int stored, List<(long Position, long At)> seen)
    {
        var (decided, delays) = (0L, new List<double>());
        var fates = _committed.Concat(_dead).Concat(_unsure).OrderBy(f => f.Key).ToList();
        var next = 0;
        foreach (var (position, at) in seen)
        {
            for (; next < fates.Count && fates[next].Key <= position; next++) decided = Math.Max(decided, fates[next].Value);
            if (_committed.ContainsKey(position)) delays.Add(Math.Max(0, Stopwatch.GetElapsedTime(decided, at).TotalMilliseconds));
        }
        delays.Sort();
        double Percentile(double share) => delays.Count == 0 ? 0 : delays[Math.Min(delays.Count - 1, (int)(share * delays.Count))];
        output.WriteLine(FormattableString.Invariant(
            $"{seconds} s, {stored} events, {_dead.Count} rolled back, {_unsure.Count} killed: 0 lost, 0 doubled; from the last open number to the reader p50 {Percentile(0.5):F1} ms, p99 {Percentile(0.99):F1} ms, max {Percentile(1):F1} ms"));
    }

    private async Task WriteAsync(int writer, Random dice, CancellationToken ct)
    {
        for (var i = 0; !ct.IsCancellationRequested; i++)
        {
            SlowAppend? append = null;
            try
            {
                append = await SlowAppend.BeginAsync(_postgres.Source, $"gap-{writer}-{i}");
                if (dice.Next(10) == 0) await append.SleepAsync(dice.Next(5, 200));
                if (dice.Next(100) < 10)
                {
                    await append.RollbackAsync();
                    _dead[append.Position] = Stopwatch.GetTimestamp();
                }
                else
                {
                    await append.CommitAsync();
                    _committed[append.Position] = Stopwatch.GetTimestamp();
                }
            }
            catch (Exception killed) when (killed is NpgsqlException or IOException or InvalidOperationException)
            {
                // Killed before, in or after its commit; only the log can tell.
                if (append is not null) _unsure[append.Position] = Stopwatch.GetTimestamp();
            }
            finally
            {
                if (append is not null) await append.DisposeAsync();
            }
        }
    }

    private async Task AppendAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var result = await _postgres.Store.AppendToStreamAsync("acme", "gap-lane", ExpectedVersion.Any, Facts.Raised(3, 1), ct: CancellationToken.None);
                foreach (var position in result.Positions) _committed[position] = Stopwatch.GetTimestamp();
            }
            catch (EventStoreUnavailableException)
            {
                continue; // killed; what became of it is in the log
            }
        }
    }

    /// <summary>Now and then somebody's connection is ended in the middle of its work: a writer's, a reader's or the store's own.</summary>
    private async Task KillAsync(Random dice, int spared, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await _postgres.ExecuteAsync(FormattableString.Invariant($"""
                    select pg_sleep({dice.Next(20, 120)} / 1000.0);
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and pid not in (pg_backend_pid(), {spared}) and backend_type = 'client backend' order by random() limit 1
                    """));
            }
            catch (NpgsqlException)
            {
                continue; // its own connection was a dead one from the pool
            }
        }
    }

    private async Task<List<(long Position, long At)>> ReadAsync(PostgresEventStore store, CancellationToken writing)
    {
        var (seen, position, started) = (new List<(long, long)>(), 0L, Stopwatch.GetTimestamp());
        while (true)
        {
            var wasWriting = !writing.IsCancellationRequested;
            try
            {
                var before = position;
                await foreach (var recorded in store.ReadAllAsync(position, int.MaxValue, CancellationToken.None))
                {
                    seen.Add((recorded.Position, Stopwatch.GetTimestamp()));
                    position = recorded.Position;
                }
                if (!wasWriting && position == before && await IsAllReadAsync(position)) return seen;
                await store.WaitForChangeAsync(position, TimeSpan.FromMilliseconds(50), CancellationToken.None);
            }
            catch (Exception killed) when (killed is EventStoreUnavailableException or NpgsqlException)
            {
                if (Stopwatch.GetElapsedTime(started) > Patience + TimeSpan.FromSeconds(Setting("SENTIRIC_STRESS_SECONDS", UsualSeconds)))
                    throw new TimeoutException($"Waited for the reader to reach the end of the log; it stands at {position}.", killed);
            }
        }
    }

    private async Task<bool> IsAllReadAsync(long position)
    {
        var left = await _postgres.LinesAsync($"select 1 from mt_events where seq_id > {position} limit 1");
        var writers = await _postgres.LinesAsync("select 1 from pg_locks where relation = 'mt_events'::regclass and mode = 'RowExclusiveLock'");
        return left.Count == 0 && writers.Count == 0;
    }

    private static int Setting(string variable, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : usual;
}
