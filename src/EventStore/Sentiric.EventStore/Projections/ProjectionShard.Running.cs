using Microsoft.Extensions.Logging;

namespace Sentiric.EventStore;

/// <summary>The loop of a shard: stand by, own, apply, do what operators told, give back.</summary>
internal sealed partial class ProjectionShard
{
    private const int MaxParkedOfStream = 10_000;

    private readonly ShardOrders _orders = new(source);
    private readonly ChangeSignal _word = new();

    // Written by the daemon's watch and by the loop, read by both.
    private volatile ShardOrder _told = ShardOrder.None;
    private volatile bool _mayTake = true;
    private volatile bool _mustYield;

    public string Shard => _shard;

    public bool IsServing { get; private set; }

    private bool IsPaused => Told.Pause is not null;

    private ShardOrder Told
    {
        get => _told;
        set => _told = value;
    }

    /// <summary>What operators want of the shard now.</summary>
    public void Tell(ShardOrder order)
    {
        if (order.IsSameAs(Told)) return;
        Told = order;
        _word.Pulse();
    }

    /// <summary>Whether this host may take the shard when it is free.</summary>
    public void Allow(bool mayTake) => _mayTake = mayTake;

    /// <summary>Gives the shard back after the batch under way: another host has fewer.</summary>
    public void Yield()
    {
        _mustYield = true;
        _word.Pulse();
    }

    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var word = _word.Next;
            try
            {
                if (IsPaused) Report(ProjectionState.Paused);
                else if (_mayTake && await TryOwnAsync(ct).ConfigureAwait(false)) await ServeAsync(ct).ConfigureAwait(false);
                else Report(ProjectionState.StandingBy);
            }
            catch (ShardStoppedException stopped)
            {
                logger.ProjectionStopped(stopped, Name, stopped.Position);
                await StopAsync(stopped, ct).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                if (ct.IsCancellationRequested) break;
                logger.ProjectionInterrupted(failure, Name);
                Report(ProjectionState.Retrying, failure);
            }
            await ChangeSignal.WaitAsync(word, options.OwnershipInterval, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        Report(ProjectionState.Stopped);
    }

    private async ValueTask ServeAsync(CancellationToken ct)
    {
        IsServing = true;
        try
        {
            Tell(await _orders.LoadAsync(_shard, ct).ConfigureAwait(false));
            while (!IsPaused && !_mustYield)
            {
                if (Told.HasWork) await GatedAsync(() => CarryOutAsync(ct), ct).ConfigureAwait(false);
                if (await GatedAsync(() => StepAsync(ct), ct).ConfigureAwait(false)) continue;
                if (!await GatedAsync(async () => _lease is { } lease && await lease.IsHeldAsync(ct).ConfigureAwait(false), ct).ConfigureAwait(false)) return;
                await IdleAsync(ct).ConfigureAwait(false);
            }
            await GatedAsync(() => WriteCheckpointAsync(ct), ct).ConfigureAwait(false);
        }
        finally
        {
            (IsServing, _mustYield) = (false, false);
            await ReleaseAsync().ConfigureAwait(false);
        }
        Report(IsPaused ? ProjectionState.Paused : ProjectionState.StandingBy);
    }

    /// <summary>Until there are events, somebody says something, or it is time to look anyway.</summary>
    private async ValueTask IdleAsync(CancellationToken ct)
    {
        var word = _word.Next;
        if (IsPaused || _mustYield || Told.HasWork) return;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct);
        // Not prepared: a rebuild is at it, and nothing else will wake this loop.
        var change = _prepared
            ? store.WaitForChangeAsync(_status.Position, options.PollInterval, either.Token).AsTask()
            : Task.Delay(options.PollInterval, clock, either.Token);
        if (await Task.WhenAny(change, word).ConfigureAwait(false) == word) await either.CancelAsync().ConfigureAwait(false);
        try
        {
            await change.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return;
        }
    }

    private async ValueTask StopAsync(ShardStoppedException stopped, CancellationToken ct)
    {
        var note = new PauseNote(Timestamps.Now(clock), stopped.Message, options.HostName);
        Told = Told with { Pause = note };
        try
        {
            await _orders.PauseAsync(_shard, note, ct).ConfigureAwait(false);
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            // Whoever runs it next stops at the same event.
            logger.ProjectionInterrupted(failure, Name);
        }
        Report(ProjectionState.Paused, stopped);
    }

    /// <summary>Tries parked events again; nobody but the owner does.</summary>
    private async ValueTask<bool> CarryOutAsync(CancellationToken ct)
    {
        if (!_prepared) return false;
        try
        {
            if (_applier is null) _position = await StartAsync(ct).ConfigureAwait(false);
            // What the watch brought may be done already: it looked a moment ago.
            Told = await _orders.LoadAsync(_shard, ct).ConfigureAwait(false);
            foreach (var position in Told.Retries)
            {
                var result = await RetryAsync(position, ct).ConfigureAwait(false);
                if (result.Outcome != RetryOutcome.Applied) await _orders.AnswerAsync(_shard, position, OrderKind.Retry, result, ct).ConfigureAwait(false);
            }
            Told = Told with { Retries = [] };
            return true;
        }
        catch
        {
            Forget();
            throw;
        }
    }

    private async ValueTask<RetryResult> RetryAsync(long position, CancellationToken ct)
    {
        var parked = await new PostgresCheckpointStore(source).ListParkedAsync(_shard, MaxParkedOfStream, ct).ConfigureAwait(false);
        var recorded = await store.ReadAllAsync(position - 1, 1, ct).FirstOrDefaultAsync(ct).ConfigureAwait(false);
        if (recorded?.Position != position || parked.All(p => p.Position != position)) return new RetryResult(RetryOutcome.NotParked);
        if (options.Erasure is { } erasure && recorded.EventType == erasure.EventType)
            return await Applier.RetryAsync(recorded, writer => erasure.ReplayAsync(projection, writer, [recorded], _position ?? 0, new LeftOut(_shard, new HashSet<long>()), ct), ct).ConfigureAwait(false);
        if (projection is not IStreamDocument document) return await Applier.RetryAsync(recorded, writer => projection.ApplyAsync(writer, [recorded], ct), ct).ConfigureAwait(false);
        // The whole stream again, in order, without the other events that are parked.
        var without = parked.Select(p => p.Position).Where(p => p != position).ToHashSet();
        var upTo = _position ?? 0;
        var events = await store.ReadStreamAsync(recorded.Tenant, recorded.StreamId, ct: ct)
            .Where(e => e.Position <= upTo && !without.Contains(e.Position)).ToListAsync(ct).ConfigureAwait(false);
        return await Applier.RetryAsync(recorded, writer =>
        {
            document.ReplaceStream(writer, new StreamAddress(recorded.Tenant, recorded.StreamId), events);
            return ValueTask.CompletedTask;
        }, ct).ConfigureAwait(false);
    }
}
