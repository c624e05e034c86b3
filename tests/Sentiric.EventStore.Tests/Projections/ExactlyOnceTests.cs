using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Projections;

/// <summary>Whatever dies between two statements, an event is in the rows once.</summary>
public sealed class ExactlyOnceTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly PostgresFixture _postgres = new();

    private static readonly ProjectionOptions Options = new()
    {
        BatchSize = 5,
        MaxBatchSize = 20,
        RetryDelay = TimeSpan.FromMilliseconds(1),
        OwnershipInterval = TimeSpan.FromMilliseconds(20),
        PollInterval = TimeSpan.FromMilliseconds(100),
    };

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    [Fact]
    public async Task A_backend_that_is_killed_after_any_statement_of_a_batch_costs_and_doubles_nothing()
    {
        for (var i = 0; i < 40; i++) await _postgres.Store.AppendToStreamAsync("acme", $"s-{i % 4}", ExpectedVersion.Any, [Facts.Raised(1), Facts.Raised(2)]);
        using var stop = new CancellationTokenSource();
        var dying = new DyingRows(_postgres);
        var daemon = new ProjectionDaemon(_postgres.Source, _postgres.Store, [dying, new Totals()], TimeProvider.System, Options);
        var running = daemon.RunAsync(stop.Token);
        await daemon.WaitForAsync("CounterRows", 80, Patience);
        await daemon.WaitForAsync("Totals", 80, Patience);
        await stop.CancelAsync();
        await running.WaitAsync(Patience);

        Assert.Equal(0, dying.Left);
        Assert.Equal(["30", "30", "30", "30"], await _postgres.LinesAsync("select total from counter_row order by id"));
        Assert.Equal(["80 | 80"], await _postgres.LinesAsync("select count(*), count(distinct position) from counter_entry"));
        Assert.Equal(["30", "30", "30", "30"], await _postgres.LinesAsync("select data ->> 'Total' from mt_doc_totals order by id"));
        Assert.Empty(await _postgres.LinesAsync("select 1 from mt_doc_deadletterevent"));
    }

    [Fact]
    public async Task Backends_that_are_killed_at_any_moment_cost_and_double_nothing()
    {
        using var stop = new CancellationTokenSource();
        var hosts = Enumerable.Range(0, 2).Select(n =>
            new ProjectionDaemon(_postgres.Source, _postgres.Store, [new CounterRows(), new Totals()], TimeProvider.System, Options with { HostName = "host-" + n })).ToList();
        var running = hosts.Select(h => h.RunAsync(stop.Token)).ToList();
        // Apart from the pool whose connections it kills.
        await using var killer = new NpgsqlConnection(_postgres.ConnectionString + ";Pooling=false");
        await killer.OpenAsync();
        var (last, expected) = (0L, 0);
        for (var round = 0; round < 12; round++)
        {
            for (var i = 0; i < 10; i++)
            {
                last = (await AppendAsync($"s-{i}", round * 10 + i)).LastPosition;
                expected += round * 10 + i;
            }
            await using var kill = new NpgsqlCommand("""
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and query not like '%mt_streams%' and random() < 0.6
                """, killer);
            await kill.ExecuteNonQueryAsync();
        }
        await Task.WhenAny(hosts.Select(h => h.WaitForAsync("CounterRows", last, Patience).AsTask()));
        await Task.WhenAny(hosts.Select(h => h.WaitForAsync("Totals", last, Patience).AsTask()));
        await stop.CancelAsync();
        await Task.WhenAll(running).WaitAsync(Patience);

        // What lies killed in the pool is not what this asks through.
        _postgres.Source.Clear();
        Assert.Equal([$"{expected}"], await _postgres.LinesAsync("select sum(total) from counter_row"));
        Assert.Equal([$"{expected}"], await _postgres.LinesAsync("select sum((data ->> 'Total')::int) from mt_doc_totals"));
        Assert.Equal(["120 | 120"], await _postgres.LinesAsync("select count(*), count(distinct position) from counter_entry"));
        Assert.Empty(await _postgres.LinesAsync("select 1 from mt_doc_deadletterevent"));
    }

    [Fact]
    public async Task A_batch_behind_somebody_elses_checkpoint_leaves_nothing()
    {
        await AppendAsync("s", 1);
        var daemon = new ProjectionDaemon(_postgres.Source, _postgres.Store, [new MeddledRows(_postgres)], TimeProvider.System, Options);
        await daemon.CatchUpAsync();
        await AppendAsync("s", 2);
        await Assert.ThrowsAsync<CheckpointMovedException>(async () => await daemon.CatchUpAsync());
        Assert.Equal(["1"], await _postgres.LinesAsync("select total from counter_row"));
        Assert.Empty(await _postgres.LinesAsync("select 1 from mt_doc_deadletterevent"));
    }

    [Fact]
    public async Task Poison_in_a_large_batch_is_found_in_few_steps()
    {
        await _postgres.Store.AppendToStreamAsync("acme", "s", ExpectedVersion.Any, [.. Facts.Raised(200, 1), Facts.Raised(-1_000), .. Facts.Raised(200, 1)]);
        var counted = new CountedRows();
        await new ProjectionDaemon(_postgres.Source, _postgres.Store, [counted], TimeProvider.System, Options with { BatchSize = 500, MaxBatchSize = 500 }).CatchUpAsync();

        Assert.Equal(["400"], await _postgres.LinesAsync("select total from counter_row"));
        Assert.Equal(["201"], await _postgres.LinesAsync("select data ->> 'EventSequence' from mt_doc_deadletterevent"));
        Assert.InRange(counted.Batches, 2, 30);
    }

    // A killed connection of the append side is told to the caller; the same ids make it one append.
    private async Task<AppendResult> AppendAsync(string stream, int by)
    {
        EventData[] once = [Facts.Raised(by)];
        while (true)
        {
            try
            {
                return await _postgres.Store.AppendToStreamAsync("acme", stream, ExpectedVersion.Any, once, new AppendOptions { Idempotent = true });
            }
            catch (EventStoreUnavailableException)
            {
                continue;
            }
        }
    }

    private sealed class Totals() : SingleStreamProjection<CounterView>("Totals", ViewsJson.Default.CounterView)
    {
        public override CounterView? Evolve(CounterView? document, RecordedEvent recorded, object @event) =>
            @event is CounterRaised raised ? new CounterView("?", (document?.Total ?? 0) + raised.By) : document;
    }

    /// <summary>The rows of the sample, with something done in the middle of a batch.</summary>
    private abstract class DisturbedRows : ITableProjection
    {
        private readonly CounterRows _rows = new();

        public string Name => _rows.Name;

        public int Version => _rows.Version;

        public IReadOnlyList<string> Tables => _rows.Tables;

        public string SchemaSql(string suffix) => _rows.SchemaSql(suffix);

        public virtual async ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
        {
            await _rows.ApplyAsync(writer, batch, ct);
            await DisturbAsync(writer, ct);
        }

        protected abstract ValueTask DisturbAsync(IProjectionWriter writer, CancellationToken ct);
    }

    /// <summary>Kills its own backend: before the rows are written, after them, and with the last statement in front of the commit.</summary>
    private sealed class DyingRows(PostgresFixture postgres) : DisturbedRows
    {
        public int Left { get; private set; } = 9;

        protected override async ValueTask DisturbAsync(IProjectionWriter writer, CancellationToken ct)
        {
            if (Left == 0) return;
            switch (Left-- % 3)
            {
                case 0:
                    writer.Execute("select pg_terminate_backend(pg_backend_pid())");
                    break;
                case 1:
                    var pid = (await writer.QueryAsync("select pg_backend_pid()", row => row.GetInt32(0), ct))[0];
                    await postgres.ExecuteAsync($"select pg_terminate_backend({pid})");
                    break;
                default:
                    await writer.QueryAsync("select pg_terminate_backend(pg_backend_pid())", row => row.GetBoolean(0), ct);
                    break;
            }
        }
    }

    private sealed class MeddledRows(PostgresFixture postgres) : DisturbedRows
    {
        private int _batches;

        protected override async ValueTask DisturbAsync(IProjectionWriter writer, CancellationToken ct)
        {
            if (++_batches == 2) await postgres.ExecuteAsync("update mt_event_progression set last_seq_id = last_seq_id + 1 where name = 'CounterRows:All'");
        }
    }

    private sealed class CountedRows : DisturbedRows
    {
        public int Batches { get; private set; }

        protected override ValueTask DisturbAsync(IProjectionWriter writer, CancellationToken ct)
        {
            Batches++;
            return ValueTask.CompletedTask;
        }
    }
}
