using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Sentiric.EventStore;

/// <summary>
/// Group commit: appends that arrive while one commit is under way share the next.
/// <code>
///   nobody is writing        the caller writes his own append, on his own thread, and goes home with the answer
///   a lane is writing        he waits in the queue; the lane takes all that wait, as far as one statement goes
///   many events wait         another lane opens and the lanes share what waits: the server works on several statements at once
/// </code>
/// A stream that is being written waits for its lane, so no lane of this process waits for another's row, and a stream's appends keep their order.
/// </summary>
internal sealed class AppendQueue : IAsyncDisposable
{
    private const int MaxAppendsPerCommit = 256;
    private const int MaxBytesPerCommit = 4 * 1024 * 1024;

    // Beyond it a statement is long enough: what is left is another lane's.
    private const int MaxEventsPerCommit = 512;

    // An append of so many events makes a commit long enough. Measured with eight callers of a hundred: p99 of 41 ms in place of 63, and a tenth more events,
    // for the statement of one stream costs the server less than that of several.
    private const int LargeAppend = 64;

    // A commit of its own pays only for so many events; fewer had better share one. Measured on two cores with 4, 12, 16, 32, 48 and 100: eight callers of ten
    // events a fifth faster than with 100, 128 callers of one a tenth; between 4 and 48 the differences drown in the noise of the machine.
    private const int EventsForAnotherLane = 16;

    // How far a lane looks past appends that must wait for somebody else.
    private const int MaxLookedAt = 1_024;

    private static readonly TimeSpan LanePause = TimeSpan.FromSeconds(5);

    /// <summary>While nobody writes, no lane meets those who wait for a kept stream: so often somebody looks whether they waited too long.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly PostgresEventStoreOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _room;
    private readonly List<AppendLane> _lanes = [];
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // All owned by _gate.
    private readonly LinkedList<AppendRequest> _waiting = new();
    private readonly HashSet<StreamAddress> _busy = [];

    // Those of the busy ones that no lane writes.
    private readonly HashSet<StreamAddress> _kept = [];
    private readonly Stack<AppendLane> _idle = new();
    private int _waitingEvents;
    private bool _isClosed;
    private bool _isLooking;
    private long? _lanesPausedSince;

    private readonly ITimer _look;

    public AppendQueue(Func<AppendLane> newLane, TimeProvider clock, PostgresEventStoreOptions options, ILogger logger)
    {
        (_clock, _options, _logger) = (clock, options, logger);
        _room = new SemaphoreSlim(options.MaxWaitingAppends);
        for (var i = 0; i < options.MaxAppendLanes; i++) _lanes.Add(newLane());
        for (var i = _lanes.Count - 1; i >= 0; i--) _idle.Push(_lanes[i]);
        _look = clock.CreateTimer(static queue => ((AppendQueue?)queue)?.Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private int LanesAtWork => _lanes.Count - _idle.Count;

    /// <summary>Appends that no lane has taken yet.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate) return _waiting.Count;
        }
    }

    /// <summary>Null when the row of the stream refused. Cancelling works until the append is under way; then it is carried through.</summary>
    public ValueTask<Placed?> AppendAsync(StreamPlan plan, bool remember, CancellationToken ct) => EnterAsync(new AppendRequest(plan, remember), ct);

    /// <summary>Keeps this process's other appends away from the stream until <see cref="Release"/>.</summary>
    public async ValueTask HoldAsync(StreamAddress address, CancellationToken ct) =>
        await EnterAsync(AppendRequest.Hold(address), ct).ConfigureAwait(false);

    public void Release(StreamAddress address)
    {
        lock (_gate)
        {
            _busy.Remove(address);
            _kept.Remove(address);
            if (_waiting.Count > 0 && LanesAtWork == 0) StartLane();
            TellIfDrained();
        }
    }

    /// <summary>What waits is still written, what comes is refused.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isClosed = true;
            // Held streams are not written any more: whoever waits for one would wait for ever.
            if (LanesAtWork == 0) FailAllThatWait();
            TellIfDrained();
        }
        await _drained.Task.ConfigureAwait(false);
        await _look.DisposeAsync().ConfigureAwait(false);
        foreach (var lane in _lanes) await lane.DisposeAsync().ConfigureAwait(false);
    }

    private ValueTask<Placed?> EnterAsync(AppendRequest request, CancellationToken ct)
    {
        lock (_gate)
        {
            ct.ThrowIfCancellationRequested();
            if (_isClosed) throw new EventStoreClosedException();
            if (LanesAtWork == 0 && !_busy.Contains(request.Address)) return EnterIdle(request);
            if (_room.Wait(0, CancellationToken.None))
            {
                Enqueue(request, ct);
                return request.Answer;
            }
        }
        return EnterFullAsync(request, ct);
    }

    /// <summary>Nobody writes, so nobody needs to be waited for.</summary>
    private ValueTask<Placed?> EnterIdle(AppendRequest request)
    {
        _busy.Add(request.Address);
        if (!request.IsHold) return WriteMineAsync(_idle.Pop(), AppendGroup.Of(request), request);
        _kept.Add(request.Address);
        request.Complete(null);
        return request.Answer;
    }

    private async ValueTask<Placed?> EnterFullAsync(AppendRequest request, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(_options.MaxAppendWait, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await _room.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw Busy();
        }
        lock (_gate)
        {
            if (_isClosed)
            {
                _room.Release();
                throw new EventStoreClosedException();
            }
            Enqueue(request, ct);
            if (LanesAtWork == 0) StartLane();
        }
        return await request.Answer.ConfigureAwait(false);
    }

    private void Enqueue(AppendRequest request, CancellationToken ct)
    {
        request.HasRoom = true;
        request.WaitsSince = _clock.GetTimestamp();
        request.Place = _waiting.AddLast(request);
        _waitingEvents += request.Events;
        if (ct.CanBeCanceled) request.Cancelling = ct.UnsafeRegister(CancelWaiting, request);
        if (_waitingEvents >= EventsForAnotherLane && LanesAtWork > 0) StartLane();
        LookInAMoment();
    }

    private void CancelWaiting(object? state, CancellationToken ct)
    {
        if (state is not AppendRequest request) return;
        lock (_gate)
        {
            if (request.Place is null) return;
            Leave(request);
            TellIfDrained();
        }
        request.Fail(new OperationCanceledException(ct));
    }

    private void Leave(AppendRequest request)
    {
        if (request.Place is { } place) _waiting.Remove(place);
        request.Place = null;
        _waitingEvents -= request.Events;
        // Does not wait for a callback that is under way: it would wait for this lock.
        request.Cancelling.Unregister();
        if (request.HasRoom) _room.Release();
    }

    private async ValueTask<Placed?> WriteMineAsync(AppendLane lane, AppendGroup group, AppendRequest request)
    {
        if (lane.HasConnection || await TryConnectAsync(lane, group).ConfigureAwait(false))
        {
            await lane.CommitAsync(group).ConfigureAwait(false);
            if (Next(lane, group) is { } next) ThreadPool.UnsafeQueueUserWorkItem(_ => _ = WorkAsync(lane, next), null);
        }
        return await request.Answer.ConfigureAwait(false);
    }

    /// <summary>There is one left, and none was refused its connection a moment ago.</summary>
    private bool HasLaneToSpare => _idle.Count > 0 && (_lanesPausedSince is not { } since || LanesAtWork == 0 || _clock.GetElapsedTime(since) >= LanePause);

    private void StartLane()
    {
        if (!HasLaneToSpare) return;
        var lane = _idle.Pop();
        ThreadPool.UnsafeQueueUserWorkItem(_ => _ = WorkAsync(lane, null), null);
    }

    private async Task WorkAsync(AppendLane lane, AppendGroup? first)
    {
        if (first is null && !await TryConnectAsync(lane, null).ConfigureAwait(false)) return;
        for (var group = first ?? Next(lane, null); group is not null; group = Next(lane, group))
        {
            if (!lane.HasConnection && !await TryConnectAsync(lane, group).ConfigureAwait(false)) return;
            await lane.CommitAsync(group).ConfigureAwait(false);
            // Fewer wait than were just answered, and those have their next append ready in a moment: their turn on the pool comes first.
            if (Waiting < group.Appends) await Task.Yield();
        }
    }

    /// <summary>
    /// A lane that finds no connection hands back what it took and rests, as long as others are at work: they serve who waits.
    /// The last one goes on without, and its appends are told why they fail.
    /// </summary>
    private async ValueTask<bool> TryConnectAsync(AppendLane lane, AppendGroup? group)
    {
        try
        {
            await lane.ConnectAsync().ConfigureAwait(false);
            return true;
        }
        catch (Exception failure)
        {
            lock (_gate)
            {
                _lanesPausedSince = _clock.GetTimestamp();
                if (LanesAtWork == 1) return true;
                if (group is not null) PutBack(group);
                _idle.Push(lane);
            }
            _logger.LaneNotOpened(failure);
            return false;
        }
    }

    private void PutBack(AppendGroup group)
    {
        foreach (var request in group.Requests.Reverse())
        {
            _busy.Remove(request.Address);
            request.HasRoom = _room.Wait(0, CancellationToken.None);
            request.WaitsSince = _clock.GetTimestamp();
            request.Place = _waiting.AddFirst(request);
            _waitingEvents += request.Events;
        }
    }

    /// <summary>What the lane writes next; null when it may rest.</summary>
    private AppendGroup? Next(AppendLane lane, AppendGroup? done)
    {
        lock (_gate)
        {
            foreach (var share in done?.Streams ?? []) _busy.Remove(share.Address);
            var isShared = _waitingEvents >= EventsForAnotherLane && HasLaneToSpare;
            var next = Collect(isShared ? _waitingEvents / 2 : MaxEventsPerCommit);
            if (next is not null)
            {
                foreach (var share in next.Streams) _busy.Add(share.Address);
                if (_waiting.Count > 0 && isShared) StartLane();
                return next;
            }
            _idle.Push(lane);
            if (_isClosed && LanesAtWork == 0) FailAllThatWait();
            TellIfDrained();
            LookInAMoment();
            return null;
        }
    }

    /// <param name="events">How many are enough.</param>
    private AppendGroup? Collect(int events)
    {
        AppendGroup? group = null;
        HashSet<StreamAddress>? passedOver = null;
        var looked = 0;
        for (var node = _waiting.First; node is not null && (group is null || looked < MaxLookedAt); looked++)
        {
            var request = node.Value;
            node = node.Next;
            // Behind an append that has to wait, the later ones of its stream wait as well.
            if (passedOver?.Contains(request.Address) == true) continue;
            if (!Take(request, ref group)) (passedOver ??= []).Add(request.Address);
            if (group is not null && (group.Events >= events || IsFull(group))) break;
        }
        return group;
    }

    /// <summary>False when it stays where it is.</summary>
    private bool Take(AppendRequest request, ref AppendGroup? group)
    {
        if (IsLate(request)) return true;
        if (_busy.Contains(request.Address)) return false;
        if (request.IsHold)
        {
            if (group?.Has(request.Address) == true) return false;
            _busy.Add(request.Address);
            _kept.Add(request.Address);
            Leave(request);
            request.Complete(null);
            return true;
        }
        if (group is null) group = AppendGroup.Of(request);
        else if (!group.TryAdd(request)) return false;
        Leave(request);
        return true;
    }

    /// <summary>True when it waited too long and was told so.</summary>
    private bool IsLate(AppendRequest request)
    {
        if (_clock.GetElapsedTime(request.WaitsSince) <= _options.MaxAppendWait) return false;
        Leave(request);
        request.Fail(_kept.Contains(request.Address) ? new StreamLockedException(request.Address.StreamId, Busy()) : Busy());
        return true;
    }

    private void LookInAMoment()
    {
        if (_isLooking || _waiting.Count == 0 || LanesAtWork > 0) return;
        _isLooking = true;
        _look.Change(LookInterval, Timeout.InfiniteTimeSpan);
    }

    private void Look()
    {
        lock (_gate)
        {
            _isLooking = false;
            // A lane that is at work looks by itself.
            if (LanesAtWork > 0) return;
            for (var node = _waiting.First; node is not null;)
            {
                var request = node.Value;
                node = node.Next;
                IsLate(request);
            }
            LookInAMoment();
        }
    }

    private static bool IsFull(AppendGroup group) =>
        group.Appends >= MaxAppendsPerCommit || group.Events >= MaxEventsPerCommit || group.Largest >= LargeAppend || group.Bytes >= MaxBytesPerCommit;

    private void FailAllThatWait()
    {
        while (_waiting.First is { } first)
        {
            Leave(first.Value);
            first.Value.Fail(new EventStoreClosedException());
        }
    }

    private void TellIfDrained()
    {
        if (_isClosed && LanesAtWork == 0 && _waiting.Count == 0) _drained.TrySetResult();
    }

    private EventStoreBusyException Busy() => new(string.Create(
        CultureInfo.InvariantCulture,
        $"The append waited longer than {_options.MaxAppendWait.TotalSeconds} s for its turn; nothing was appended. The database is too slow for what is asked of it: slow down, or raise MaxAppendWait."));
}
