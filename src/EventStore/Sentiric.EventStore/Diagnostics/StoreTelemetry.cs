using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Sentiric.EventStore;

/// <summary>
/// What the store measures and traces, on one page: a <see cref="Meter"/> and an <see cref="ActivitySource"/>, both named <see cref="Name"/>.
/// Names are stable, units are OpenTelemetry's (s, {event}). Where nobody listens a measurement costs a comparison and allocates nothing.
/// No tag holds a tenant or a stream: their number has no bound, and names may be personal.
/// </summary>
public static class StoreTelemetry
{
    public const string Name = "eventstore";

    private const string ShardTag = "shard";
    private static readonly Meter Meter = new(Name);
    private static readonly ActivitySource Activities = new(Name);

    // Who can be asked for its state when somebody looks; each leaves when it is disposed or collected.
    private static readonly ConcurrentDictionary<PostgresEventStore, byte> Stores = new();
    private static readonly ConcurrentDictionary<string, Standing> Shards = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<string, double> Rebuilds = new(StringComparer.Ordinal);

    private static readonly Histogram<double> AppendDuration = Meter.CreateHistogram<double>("eventstore.append.duration", "s", "From statement to commit of one group of appends.");
    private static readonly Histogram<int> AppendGroup = Meter.CreateHistogram<int>("eventstore.append.group_size", "{append}", "Appends that shared one commit.");
    private static readonly Counter<long> AppendEvents = Meter.CreateCounter<long>("eventstore.append.events", "{event}", "Events that were stored.");
    private static readonly Counter<long> AppendConflicts = Meter.CreateCounter<long>("eventstore.append.conflicts", "{append}", "Appends that were refused: the stream stood elsewhere or is archived.");
    private static readonly Counter<long> ReadEvents = Meter.CreateCounter<long>("eventstore.read.events", "{event}", "Events that were read.");
    private static readonly Counter<long> Holes = Meter.CreateCounter<long>("eventstore.highwater.holes", "{position}", "Numbers that were proven dead.");
    private static readonly Histogram<double> BatchDuration = Meter.CreateHistogram<double>("eventstore.projection.duration", "s", "One batch of a projection, with its commit.");
    private static readonly Counter<long> BatchEvents = Meter.CreateCounter<long>("eventstore.projection.events", "{event}", "Events that projections applied.");
    private static readonly Histogram<double> HandleDuration = Meter.CreateHistogram<double>("eventstore.subscription.duration", "s", "One batch of a subscription, with its checkpoint.");
    private static readonly Counter<long> HandleEvents = Meter.CreateCounter<long>("eventstore.subscription.events", "{event}", "Events that subscriptions handled.");
    private static readonly Counter<long> DeadLetters = Meter.CreateCounter<long>("eventstore.deadletters", "{event}", "Events that were parked.");

    private static readonly ObservableGauge<long> ProjectionLag = Meter.CreateObservableGauge(
        "eventstore.projection.lag", () => Lags(isProjection: true), "{position}", "Positions that a projection of this process has not passed.");

    private static readonly ObservableGauge<long> SubscriptionLag = Meter.CreateObservableGauge(
        "eventstore.subscription.lag", () => Lags(isProjection: false), "{position}", "Positions that a subscription of this process has not passed.");

    static StoreTelemetry()
    {
        Meter.CreateObservableGauge("eventstore.append.queue", () => Stores.Keys.Sum(s => s.WaitingAppends.Waiting), "{append}", "Appends that wait for a commit.");
        Meter.CreateObservableGauge("eventstore.highwater.position", () => Stores.Keys.Select(s => s.LastHighWaterMark).DefaultIfEmpty().Max(), "{position}", "Up to where the log is decided, as this process last saw it.");
        Meter.CreateObservableGauge(
            "eventstore.rebuild.progress", () => Rebuilds.Select(r => new Measurement<double>(r.Value, new KeyValuePair<string, object?>(ShardTag, r.Key))), "1", "Share of the log that a rebuild has folded; 1 when it is done.");
    }

    internal static void Opened(PostgresEventStore store) => Stores.TryAdd(store, 0);

    internal static void Closed(PostgresEventStore store) => Stores.TryRemove(store, out _);

    /// <summary>A moment to measure from; 0 when nobody listens.</summary>
    internal static long StartAppend() => AppendDuration.Enabled ? Stopwatch.GetTimestamp() : 0;

    internal static void Appended(long started, int appends, int events)
    {
        AppendEvents.Add(events);
        AppendGroup.Record(appends);
        if (started != 0) AppendDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    internal static void Appended(long started, int appends, Placed?[] answers)
    {
        var events = 0;
        foreach (var answer in answers) events += answer?.Positions.Length ?? 0;
        Appended(started, appends, events);
    }

    internal static void Refused() => AppendConflicts.Add(1);

    internal static void Read(int events) => ReadEvents.Add(events);

    internal static void Skipped(long numbers) => Holes.Add(numbers);

    internal static void Parked(string shard)
    {
        if (DeadLetters.Enabled) DeadLetters.Add(1, new KeyValuePair<string, object?>(ShardTag, shard));
    }

    internal static BatchWatch ProjectionBatch(string shard, IReadOnlyList<RecordedEvent> batch) => new(shard, true, batch);

    internal static BatchWatch SubscriptionBatch(string shard, IReadOnlyList<RecordedEvent> batch) => new(shard, false, batch);

    internal static void Stands(string shard, bool isProjection, long position, long mark)
    {
        if ((isProjection ? ProjectionLag : SubscriptionLag).Enabled) Shards[shard] = new Standing(isProjection, Math.Max(0, mark - position));
    }

    internal static void Rebuilding(RebuildProgress progress) =>
        Rebuilds[progress.Name] = progress.Target <= 0 ? 1 : Math.Clamp((double)progress.Position / progress.Target, 0, 1);

    /// <summary>An append as the caller sees it; null when nobody traces.</summary>
    internal static Activity? TraceAppend(StreamPlan plan)
    {
        if (!Activities.HasListeners() || Activities.StartActivity("eventstore.append") is not { } activity) return null;
        activity.SetTag("eventstore.events", plan.Payloads.Length);
        activity.SetTag("eventstore.correlation_id", plan.Payloads.Length == 0 ? null : plan.Payloads[0].Event.Metadata.CorrelationId);
        return activity;
    }

    internal static Activity? TraceRead() => Activities.HasListeners() ? Activities.StartActivity("eventstore.read") : null;

    private static IEnumerable<Measurement<long>> Lags(bool isProjection) =>
        Shards.Where(s => s.Value.IsProjection == isProjection).Select(s => new Measurement<long>(s.Value.Lag, new KeyValuePair<string, object?>(ShardTag, s.Key)));

    private readonly record struct Standing(bool IsProjection, long Lag);

    /// <summary>Measures and traces one batch, from its making to <see cref="Done"/>; a batch that fails is traced and not counted.</summary>
    internal readonly struct BatchWatch : IDisposable
    {
        private readonly string _shard;
        private readonly bool _isProjection;
        private readonly int _events;
        private readonly long _started;
        private readonly Activity? _activity;

        public BatchWatch(string shard, bool isProjection, IReadOnlyList<RecordedEvent> batch)
        {
            (_shard, _isProjection, _events) = (shard, isProjection, batch.Count);
            _started = (isProjection ? BatchDuration : HandleDuration).Enabled ? Stopwatch.GetTimestamp() : 0;
            _activity = Activities.HasListeners() ? Activities.StartActivity(isProjection ? "eventstore.projection" : "eventstore.subscription") : null;
            _activity?.SetTag(ShardTag, shard).SetTag("eventstore.events", batch.Count).SetTag("eventstore.correlation_id", batch.Count == 0 ? null : batch[0].Metadata.CorrelationId);
        }

        public void Done()
        {
            var tag = new KeyValuePair<string, object?>(ShardTag, _shard);
            var (duration, events) = _isProjection ? (BatchDuration, BatchEvents) : (HandleDuration, HandleEvents);
            if (events.Enabled) events.Add(_events, tag);
            if (_started != 0) duration.Record(Stopwatch.GetElapsedTime(_started).TotalSeconds, tag);
        }

        public void Dispose() => _activity?.Dispose();
    }
}
