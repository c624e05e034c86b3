using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.EventStore.Tests.Projections;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Ops;

public sealed class TelemetryTests : IAsyncLifetime
{
    private readonly PostgresFixture _postgres = new();

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    [Fact]
    public async Task Appends_reads_and_batches_are_measured_under_stable_names()
    {
        var heard = new ConcurrentDictionary<string, double>();
        using var listener = new MeterListener { InstrumentPublished = (i, l) => { if (i.Meter.Name == StoreTelemetry.Name) l.EnableMeasurementEvents(i); } };
        void Hear(Instrument i, double value) => heard.AddOrUpdate($"{i.Name} {i.Unit}", value, (_, before) => before + value);
        listener.SetMeasurementEventCallback<long>((i, v, _, _) => Hear(i, v));
        listener.SetMeasurementEventCallback<int>((i, v, _, _) => Hear(i, v));
        listener.SetMeasurementEventCallback<double>((i, v, _, _) => Hear(i, v));
        listener.Start();

        var store = _postgres.Store;
        await store.AppendToStreamAsync("t", "a", ExpectedVersion.NoStream, Facts.Raised(3, 1));
        await Assert.ThrowsAsync<WrongExpectedVersionException>(async () => await store.AppendToStreamAsync("t", "a", ExpectedVersion.NoStream, [Facts.Raised(1)]));
        await new ProjectionDaemon(_postgres.Source, store, [new CounterRows()], TimeProvider.System).CatchUpAsync();
        listener.RecordObservableInstruments();

        Assert.True(heard["eventstore.append.events {event}"] >= 3);
        Assert.True(heard["eventstore.append.conflicts {append}"] >= 1);
        Assert.True(heard["eventstore.append.duration s"] > 0);
        Assert.True(heard["eventstore.append.group_size {append}"] >= 1);
        Assert.True(heard["eventstore.read.events {event}"] >= 3);
        Assert.True(heard["eventstore.projection.events {event}"] >= 3);
        Assert.True(heard["eventstore.projection.duration s"] > 0);
        Assert.True(heard["eventstore.highwater.position {position}"] >= 3);
        Assert.Contains("eventstore.append.queue {append}", heard.Keys);
    }

    [Fact]
    public async Task An_append_is_traced_with_its_correlation()
    {
        var correlation = Guid.NewGuid().ToString();
        var traced = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == StoreTelemetry.Name, Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = traced.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await _postgres.Store.AppendToStreamAsync("t", "b", ExpectedVersion.NoStream, [EventData.Of(new CounterRaised(1), new EventMetadata(correlation))]);
        var append = Assert.Single(traced, a => (string?)a.GetTagItem("eventstore.correlation_id") == correlation);
        Assert.Equal(("eventstore.append", 1), (append.OperationName, append.GetTagItem("eventstore.events")));
    }

    [Fact]
    public void Where_nobody_listens_a_measurement_allocates_nothing()
    {
        IReadOnlyList<RecordedEvent> none = [];
        void Measure()
        {
            StoreTelemetry.Appended(StoreTelemetry.StartAppend(), 1, 1);
            StoreTelemetry.Read(500);
            StoreTelemetry.Refused();
            StoreTelemetry.Skipped(1);
            StoreTelemetry.Stands("x:All", true, 1, 2);
            using var watch = StoreTelemetry.ProjectionBatch("x:All", none);
            watch.Done();
        }

        for (var i = 0; i < 100; i++) Measure();
        Garbage.IsNone(_ =>
        {
            for (var i = 0; i < 1_000; i++) Measure();
        });
    }
}
