using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.EventStore.Tests.Privacy;
using Xunit;

namespace Sentiric.EventStore.Tests.Projections;

/// <summary>Whichever way a rebuild fills its tables, the rows are those that the daemon made event by event.</summary>
[Trait("Category", "Slow")]
public sealed class RebuildFillTests : IAsyncLifetime
{
    private const string Rows = "select tenant_id, id, total, last_position from counter_row order by 1, 2";
    private const string Documents = "select tenant_id, id, data::text, mt_last_modified, mt_dotnet_type, mt_version from mt_doc_counterview order by 1, 2";
    private const int Streams = 40;
    private static readonly ProjectionOptions Options = new() { BatchSize = 50, RebuildBatchSize = 20, RetryDelay = TimeSpan.FromMilliseconds(1) };

    private readonly PostgresFixture _postgres = new();

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    private ProjectionDaemon Daemon(ITableProjection projection) => new(_postgres.Source, _postgres.Store, [projection], TimeProvider.System, Options);

    /// <summary>Streams of two tenants side by side, some deleted and begun again, with an event here and there that no projection can read.</summary>
    private async Task FillAsync(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 300; i++)
        {
            var (tenant, stream) = (random.Next(2) == 0 ? "acme" : "other", $"s-{random.Next(Streams)}");
            EventData[] events = random.Next(12) switch
            {
                0 => [EventData.Of(new CounterOpened($"çay {i}"))],
                1 => [Facts.Raised(-1)],
                2 => [EventData.Of(new RawFact("{}")), Facts.Raised(1)],
                3 => [EventData.Of(new NoteTaken("not wanted"))],
                _ => [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => Facts.Raised(random.Next(50)))],
            };
            await _postgres.Store.AppendToStreamAsync(tenant, stream, ExpectedVersion.Any, events);
        }
    }

    [Theory]
    [InlineData(1, long.MaxValue)]
    [InlineData(3, long.MaxValue)]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    public async Task Documents_are_the_same_in_memory_and_stream_by_stream(int workers, long memoryBudget)
    {
        await FillAsync(workers);
        var daemon = Daemon(new WantsAll());
        await daemon.CatchUpAsync();
        var (rows, parked) = (await _postgres.LinesAsync(Documents), await ParkedAsync());
        Assert.True(rows.Count > 10 && parked.Length > 3, $"{rows.Count} documents, {parked.Length} parked");

        await daemon.RebuildAsync("CounterView", new RebuildOptions { Parallelism = workers, MemoryBudget = memoryBudget });
        Assert.Equal(rows, await _postgres.LinesAsync(Documents));
        Assert.Equal(parked, await ParkedAsync());
        Assert.Equal(["pkey_mt_doc_counterview_tenant_id_id"], await _postgres.LinesAsync("select indexname from pg_indexes where tablename = 'mt_doc_counterview'"));
        Assert.Empty(await _postgres.LinesAsync("select 1 from sx_rebuild_part"));

        await _postgres.Store.AppendToStreamAsync("acme", "s-1", ExpectedVersion.Any, [EventData.Of(new CounterOpened("later"))]);
        await daemon.CatchUpAsync();
        Assert.Contains("later", Assert.Single(await _postgres.LinesAsync(Documents), r => r.StartsWith("acme | s-1 |", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_fill_stream_by_stream_goes_on_behind_the_last_chunk()
    {
        await FillAsync(9);
        var daemon = Daemon(new WantsAll());
        await daemon.CatchUpAsync();
        var rows = await _postgres.LinesAsync(Documents);
        await _postgres.ExecuteAsync($"create table mt_doc_counterview__sx1 (like mt_doc_counterview including all); insert into mt_doc_counterview__sx1 select * from mt_doc_counterview where (tenant_id, id) <= ('other', 's-2'); alter table mt_doc_counterview__sx1 drop constraint mt_doc_counterview__sx1_pkey");
        // As the process left it that died behind its first chunk.
        await _postgres.ExecuteAsync($"""
            insert into sx_rebuild (name, version, state, phase, definitions)
            values ('CounterView', 1, 'Running', 'Filling', array['alter table mt_doc_counterview__sx1 add constraint pkey_mt_doc_counterview_tenant_id_id__sx1 primary key (tenant_id, id);']);
            insert into sx_rebuild_part (name, part, position, tenant_id, stream_id) select 'CounterView', 0, max(seq_id), 'other', 's-2' from mt_events;
            """);
        Assert.Equal(RebuildState.Interrupted, (await daemon.RebuildStatusAsync("CounterView")).State);

        await daemon.RebuildAsync("CounterView", new RebuildOptions { AcceptDifferences = true });
        Assert.Equal(rows, await _postgres.LinesAsync(Documents));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task A_projection_whose_rows_are_of_one_stream_is_filled_side_by_side(int workers)
    {
        await FillAsync(workers + 10);
        var daemon = Daemon(new PartitionedRows());
        await daemon.CatchUpAsync();
        var rows = await _postgres.LinesAsync(Rows);
        var heard = 0L;
        using var crash = new CancellationTokenSource();
        var dying = new Watch(p =>
        {
            heard = p.Position;
            if (p.Position > 200) crash.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await daemon.RebuildAsync("CounterRows", new RebuildOptions { Parallelism = workers }, dying, crash.Token));
        Assert.True(heard > 200, $"heard {heard}");

        await daemon.RebuildAsync("CounterRows", new RebuildOptions { Parallelism = 2 });
        Assert.Equal(rows, await _postgres.LinesAsync(Rows));
    }

    [Fact]
    public async Task One_that_waits_for_erasures_is_filled_in_order_and_goes_on_where_it_stood()
    {
        await FillAsync(12);
        var protection = new PersonalDataProtection(People.Map, new InMemorySubjectVault(TimeProvider.System), TimeProvider.System);
        var daemon = new ProjectionDaemon(
            _postgres.Source, _postgres.Store, [new PartitionedRows()], TimeProvider.System, Options with { Erasure = new ErasureReplay(_postgres.Store, protection) });
        await daemon.CatchUpAsync();
        var rows = await _postgres.LinesAsync(Rows);
        using var crash = new CancellationTokenSource();
        var dying = new Watch(p => { if (p.Position > 200) crash.Cancel(); });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await daemon.RebuildAsync("CounterRows", new RebuildOptions(), dying, crash.Token));

        var heard = long.MaxValue;
        await daemon.RebuildAsync("CounterRows", new RebuildOptions(), new Watch(p => heard = Math.Min(heard, p.Position)));
        Assert.True(heard > 200, $"heard {heard}");
        Assert.Equal(rows, await _postgres.LinesAsync(Rows));
    }

    [Theory]
    [InlineData(long.MaxValue, false)]
    [InlineData(long.MaxValue, true)]
    [InlineData(1, false)]
    public async Task Documents_of_many_streams_are_the_same_folded_and_batch_by_batch(long memoryBudget, bool hasPoison)
    {
        if (hasPoison) await FillAsync(21);
        else for (var i = 0; i < 200; i++) await _postgres.Store.AppendToStreamAsync("acme", $"s-{i % Streams}", ExpectedVersion.Any, [Facts.Raised(20 + i)]);
        var daemon = Daemon(new TotalsByTen());
        await daemon.CatchUpAsync();
        const string documents = "select tenant_id, id, data::text, mt_last_modified, mt_dotnet_type, mt_version from mt_doc_totals order by 1, 2";
        var rows = await _postgres.LinesAsync(documents);
        Assert.True(rows.Count >= 10, $"{rows.Count} documents");

        await daemon.RebuildAsync("Totals", new RebuildOptions { Parallelism = 3, MemoryBudget = memoryBudget });
        Assert.Equal(rows, await _postgres.LinesAsync(documents));
        Assert.Equal(["pkey_mt_doc_totals_tenant_id_id"], await _postgres.LinesAsync("select indexname from pg_indexes where tablename = 'mt_doc_totals'"));
    }

    /// <summary>Each event counts in two documents; one that cannot count in one of them counts in neither.</summary>
    private sealed class TotalsByTen() : MultiStreamProjection<CounterView>("Totals", ViewsJson.Default.CounterView)
    {
        public override IEnumerable<string> KeysOf(RecordedEvent recorded, object @event) =>
            @event is CounterRaised raised ? [$"tens-{raised.By / 10}", $"ones-{raised.By % 10}"] : [];

        public override CounterView? Evolve(string key, CounterView? document, RecordedEvent recorded, object @event)
        {
            if (@event is not CounterRaised { By: var by }) return document;
            if (by == 13 && key.StartsWith("ones", StringComparison.Ordinal)) throw new InvalidOperationException("13 is refused");
            return new CounterView(key, (document?.Total ?? 0) + by);
        }
    }

    private async Task<object[]> ParkedAsync() =>
        [.. (await new PostgresCheckpointStore(_postgres.Source).ListParkedAsync(ShardName.Of("CounterView"), 1_000)).Select(p => (p.Position, p.Tenant, p.EventType, p.ErrorType, p.ErrorMessage))];

    /// <summary>Wants what nobody can read, too.</summary>
    private sealed class WantsAll() : SingleStreamProjection<CounterView>("CounterView", ViewsJson.Default.CounterView)
    {
        private readonly CounterViews _views = new();

        public override bool Wants(string eventType) => eventType != "note_taken";

        public override CounterView? Evolve(CounterView? document, RecordedEvent recorded, object @event) => _views.Evolve(document, recorded, @event);
    }

    private sealed class PartitionedRows : IPartitionedProjection
    {
        private readonly CounterRows _rows = new();

        public string Name => _rows.Name;

        public int Version => _rows.Version;

        public IReadOnlyList<string> Tables => _rows.Tables;

        public string SchemaSql(string suffix) => _rows.SchemaSql(suffix);

        public IReadOnlyCollection<string> EventTypes => ["counter_raised"];

        public ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
        {
            Assert.All(batch, e => Assert.Equal("counter_raised", e.EventType));
            return _rows.ApplyAsync(writer, batch, ct);
        }
    }
}
