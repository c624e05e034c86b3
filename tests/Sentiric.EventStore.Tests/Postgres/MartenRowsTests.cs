using System.Text.Json.Serialization;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Projections;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

public sealed record CompactedSum([property: JsonPropertyName("Snapshot")] SumView Snapshot, long PreviousEventCount);

public sealed record SumView(int Total);

[JsonSerializable(typeof(CompactedSum))]
internal sealed partial class CompactedJson : JsonSerializerContext;

/// <summary>Rows that a Marten host wrote: read, appended to, aggregated and projected, and nothing taken for what it is not.</summary>
public abstract class MartenRowsContract(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly string Stream = NamedStreams.IdOf("marten");
    private static readonly MartenHost.Event Four = new("counter_raised", """{"By": 4}""");

    private MartenHost Marten => new(postgres);

    private string Tenant => postgres.Options.Tenancy == MartenTenancy.Single ? "*DEFAULT*" : "acme";

    private PostgresEventStore Store => postgres.Store;

    public async Task InitializeAsync() => await postgres.InitializeAsync();

    public async Task DisposeAsync() => await postgres.DisposeAsync();

    [Fact]
    public async Task Its_streams_are_read_aggregated_and_appended_to()
    {
        var numbers = await Marten.StartAsync(Tenant, Stream, "counter", new("counter_opened", """{"Name": "çay"}"""), Four, Four);
        var handle = await Store.FetchForWritingAsync(Tenant, Stream, 0, Facts.Sum);
        Assert.Equal((8, 3L), (handle.State, handle.Version));
        var appended = await handle.AppendAsync([Facts.Raised(2)]);
        Assert.True(await Marten.AppendAsync(Tenant, Stream, 4, await Marten.DrawAsync(1), Four));

        Assert.Equal(14, await Store.AggregateStreamAsync(Tenant, Stream, 0, Facts.Sum));
        Assert.Equal(new StreamState(Tenant, Stream, "counter", 5, default, default, false), (await Store.GetStreamStateAsync(Tenant, Stream))! with { Created = default, LastChanged = default });
        Assert.Equal([.. numbers, appended.LastPosition], await Store.ReadAllAsync(0, 4).Select(e => e.Position).ToListAsync());
        await Assert.ThrowsAsync<WrongExpectedVersionException>(async () => await handle.AppendAsync([Facts.Raised(1)]));
    }

    [Fact]
    public async Task Its_events_reach_projections_beside_ours()
    {
        await Marten.StartAsync(Tenant, Stream, "counter", new("counter_opened", """{"Name": "çay"}"""), Four);
        await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Exact(2), [Facts.Raised(1)]);
        var daemon = new ProjectionDaemon(postgres.Source, Store, [new CounterRows(), new CounterViews()], TimeProvider.System);
        await daemon.CatchUpAsync();
        await daemon.RebuildAsync("CounterView");

        Assert.Equal([$"{Stream} | 5"], await postgres.LinesAsync("select id, total from counter_row"));
        Assert.Equal([$$"""{{Stream}} | {"Name": "çay", "Total": 5} | 3"""], await postgres.LinesAsync("select id, data::text, mt_version from mt_doc_counterview"));
        Assert.Equal([postgres.Options.Shape == MartenShape.Marten8 ? "integer" : "bigint"], await postgres.LinesAsync(
            "select format_type(atttypid, null) from pg_attribute where attrelid = 'mt_doc_counterview'::regclass and attname = 'mt_version'"));
    }

    [Fact]
    public async Task A_binary_event_is_never_an_empty_object()
    {
        if (!EventTables.Of(postgres.Options).HasBinaryData) return;
        byte[] payload = [1, 2, 3];
        await Marten.StartAsync(Tenant, Stream, null, Four, new MartenHost.Event("counter_raised", "{}", Binary: payload), Four);
        var read = await Store.ReadStreamAsync(Tenant, Stream).ToListAsync();
        Assert.Equal(payload, read[1].Binary?.ToArray());
        Assert.Equal((null, null), (read[0].Binary, read[2].Binary));
        Assert.Equal(("counter_raised", 2L), Told(Assert.Throws<BinaryEventException>(() => Store.Serializer.Deserialize(read[1]))));
        await Assert.ThrowsAsync<BinaryEventException>(async () => await Store.AggregateStreamAsync(Tenant, Stream, 0, Facts.Sum));

        var daemon = new ProjectionDaemon(postgres.Source, Store, [new CounterRows()], TimeProvider.System, new ProjectionOptions { RetryDelay = TimeSpan.FromMilliseconds(1) });
        await daemon.CatchUpAsync();
        Assert.Equal(["8"], await postgres.LinesAsync("select total from counter_row"));
        var parked = Assert.Single(await new PostgresCheckpointStore(postgres.Source).ListParkedAsync(ShardName.Of("CounterRows")));
        Assert.Equal((2L, nameof(BinaryEventException)), (parked.Position, parked.ErrorType));
    }

    private static (string, long) Told(BinaryEventException binary) => (binary.EventType, binary.Position);

    [Fact]
    public async Task Tombstones_fill_numbers_and_are_no_events()
    {
        await using var patient = postgres.NewStore(postgres.Options with { ForeignWriters = true, ForeignStaleThreshold = TimeSpan.FromMinutes(10) });
        var numbers = await Marten.DrawAsync(2);
        var mine = await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [Facts.Raised(1)]);
        Assert.True(await patient.GetHighWaterMarkAsync() < mine.LastPosition);
        await Marten.BuryAsync(numbers);

        Assert.Equal(mine.LastPosition, await patient.GetHighWaterMarkAsync());
        Assert.Equal([mine.LastPosition], await patient.ReadAllAsync(0, 10).Select(e => e.Position).ToListAsync());
        var daemon = new ProjectionDaemon(postgres.Source, patient, [new CounterRows()], TimeProvider.System);
        await daemon.CatchUpAsync();
        Assert.Empty(await new PostgresCheckpointStore(postgres.Source).ListParkedAsync(ShardName.Of("CounterRows")));
        var tombstones = await Store.ReadStreamAsync("*DEFAULT*", Marten.Tombstones.ToString()!).ToListAsync();
        Assert.Equal([("tombstone", DateTimeOffset.MinValue), ("tombstone", DateTimeOffset.MinValue)], tombstones.Select(t => (t.EventType, t.RecordedAt)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Gone.Type, Gone.Assembly")]
    [InlineData("Sentiric.EventStore.Tests.Contract.NoteTaken, Sentiric.EventStore.Tests")]
    public async Task The_stored_name_decides_whatever_the_dotnet_type_says(string? dotnetType)
    {
        await Marten.StartAsync(Tenant, Stream, null, Four with { DotnetType = dotnetType });
        Assert.Equal(new CounterRaised(4), Store.Serializer.Deserialize(await Store.ReadStreamAsync(Tenant, Stream).SingleAsync()));
    }

    [Fact]
    public async Task Headers_of_any_JSON_are_handed_on()
    {
        await Marten.StartAsync(Tenant, Stream, null,
            Four with { Headers = """{"text": "ı", "number": 1.50, "object": {"a": [1, null]}, "nothing": null, "occurred_at": 5}""" },
            Four with { Headers = """{"occurred_at": "2026-01-02T03:04:05Z"}""" }, Four with { Headers = "{}" }, Four with { Headers = "[1]" });
        var read = await Store.ReadStreamAsync(Tenant, Stream).ToListAsync();

        Assert.Equal(
            new Dictionary<string, string> { ["text"] = "ı", ["number"] = "1.50", ["object"] = """{"a": [1, null]}""", ["nothing"] = "null", ["occurred_at"] = "5" },
            read[0].Metadata.Headers);
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), read[1].OccurredAt);
        Assert.All(read.Skip(1), e => Assert.Null(e.Metadata.Headers));
        Assert.Equal(read[0].RecordedAt, read[0].OccurredAt);
    }

    [Fact]
    public async Task A_stream_that_it_archived_is_closed_and_readable()
    {
        await Marten.StartAsync(Tenant, Stream, null, Four, new("archived", """{"Reason": "done"}"""));
        await Marten.ArchiveAsync(Tenant, Stream);
        await Assert.ThrowsAsync<StreamArchivedException>(async () => await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [Facts.Raised(1)]));
        var read = await Store.ReadStreamAsync(Tenant, Stream).ToListAsync();

        Assert.Equal(["counter_raised", "archived"], read.Select(e => e.EventType));
        Assert.Throws<UnknownEventTypeException>(() => Store.Serializer.Deserialize(read[1]));
        Assert.True(await Store.UnarchiveStreamAsync(Tenant, Stream));
        await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Exact(2), [Facts.Raised(1)]);
    }

    [Fact]
    public async Task A_compacted_stream_starts_at_its_snapshot()
    {
        var serializer = new EventTypeMap(
        [
            EventTypeEntry.Of("counter_raised", FactsJson.Default.CounterRaised),
            EventTypeEntry.Of("Compacted<SumView>", CompactedJson.Default.CompactedSum),
        ]);
        await using var store = new PostgresEventStore(postgres.Source, serializer, TimeProvider.System, postgres.Options);
        await Marten.StartAsync(Tenant, Stream, "sum_view", Four, Four, Four, Four);
        await postgres.ExecuteAsync("""
            delete from mt_events where version < 3;
            update mt_events set type = 'Compacted<SumView>', data = '{"Snapshot": {"Total": 12}, "PreviousEventCount": 3}' where version = 3
            """);
        static int Sum(int state, object @event) => @event is CompactedSum compacted ? compacted.Snapshot.Total : Facts.Sum(state, @event);

        await Assert.ThrowsAsync<StreamTruncatedException>(async () => await store.AggregateStreamAsync(Tenant, Stream, 0, Sum));
        Assert.Equal(16, await store.AggregateStreamAsync(Tenant, Stream, 0, Sum, new FoldBound(FromTruncation: true)));
        Assert.Equal(5, (await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Exact(4), [Facts.Raised(1)])).Version);
    }
}

public sealed class Marten9RowsTests() : MartenRowsContract(new PostgresFixture());

public sealed class Marten9GuidRowsTests() : MartenRowsContract(new GuidFixture());

public sealed class Marten8RowsTests() : MartenRowsContract(new Marten8Fixture());

public sealed class Marten9SingleRowsTests() : MartenRowsContract(new SingleFixture());

public sealed class Marten9PartitionedRowsTests() : MartenRowsContract(new PartitionedFixture());
