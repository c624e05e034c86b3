using System.Collections.Immutable;
using System.Runtime.CompilerServices;
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
    private const int MaxWaiting = 2_000;
    private const int PageSize = 500;
    private static readonly TimeSpan IdleWait = TimeSpan.FromSeconds(1);
    private ImmutableArray<Listener> _listeners = [];

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

    /// <summary>Events of a tenant, of one call only when <paramref name="callId"/> is given.</summary>
    public async IAsyncEnumerable<EventEnvelope> ListenAsync(string tenant, Guid? callId, [EnumeratorCancellation] CancellationToken ct)
    {
        var listener = new Listener(tenant, callId, Channel.CreateBounded<EventEnvelope>(MaxWaiting));
        ImmutableInterlocked.Update(ref _listeners, all => all.Add(listener));
        try
        {
            await foreach (var envelope in listener.Waiting.Reader.ReadAllAsync(ct))
            {
                yield return envelope;
            }
        }
        finally
        {
            ImmutableInterlocked.Update(ref _listeners, all => all.Remove(listener));
        }
    }

    private void Tell(RecordedEvent recorded)
    {
        var callId = Streams.CallIdOf(recorded.StreamId);
        var interested = _listeners.Where(l => l.Tenant == recorded.Tenant && (l.CallId is null || l.CallId == callId)).ToList();
        if (interested.Count == 0 || EventCatalog.ForStoredName(recorded.EventType) is null)
        {
            return;
        }

        var m = recorded.Metadata;
        var envelope = EventEnvelope.Of(
            store.Serializer.Deserialize(recorded), recorded.EventId, recorded.StreamId, recorded.Position, recorded.OccurredAt, recorded.Tenant,
            m.CorrelationId, m.CausationId, m.Actor);
        foreach (var listener in interested.Where(l => !l.Waiting.Writer.TryWrite(envelope)))
        {
            listener.Waiting.Writer.TryComplete();
        }
    }

    private sealed record Listener(string Tenant, Guid? CallId, Channel<EventEnvelope> Waiting);
}
