using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Ops;

public sealed class HealthTests : IAsyncLifetime
{
    private readonly PostgresFixture _postgres = new();
    private readonly ManualTime _later = new(DateTimeOffset.UnixEpoch);

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    [Fact]
    public async Task A_store_that_is_well_has_nothing_to_say()
    {
        await AppendAsync();
        Assert.Empty(await Health(TimeProvider.System).CheckAsync());
    }

    [Fact]
    public async Task A_hole_that_stays_open_names_the_transaction_that_keeps_it()
    {
        await using var connection = await _postgres.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var draw = new NpgsqlCommand(
            "insert into mt_streams (tenant_id, id, version, timestamp, created) values ('t', 'slow', 1, now(), now()); lock table mt_events in row exclusive mode; select nextval('mt_events_sequence')", connection);
        await draw.ExecuteNonQueryAsync();
        await AppendAsync();
        Assert.Empty(await Health(TimeProvider.System).CheckAsync());
        var finding = Assert.Single(await Health(InTwoMinutes()).CheckAsync());
        Assert.Equal((FindingLevel.Warning, "store.hole"), (finding.Level, finding.Code));
        Assert.Contains($"pg_terminate_backend({connection.ProcessID})", finding.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shard_that_does_not_come_after_is_named_with_how_long_it_has_waited()
    {
        await AppendAsync();
        var checkpoints = new PostgresCheckpointStore(_postgres.Source);
        await checkpoints.TryAdvanceAsync("Calls:All", null, 0);
        Assert.Empty(await Health(TimeProvider.System).CheckAsync());
        var finding = Assert.Single(await Health(InTwoMinutes()).CheckAsync());
        Assert.Equal("store.shard_behind", finding.Code);
        Assert.Contains("Calls is 1 positions behind: its next event has waited 1", finding.Sentence, StringComparison.Ordinal);
        Assert.Empty(await Health(InTwoMinutes(), new HealthThresholds { Shards = ["Users:All"] }).CheckAsync());
    }

    [Fact]
    public async Task Parked_events_are_a_warning()
    {
        await new PostgresCheckpointStore(_postgres.Source).ParkAsync(new ParkedEvent("Calls:V2:All", 7, "t", "x", DateTimeOffset.UnixEpoch, "E", "why"));
        var finding = Assert.Single(await Health(TimeProvider.System).CheckAsync());
        Assert.Equal((FindingLevel.Warning, "store.parked"), (finding.Level, finding.Code));
        Assert.StartsWith("1 event is parked (Calls:V2:All)", finding.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_without_its_tables_says_which_are_missing()
    {
        await _postgres.ExecuteAsync("drop table sx_append_key; drop table mt_event_progression");
        var finding = Assert.Single(await Health(TimeProvider.System).CheckAsync());
        Assert.Equal((FindingLevel.Failure, "store.schema_missing"), (finding.Level, finding.Code));
        Assert.Contains("mt_event_progression, sx_append_key", finding.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_takes_no_writes_fails()
    {
        var readOnly = new NpgsqlConnectionStringBuilder(_postgres.ConnectionString) { Options = "-c default_transaction_read_only=on" };
        await using var source = NpgsqlDataSource.Create(readOnly);
        var finding = Assert.Single(await new StoreHealth(source, _postgres.Store, TimeProvider.System, new HealthThresholds()).CheckAsync());
        Assert.Equal((FindingLevel.Failure, "store.read_only"), (finding.Level, finding.Code));
    }

    [Fact]
    public async Task A_PostgreSQL_that_is_away_is_a_finding_and_no_exception()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=x;Database=x;Timeout=2");
        var finding = Assert.Single(await new StoreHealth(nowhere, _postgres.Store, TimeProvider.System, new HealthThresholds()).CheckAsync());
        Assert.Equal((FindingLevel.Failure, "store.unreachable"), (finding.Level, finding.Code));
    }

    private ValueTask<AppendResult> AppendAsync() => _postgres.Store.AppendToStreamAsync("t", Guid.NewGuid().ToString(), ExpectedVersion.NoStream, [Facts.Raised(1)]);

    // The store stamps events by the machine's clock; who looks is two minutes ahead.
    private ManualTime InTwoMinutes()
    {
        _later.Advance(TimeProvider.System.GetUtcNow().AddMinutes(2) - _later.GetUtcNow());
        return _later;
    }

    private StoreHealth Health(TimeProvider clock, HealthThresholds? thresholds = null) =>
        new(_postgres.Source, _postgres.Store, clock, (thresholds ?? new HealthThresholds()) with { DiskFreeWarning = 0, DiskFreeFailure = 0 });
}
