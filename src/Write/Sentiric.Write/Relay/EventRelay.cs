using Microsoft.Extensions.Logging;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;

namespace Sentiric.Write.Relay;

/// <summary>
/// How events leave the store: the log is read in order and every event is published; the checkpoint moves once the broker has confirmed.
/// A broker that is down is waited for, so nothing is lost; after a crash some events come twice, with the same message id.
/// An event type that this build does not know is parked and the rest goes on.
/// </summary>
public sealed class EventRelay
{
    public const string Name = "relay";

    /// <summary>Small, so that a broker that comes back while a batch is repeated gets few events twice.</summary>
    public const int BatchSize = 50;

    /// <summary>A broker that takes longer to confirm counts as down.</summary>
    public static readonly TimeSpan PublishTimeout = TimeSpan.FromSeconds(10);

    private readonly IEventStore _store;
    private readonly IEventBus _bus;
    private readonly TimeProvider _clock;
    private readonly SubscriptionRunner _runner;

    // Owned by the one loop that runs the subscription: how far the current batch was confirmed, so that a retry goes on from there.
    private long _confirmed;

    public EventRelay(IEventStore store, ICheckpointStore checkpoints, IEventBus bus, TimeProvider clock, ILogger<EventRelay>? logger = null)
    {
        (_store, _bus, _clock) = (store, bus, clock);
        var options = new SubscriptionOptions(Name) { BatchSize = BatchSize, IsTransient = IsTransient };
        _runner = new SubscriptionRunner(store, checkpoints, options, PublishAsync, clock, logger);
    }

    public SubscriptionStatus Status => _runner.Status;

    /// <summary>Relays until cancelled.</summary>
    public Task RunAsync(CancellationToken ct) => _runner.RunAsync(ct);

    /// <summary>Relays what is there now, once; for a shutdown that wants the last events out.</summary>
    public ValueTask<long?> CatchUpAsync(CancellationToken ct = default) => _runner.CatchUpAsync(ct);

    private async ValueTask PublishAsync(IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
    {
        foreach (var recorded in batch.Where(r => r.Position > _confirmed))
        {
            if (!IsImported(recorded)) await PublishAsync(Envelope(recorded), ct).ConfigureAwait(false);
            _confirmed = recorded.Position;
        }
    }

    private async ValueTask PublishAsync(EventEnvelope envelope, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(PublishTimeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            await _bus.PublishAsync(envelope, either.Token).ConfigureAwait(false);
        }
        catch (Exception down) when (!ct.IsCancellationRequested)
        {
            throw new BrokerUnavailableException(envelope.Type, down);
        }
    }

    private EventEnvelope Envelope(RecordedEvent recorded)
    {
        var fact = _store.Serializer.Deserialize(recorded);
        return EventEnvelope.Of(fact, recorded.EventId, recorded.StreamId, recorded.Position, recorded.OccurredAt, recorded.Tenant,
            recorded.Metadata.CorrelationId, recorded.Metadata.CausationId, recorded.Metadata.Actor);
    }

    // History of another store: what it set off was set off there.
    private static bool IsImported(RecordedEvent recorded) => recorded.Metadata.Headers?.ContainsKey(ExportFile.ImportedHeader) ?? false;

    // Whatever the broker's client throws means that the broker did not confirm; only an event that cannot be read is poison.
    private static bool IsTransient(Exception failure) => failure is BrokerUnavailableException || SubscriptionOptions.IsTransientByDefault(failure);
}

/// <summary>The broker did not confirm an event; the relay waits and tries again.</summary>
public sealed class BrokerUnavailableException(string eventType, Exception inner)
    : Exception($"The broker did not confirm '{eventType}': {inner.Message}", inner);
