using System.Text;
using Npgsql;
using Sentiric.EventStore.Tests.Aggregates;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Projections;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>
/// Every statement that the store runs, with the plan that PostgreSQL chose for it on a filled store. docs/event-store-queries.md is written from it;
/// SENTIRIC_ACCEPT=1 accepts a new one that was read.
/// </summary>
[Trait("Category", "Slow")]
public sealed class StatementPlanTests : IAsyncLifetime
{
    private const int Streams = 4_000, EventsPerStream = 10;
    private readonly PostgresFixture _postgres = new();
    private readonly PlanLog _plans = new();
    private readonly List<(string Name, IReadOnlyList<ExplainedStatement> Statements)> _said = [];

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    [Fact]
    public async Task No_statement_reads_a_filled_log_from_end_to_end()
    {
        await FillAsync();
        await using var source = Explained();
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);
        await AppendAsync(store);
        await ReadAsync(store);
        await FetchAsync(source, store);
        await SubscribeAsync(source, store);
        await ProjectAsync(source, store);
        await OperateAsync(source, store);

        Assert.All(_said, s => Assert.True(s.Statements.Count > 0, $"'{s.Name}' ran no statement that was explained."));
        var scans = _said.SelectMany(s => s.Statements.Where(ReadsLogFromEndToEnd).Select(x => $"{s.Name}: {x.Sql}")).ToList();
        Assert.True(scans.Count == 0, "These read mt_events or mt_streams from end to end:\n" + string.Join("\n", scans));
        CompareWithDocument();
    }

    // By statement and not as a whole: which statements run again between two others depends on the time that passes.
    // Those that never come near the log (catalogs, bookkeeping of a few rows) are written down, but may change without it.
    private void CompareWithDocument()
    {
        var file = Repository.PathOf("docs", "event-store-queries.md");
        if (Environment.GetEnvironmentVariable("SENTIRIC_ACCEPT") == "1") File.WriteAllText(file, Document());
        var document = File.ReadAllText(file);
        var missing = _said.SelectMany(s => s.Statements.Where(x => x.Access.Any(TouchesLog) && !IsTold(document, x)).Select(x => $"{s.Name}: {x.Sql}\n  {string.Join("\n  ", x.Access)}")).ToList();
        Assert.True(missing.Count == 0, "docs/event-store-queries.md does not have these, or with another way to the log; read them and accept with SENTIRIC_ACCEPT=1:\n" + string.Join("\n", missing));
    }

    private static bool IsTold(string document, ExplainedStatement statement)
    {
        var at = document.IndexOf($"```sql\n{statement.Sql}\n```\n", StringComparison.Ordinal);
        if (at < 0) return false;
        var end = document.IndexOf("\n\n", at, StringComparison.Ordinal);
        var told = document[at..(end < 0 ? document.Length : end)];
        return statement.Access.Where(TouchesLog).All(a => told.Contains("- " + a, StringComparison.Ordinal));
    }

    private static bool TouchesLog(string access) => access.EndsWith(" on mt_events", StringComparison.Ordinal) || access.EndsWith(" on mt_streams", StringComparison.Ordinal);

    [Fact]
    public async Task A_statement_that_does_is_seen()
    {
        await FillAsync();
        await using var source = Explained();
        await using var scan = source.CreateCommand("select count(*) from mt_events where correlation_id = 'x'");
        await scan.ExecuteScalarAsync();
        Assert.True(ReadsLogFromEndToEnd(Assert.Single(_plans.Take())));
    }

    private async Task AppendAsync(PostgresEventStore store)
    {
        EventData[] two = [Facts.Raised(1), Facts.Raised(2)];
        await SayAsync("Append one event to a new stream", () => store.AppendToStreamAsync("t1", "new", ExpectedVersion.NoStream, [Facts.Raised(1)]));
        await SayAsync("Append one event at an exact version", () => store.AppendToStreamAsync("t1", "new", ExpectedVersion.Exact(1), [Facts.Raised(1)]));
        await SayAsync("Append one event to a stream that exists", () => store.AppendToStreamAsync("t1", "new", ExpectedVersion.StreamExists, [Facts.Raised(1)]));
        await SayAsync("Append one event at any version", () => store.AppendToStreamAsync("t1", "new", ExpectedVersion.Any, [Facts.Raised(1)]));
        await SayAsync("Append several events", () => store.AppendToStreamAsync("t1", "new", ExpectedVersion.Any, two));
        await SayAsync("Append several events to a new stream", () => store.AppendToStreamAsync("t1", "new-of-two", ExpectedVersion.NoStream, two));
        await SayAsync("Append several events at an exact version", () => store.AppendToStreamAsync("t1", "new-of-two", ExpectedVersion.Exact(2), two));
        await SayAsync("Appends that wait share one commit", () => Async(() => ShareOneCommitAsync(store)));
        await SayAsync("Append idempotently", () => store.AppendToStreamAsync("t1", "new", ExpectedVersion.Any, two, new AppendOptions(Idempotent: true)));
        await SayAsync("Append idempotently what is there", () => store.AppendToStreamAsync("t1", "new", ExpectedVersion.Exact(7), two, new AppendOptions(Idempotent: true)));
        await SayAsync("Append to several streams together", () => store.AppendToStreamsAsync("t1", [new StreamAppend(null, "new", ExpectedVersion.Any, [Facts.Raised(1)]), new StreamAppend("t2", "new2", ExpectedVersion.NoStream, [Facts.Raised(1)])]));
        await SayAsync("Refuse an append", () => Async(async () =>
            await Assert.ThrowsAsync<WrongExpectedVersionException>(async () => await store.AppendToStreamAsync("t1", "new", ExpectedVersion.Exact(1), [Facts.Raised(1)]))));
        await SayAsync("Import by COPY", () => store.ImportAsync(new[] { Imported("import", 1), Imported("s-7", EventsPerStream) with { EventId = IdOf("t2", "s-7", EventsPerStream) } }.ToAsyncEnumerable()));
    }

    /// <summary>Two streams' appends wait while a third stream's row is somebody else's.</summary>
    private async ValueTask ShareOneCommitAsync(PostgresEventStore store)
    {
        await using var row = await RowLock.TakeAsync(_postgres, "t1", "blocked");
        var blocked = store.AppendToStreamAsync("t1", "blocked", ExpectedVersion.Any, [Facts.Raised(1)]).AsTask();
        await row.IsWaitedForAsync(_postgres);
        var goesOn = store.AppendToStreamAsync("t1", "new", ExpectedVersion.StreamExists, [Facts.Raised(1)]).AsTask();
        var starts = store.AppendToStreamAsync("t1", "new-in-group", ExpectedVersion.NoStream, [Facts.Raised(1), Facts.Raised(2)]).AsTask();
        await row.DisposeAsync();
        await Task.WhenAll(blocked, goesOn, starts);
    }

    private async Task ReadAsync(PostgresEventStore store)
    {
        await SayAsync("High-water mark", () => store.GetHighWaterMarkAsync());
        await _postgres.ExecuteAsync("select nextval('mt_events_sequence')");
        await store.AppendToStreamAsync("t1", "behind-a-hole", ExpectedVersion.Any, [Facts.Raised(1)]);
        _plans.Take();
        await SayAsync("High-water mark over a hole", () => store.GetHighWaterMarkAsync());
        await SayAsync("Read a page of the log", () => store.ReadAllAsync(20_000, 500).ToListAsync());
        await SayAsync("Read a stream", () => store.ReadStreamAsync("t1", "s-100").ToListAsync());
        await SayAsync("Read a stream from a version on", () => store.ReadStreamAsync("t1", "s-100", 5, 3).ToListAsync());
        await SayAsync("State of a stream", () => store.GetStreamStateAsync("t1", "s-100"));
        await SayAsync("Fold a stream", () => store.AggregateStreamAsync("t1", "s-100", 0, Facts.Sum));
        await SayAsync("Archive a stream", () => store.ArchiveStreamAsync("t1", "s-101"));
    }

    private async Task FetchAsync(NpgsqlDataSource source, PostgresEventStore store)
    {
        var aggregate = new Aggregate<Tally>("tally", Tally.None, Tally.Evolve) { Snapshots = new Snapshots<Tally>(TallyJson.Default.Tally, 1) { EveryEvents = 1 } };
        await SayAsync("Fetch a stream for writing and leave a snapshot", () => store.FetchForWritingAsync("t1", "s-102", aggregate));
        await SayAsync("Fetch a stream from its snapshot", () => store.FetchForWritingAsync("t1", "s-102", aggregate));
        // The vault's own statements are not the store's.
        var protection = new PersonalDataProtection(new PersonalDataMap([], (_, _, _) => null), new PostgresSubjectVault(_postgres.Source, MasterKeys.Parse(MasterKeys.NewKey("plans"))), TimeProvider.System);
        await protection.StartAsync();
        await using var sealing = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System, new() { Protection = protection });
        await SayAsync("Fold a stream under protection", () => sealing.AggregateStreamAsync("t1", "s-102", 0, Facts.Sum));
        await SayAsync("Fetch under protection and leave a sealed snapshot", () => sealing.FetchForWritingAsync("t1", "s-102", aggregate));
        await SayAsync("Fetch from a sealed snapshot", () => sealing.FetchForWritingAsync("t1", "s-102", aggregate));
        await _postgres.ExecuteAsync("update sx_sealed_snapshot set key_ids = array['AAAAAAAAAAAAAAAA'] where name = 'tally'");
        await SayAsync("Throw away a sealed snapshot that does not open", () => sealing.FetchForWritingAsync("t1", "s-102", aggregate));
        await SayAsync("Delete the snapshots of a stream", () => Async(() => sealing.DeleteSnapshotsAsync("t1", "s-102")));
    }

    private async Task SubscribeAsync(NpgsqlDataSource source, PostgresEventStore store)
    {
        var checkpoints = new PostgresCheckpointStore(source);
        await SayAsync("Start a subscription", () => checkpoints.TryAdvanceAsync("relay:All", null, 5));
        await SayAsync("Advance a subscription", () => checkpoints.TryAdvanceAsync("relay:All", 5, 9));
        await SayAsync("Load a checkpoint", () => checkpoints.LoadAsync("relay:All"));
        await SayAsync("Park an event", () => Async(() => checkpoints.ParkAsync(new ParkedEvent("relay:All", 7, "t1", "x", DateTimeOffset.UnixEpoch, "E", "why"))));
        await SayAsync("List parked events", () => checkpoints.ListParkedAsync("relay:All"));
    }

    private async Task ProjectAsync(NpgsqlDataSource source, PostgresEventStore store)
    {
        var daemon = new ProjectionDaemon(source, store, [new CounterViews()], TimeProvider.System);
        var manager = new ProjectionManager(source, store, TimeProvider.System);
        await SayAsync("Catch up a projection", () => Async(() => daemon.CatchUpAsync()));
        await SayAsync("Rebuild a projection", () => Async(() => daemon.RebuildAsync("CounterView")));
        await SayAsync("Rebuild one stream", () => Async(() => daemon.RebuildStreamAsync("CounterView", "t1", "s-100")));
        await SayAsync("Status of projections and subscriptions", () => manager.ListAsync());
        await SayAsync("Pause and resume", () => Async(async () =>
        {
            await manager.PauseAsync("CounterView", "test", "me");
            await manager.ResumeAsync("CounterView");
        }));
        await SayAsync("Skip an event", () => Async(() => manager.SkipAsync("relay", 1_000_000)));
        await SayAsync("Discard a parked event", () => manager.DiscardParkedAsync("relay", 7));
    }

    private async Task OperateAsync(NpgsqlDataSource source, PostgresEventStore store)
    {
        // A threshold below what the store holds: what is measured is what a big store costs.
        await SayAsync("Statistics", () => new StatisticsReader(source, store, TimeProvider.System, exactUpTo: 100).ReadAsync());
        await SayAsync("Position at a moment", () => new LogClock(source).PositionBeforeAsync(DateTimeOffset.UnixEpoch.AddSeconds(12_345), 40_000));
        await SayAsync("Health", () => new StoreHealth(source, store, TimeProvider.System, new HealthThresholds()).CheckAsync());
        await SayAsync("Export a page", () => new LogExport(source, store).WriteAsync(Stream.Null, new ExportScope("t1", "s-100")));
    }

    private async Task SayAsync<T>(string name, Func<ValueTask<T>> run)
    {
        await run();
        _said.Add((name, _plans.Take()));
    }

    private static async ValueTask<bool> Async(Func<ValueTask> run)
    {
        await run();
        return true;
    }

    private static bool ReadsLogFromEndToEnd(ExplainedStatement statement) =>
        statement.Access.Any(a => a is "Seq Scan on mt_events" or "Seq Scan on mt_streams" or "Parallel Seq Scan on mt_events" or "Parallel Seq Scan on mt_streams");

    private string Document()
    {
        var text = new StringBuilder("""
            # Statements of the event store

            Every statement that the store runs, with the way by which PostgreSQL reaches each table on a store of 40,000 events in 4,000 streams. Written by
            `StatementPlanTests`, which fails when one of them reads `mt_events` or `mt_streams` from end to end; the plans are those of the running statements
            (auto_explain), with the settings and prepared plans of their sessions. Small tables (`mt_event_progression`, `sx_*`) may be scanned: they have a row
            a shard. After a change: `SENTIRIC_ACCEPT=1 dotnet test tests/Sentiric.EventStore.Tests --filter StatementPlanTests`, and read the difference.

            """);
        var told = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, statements) in _said)
        {
            text.Append("\n## ").Append(name).Append('\n');
            foreach (var statement in statements.DistinctBy(s => s.Sql))
            {
                if (told.TryGetValue(statement.Sql, out var before))
                {
                    text.Append($"\nThe statement of \"{before}\": `{Shortened(statement.Sql)}`\n");
                    continue;
                }

                told[statement.Sql] = name;
                text.Append("\n```sql\n").Append(statement.Sql).Append("\n```\n");
                var ways = _said.SelectMany(s => s.Statements).Where(s => s.Sql == statement.Sql).SelectMany(s => s.Access).Distinct().ToList();
                foreach (var way in ways) text.Append("- ").Append(way).Append('\n');
                if (ways.Count == 0) text.Append("- no table\n");
            }
        }

        return text.ToString();
    }

    private static string Shortened(string sql) => sql.Length <= 90 ? sql : sql[..90] + " …";

    private NpgsqlDataSource Explained()
    {
        var connection = new NpgsqlConnectionStringBuilder(_postgres.ConnectionString) { Options = PlanLog.SessionOptions };
        var builder = new NpgsqlDataSourceBuilder(connection.ConnectionString);
        builder.UseLoggerFactory(_plans);
        return builder.Build();
    }

    private Task FillAsync() => _postgres.ExecuteAsync($$"""
        insert into mt_streams (tenant_id, id, type, version, timestamp, created, is_archived)
        select 't' || (1 + s % 3), 's-' || s, 'counter', {{EventsPerStream}}, now(), now(), s % 50 = 0 from generate_series(1, {{Streams}}) s;
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived)
        select nextval('mt_events_sequence'), md5('t' || (1 + s % 3) || 's-' || s || v)::uuid, 's-' || s, v, '{"By": 1}', 'counter_raised', to_timestamp((v - 1) * {{Streams}} + s), 't' || (1 + s % 3), 'x', false
        from generate_series(1, {{EventsPerStream}}) v, generate_series(1, {{Streams}}) s;
        insert into sx_snapshot (tenant_id, stream_id, name, shape, version, data) select tenant_id, id, 'other', 1, 1, '{}' from mt_streams;
        insert into sx_sealed_snapshot (tenant_id, stream_id, name, shape, version, key_ids, data) select tenant_id, id, 'other', 1, 1, '{}', '' from mt_streams;
        insert into mt_event_progression (name, last_seq_id) values ('HighWaterMark', {{Streams * EventsPerStream - 100}});
        analyze;
        """);

    // The id that FillAsync gave.
    private static Guid IdOf(string tenant, string stream, int version) =>
        Guid.ParseExact(Convert.ToHexStringLower(System.Security.Cryptography.MD5.HashData(Encoding.UTF8.GetBytes($"{tenant}{stream}{version}"))), "N");

    private static ImportedEvent Imported(string stream, long version) =>
        new(stream == "import" ? "t1" : "t2", stream, version, Guid.CreateVersion7(), "counter_raised", DateTimeOffset.UnixEpoch, "{\"By\": 1}"u8.ToArray(), EventMetadata.None);
}
