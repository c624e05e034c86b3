namespace Sentiric.EventStore;

public sealed partial class InMemoryEventStore : IExclusiveStreams
{
    // Owned by _gate: who keeps which stream; completed when it is let go.
    private readonly Dictionary<StreamAddress, TaskCompletionSource> _kept = [];

    public async ValueTask<IExclusiveStream> LockStreamAsync(string tenant, string streamId, CancellationToken ct = default)
    {
        var address = AddressOf(tenant, streamId);
        while (true)
        {
            Task others;
            lock (_gate)
            {
                if (!_kept.TryGetValue(address, out var keeper)) return Keep(address, streamId);
                others = keeper.Task;
            }
            await others.WaitAsync(ct).ConfigureAwait(false);
        }
    }

    private Exclusive Keep(StreamAddress address, string given)
    {
        if (_streams.TryGetValue(address, out var stream) && stream.IsArchived) throw new StreamArchivedException(address.StreamId);
        _kept[address] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return new Exclusive(this, address, given, VersionOf(address));
    }

    private void LetGo(StreamAddress address)
    {
        lock (_gate)
        {
            if (_kept.Remove(address, out var keeper)) keeper.SetResult();
        }
    }

    /// <summary>Done when nobody keeps one of the streams; ask again under the lock.</summary>
    private Task? KeeperOf(IEnumerable<StreamAddress> addresses) =>
        addresses.Select(a => _kept.GetValueOrDefault(a)).FirstOrDefault(k => k is not null)?.Task;

    private sealed class Exclusive(InMemoryEventStore store, StreamAddress address, string given, long version) : IExclusiveStream
    {
        private bool _isLetGo;

        public long Version => version;

        public async ValueTask<AppendResult> AppendAsync(IReadOnlyList<EventData> events, AppendOptions? options = null, CancellationToken ct = default)
        {
            if (_isLetGo) throw new InvalidOperationException($"Stream '{address.StreamId}' was let go already: it is kept for one append.");
            try
            {
                ct.ThrowIfCancellationRequested();
                var plan = await store.ProtectedAsync(
                    new StreamPlan(address with { StreamId = given }, ExpectedVersion.Exact(version), Payload.Prepare(store.Serializer, events), options?.AggregateType), ct).ConfigureAwait(false);
                AppendResult result;
                lock (store._gate) result = store.AppendOne(address, plan.Expected, plan.Payloads, options ?? AppendOptions.Default);
                store._signal.Pulse();
                return result;
            }
            finally
            {
                LetGo();
            }
        }

        public ValueTask DisposeAsync()
        {
            LetGo();
            return ValueTask.CompletedTask;
        }

        private void LetGo()
        {
            if (!_isLetGo) store.LetGo(address);
            _isLetGo = true;
        }
    }
}
