using Xunit;

namespace Sentiric.EventStore.Tests.Contract;

/// <summary>What every importer must do. Each implementation runs this suite; each test works in a tenant of its own.</summary>
public abstract class ImportContract
{
    private static readonly DateTimeOffset Long = new(2024, 2, 29, 23, 59, 59, 123, TimeSpan.Zero);

    protected string Tenant { get; } = "i-" + Guid.NewGuid().ToString("N")[..8];

    protected abstract ValueTask<(IEventStore Store, IEventImporter Importer)> OpenAsync();

    [Fact]
    public async Task An_import_keeps_ids_versions_times_and_order()
    {
        var (store, importer) = await OpenAsync();
        var mark = await store.GetHighWaterMarkAsync();
        var metadata = new EventMetadata("corr", "cause", "ayşe", Long.AddDays(-1), new Dictionary<string, string> { ["k"] = "v" });
        ImportedEvent[] events = [Event("a", 1) with { Metadata = metadata, AggregateType = "counter" }, Event("b", 1), Event("a", 2), Event("b", 2)];
        var totals = await importer.ImportAsync(events.ToAsyncEnumerable());
        var read = await store.ReadAllAsync(mark, int.MaxValue).Where(e => e.Tenant == Tenant).ToListAsync();

        Assert.Equal(new ImportTotals(4, 4, 0, read[^1].Position), totals);
        Assert.Equal(events.Select(e => (e.StreamId, e.Version, e.EventId, e.RecordedAt)), read.Select(e => (e.StreamId, e.Version, e.EventId, e.RecordedAt)));
        Assert.Equal(metadata with { Headers = null }, read[0].Metadata with { Headers = null });
        Assert.Equal(metadata.Headers, read[0].Metadata.Headers);
        Assert.Equal(new StreamState(Tenant, "a", "counter", 2, Long.AddSeconds(1), Long.AddSeconds(2), IsArchived: false), await store.GetStreamStateAsync(Tenant, "a"));
        Assert.Equal(3, (await store.AppendToStreamAsync(Tenant, "a", ExpectedVersion.Exact(2), [Facts.Raised(1)])).Version);
    }

    [Fact]
    public async Task An_import_that_was_broken_off_is_run_again()
    {
        var (store, importer) = await OpenAsync();
        var events = Enumerable.Range(1, 10).SelectMany(v => new[] { Event("a", v), Event("b", v) }).ToArray();
        var steps = new List<ImportTotals>();
        var options = new ImportOptions { EventsPerTransaction = 6, Progress = steps.Add };
        await Assert.ThrowsAsync<InvalidDataException>(async () => await importer.ImportAsync(BreakingOff(events.Take(15)), options));
        Assert.Equal([6L, 12L], steps.Select(s => s.Stored));

        var totals = await importer.ImportAsync(events.ToAsyncEnumerable(), options);
        Assert.Equal((20L, 8L, 12L), (totals.Read, totals.Stored, totals.AlreadyStored));
        Assert.Equal(events.Where(e => e.StreamId == "b").Select(e => e.EventId), await store.ReadStreamAsync(Tenant, "b").Select(e => e.EventId).ToListAsync());

        var again = await importer.ImportAsync(events.ToAsyncEnumerable());
        Assert.Equal(new ImportTotals(20, 0, 20, 0), again);
    }

    [Fact]
    public async Task An_import_continues_a_stream_and_refuses_a_hole()
    {
        var (store, importer) = await OpenAsync();
        await store.AppendToStreamAsync(Tenant, "a", ExpectedVersion.NoStream, Facts.Raised(2, 1));

        Assert.Equal(3, (await RefusedAsync(importer, Event("b", 1), Event("b", 3))).Version);
        Assert.Equal(4, (await RefusedAsync(importer, Event("b", 1), Event("a", 4))).Version);
        Assert.Equal(0, (await RefusedAsync(importer, Event("b", 0))).Version);
        Assert.Null(await store.GetStreamStateAsync(Tenant, "b"));
        Assert.Equal(1, (await importer.ImportAsync(new[] { Event("a", 3) }.ToAsyncEnumerable())).Stored);
    }

    [Fact]
    public async Task Another_event_under_the_same_version_is_refused()
    {
        var (store, importer) = await OpenAsync();
        await store.AppendToStreamAsync(Tenant, "a", ExpectedVersion.NoStream, Facts.Raised(2, 1));
        var refused = await RefusedAsync(importer, Event("b", 1), Event("a", 2), Event("a", 3));

        Assert.Equal(("a", 2L), (refused.StreamId, refused.Version));
        Assert.Null(await store.GetStreamStateAsync(Tenant, "b"));
        Assert.Equal(2, (await store.GetStreamStateAsync(Tenant, "a"))?.Version);
    }

    [Fact]
    public async Task An_archived_stream_takes_no_import()
    {
        var (store, importer) = await OpenAsync();
        await store.AppendToStreamAsync(Tenant, "a", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await store.ArchiveStreamAsync(Tenant, "a");
        await Assert.ThrowsAsync<StreamArchivedException>(async () => await importer.ImportAsync(new[] { Event("a", 2) }.ToAsyncEnumerable()));
    }

    [Fact]
    public async Task What_cannot_be_stored_is_refused_before_anything_is_sent()
    {
        var (_, importer) = await OpenAsync();
        ValueTask<ImportTotals> Import(ImportedEvent imported) => importer.ImportAsync(new[] { imported }.ToAsyncEnumerable());
        var fine = Event("a", 1);

        await Assert.ThrowsAsync<EventDataRejectedException>(async () => await Import(fine with { Json = "{"u8.ToArray() }));
        await Assert.ThrowsAsync<EventDataRejectedException>(async () => await Import(fine with { EventType = "" }));
        await Assert.ThrowsAsync<EventDataRejectedException>(async () => await Import(fine with { DotnetType = "\0" }));
        await Assert.ThrowsAsync<EventTooLargeException>(async () => await Import(fine with { Json = new byte[EventStoreLimits.MaxEventBytes + 1] }));
        await Assert.ThrowsAsync<StreamNameRejectedException>(async () => await Import(fine with { StreamId = "" }));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () =>
            await importer.ImportAsync(new[] { fine }.ToAsyncEnumerable(), new ImportOptions { EventsPerTransaction = 0 }));
    }

    private static async Task<ImportRefusedException> RefusedAsync(IEventImporter importer, params ImportedEvent[] events) =>
        await Assert.ThrowsAsync<ImportRefusedException>(async () => await importer.ImportAsync(events.ToAsyncEnumerable()));

    private static async IAsyncEnumerable<ImportedEvent> BreakingOff(IEnumerable<ImportedEvent> events)
    {
        foreach (var imported in events)
        {
            await Task.Yield();
            yield return imported;
        }
        throw new InvalidDataException("The file ends in the middle of a line.");
    }

    private ImportedEvent Event(string stream, long version) => new(
        Tenant, stream, version, Guid.CreateVersion7(), "counter_raised", Long.AddSeconds(version), "{\"By\": 1}"u8.ToArray(), EventMetadata.None);
}
