using System.Collections.Immutable;
using System.Threading.Channels;
using Sentiric.Contracts.Events;
using Sentiric.EventStore;

namespace Sentiric.Read.Live;

/// <summary>
/// Follows the log from now on and hands every event to whoever listens. It keeps no checkpoint: a listener that needs what was before asks the
/// read models. A listener that falls behind is cut off rather than slowing the others; it connects again.
/// </summary>
public sealed class LiveFeed(IEventStore store)
{
    private const int PageSize = 500;
    private static readonly TimeSpan IdleWait = TimeSpan.FromSeconds(1);
    private ImmutableArray<LiveListener> _listeners = [];

    /// <summary>Runs until stopped; the host starts it.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var position = await store.GetHighWaterMarkAsync(ct);
        while (!ct.IsCancellationRequested)
        {
            await foreach (var recorded in store.ReadAllAsync(position, PageSize, ct))
            {
                position = recorded.Position;
                Tell(recorded);
            }

            await store.WaitForChangeAsync(position, IdleWait, ct);
        }
    }

    /// <summary>Listens from now on, before anything is read of it; dispose it to leave.</summary>
    /// <param name="callId">Events of this call only; null: of the whole tenant.</param>
    public LiveListener Listen(string tenant, Guid? callId)
    {
        var listener = new LiveListener(tenant, callId, Leave);
        ImmutableInterlocked.Update(ref _listeners, all => all.Add(listener));
        return listener;
    }

    private void Leave(LiveListener listener) => ImmutableInterlocked.Update(ref _listeners, all => all.Remove(listener));

    private void Tell(RecordedEvent recorded)
    {
        var callId = Streams.CallIdOf(recorded.StreamId);
        var interested = _listeners.Where(l => l.Wants(recorded.Tenant, callId)).ToList();
        if (interested.Count == 0 || EventCatalog.ForStoredName(recorded.EventType) is null)
        {
            return;
        }

        var m = recorded.Metadata;
        var envelope = EventEnvelope.Of(
            store.Serializer.Deserialize(recorded), recorded.EventId, recorded.StreamId, recorded.Position, recorded.OccurredAt, recorded.Tenant,
            m.CorrelationId, m.CausationId, m.Actor);
        interested.ForEach(listener => listener.Tell(envelope));
    }
}

/// <summary>One who listens to a <see cref="LiveFeed"/>. What waits for it is bounded; beyond that it hears the end.</summary>
public sealed class LiveListener(string tenant, Guid? callId, Action<LiveListener> leave) : IDisposable
{
    public const int MaxWaiting = 2_000;
    private readonly Channel<EventEnvelope> _waiting = Channel.CreateBounded<EventEnvelope>(MaxWaiting);

    /// <summary>Ends when the listener was too slow: what it has missed, the read models know.</summary>
    public IAsyncEnumerable<EventEnvelope> EventsAsync(CancellationToken ct) => _waiting.Reader.ReadAllAsync(ct);

    public void Dispose() => leave(this);

    internal bool Wants(string ofTenant, Guid? ofCall) => ofTenant == tenant && (callId is null || callId == ofCall);

    internal void Tell(EventEnvelope envelope)
    {
        if (!_waiting.Writer.TryWrite(envelope))
        {
            _waiting.Writer.TryComplete();
        }
    }
}
