using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Sentiric.EventStore;

/// <summary>
/// Feeds the log to a handler, in order, at least once, and remembers how far it came.
/// Handlers are idempotent: after a crash between handling and remembering the same events come again.
/// One runner is used by one caller at a time: either <see cref="RunAsync"/> for ever or <see cref="CatchUpAsync"/> by hand.
/// </summary>
public sealed class SubscriptionRunner(
    IEventStore store,
    ICheckpointStore checkpoints,
    SubscriptionOptions options,
    Func<IReadOnlyList<RecordedEvent>, CancellationToken, ValueTask> handler,
    TimeProvider clock,
    ILogger? logger = null)
{
    private const int MaxParked = 10_000;

    private readonly ILogger _logger = logger ?? NullLogger.Instance;
    private readonly string _shard = ShardName.Of(options.Name);

    // Owned by the running loop.
    private ShardOrder _told = ShardOrder.None;
    private long _toldAt;

    // Written by the running loop, read by whoever asks for the status.
    private volatile SubscriptionStatus _status = new(options.Name, SubscriptionState.Stopped, 0, 0, null);

    public SubscriptionStatus Status => _status;

    /// <summary>Owns the shard whenever it is free and handles events until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (!ct.IsCancellationRequested)
            {
                if (!await TryTurnAsync(ct).ConfigureAwait(false))
                    await Task.Delay(options.OwnershipInterval, clock, ct).ConfigureAwait(false);
            }
        }
        catch (Exception) when (ct.IsCancellationRequested)
        {
            _logger.SubscriptionStopped(options.Name);
        }
        finally
        {
            Report(SubscriptionState.Stopped);
        }
    }

    /// <summary>
    /// Handles everything up to the high-water mark once, and returns the position reached; null when another process owns the shard.
    /// A paused subscription stays where it is.
    /// </summary>
    public async ValueTask<long?> CatchUpAsync(CancellationToken ct = default)
    {
        await using var lease = await checkpoints.TryOwnAsync(_shard, ct).ConfigureAwait(false);
        if (lease is null) return null;
        var position = await StartAsync(ct).ConfigureAwait(false);
        await ObeyAsync(ct).ConfigureAwait(false);
        while (_told.Pause is null && await HandleNextAsync(position, ct).ConfigureAwait(false) is { } reached) position = reached;
        Report(_told.Pause is null ? SubscriptionState.Stopped : SubscriptionState.Paused, position);
        return position;
    }

    /// <summary>One period of ownership. False when the shard was not to be had or got lost.</summary>
    private async ValueTask<bool> TryTurnAsync(CancellationToken ct)
    {
        try
        {
            _told = await checkpoints.LoadOrdersAsync(_shard, ct).ConfigureAwait(false);
            await using var lease = _told.Pause is null ? await checkpoints.TryOwnAsync(_shard, ct).ConfigureAwait(false) : null;
            if (lease is null)
            {
                Report(_told.Pause is null ? SubscriptionState.StandingBy : SubscriptionState.Paused);
                return false;
            }
            var position = await StartAsync(ct).ConfigureAwait(false);
            while (await lease.IsHeldAsync(ct).ConfigureAwait(false))
            {
                if (_toldAt == 0 || clock.GetElapsedTime(_toldAt) >= options.OwnershipInterval) await ObeyAsync(ct).ConfigureAwait(false);
                if (_told.Pause is not null) break;
                if (await HandleNextAsync(position, ct).ConfigureAwait(false) is { } reached) position = reached;
                else await store.WaitForChangeAsync(position, Shorter(options.PollInterval, options.OwnershipInterval), ct).ConfigureAwait(false);
            }
            if (_told.Pause is not null) Report(SubscriptionState.Paused);
            return false;
        }
        catch (ShardStoppedException stopped)
        {
            await StopAsync(stopped, ct).ConfigureAwait(false);
            return false;
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            _logger.SubscriptionInterrupted(failure, options.Name);
            Report(SubscriptionState.Retrying, error: failure);
            return false;
        }
    }

    private async ValueTask StopAsync(ShardStoppedException stopped, CancellationToken ct)
    {
        _logger.SubscriptionHalted(stopped, options.Name, stopped.Position);
        try
        {
            await checkpoints.PauseAsync(_shard, new PauseNote(Timestamps.Now(clock), stopped.Message, null), ct).ConfigureAwait(false);
            Report(SubscriptionState.Paused, error: stopped);
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            // Whoever owns it next stops at the same event.
            _logger.SubscriptionInterrupted(failure, options.Name);
            Report(SubscriptionState.Retrying, error: stopped);
        }
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    /// <summary>Looks at what operators told, and tries again what they want tried again.</summary>
    private async ValueTask ObeyAsync(CancellationToken ct)
    {
        _told = await checkpoints.LoadOrdersAsync(_shard, ct).ConfigureAwait(false);
        _toldAt = clock.GetTimestamp();
        if (_told.Pause is not null) return;
        foreach (var position in _told.Retries)
        {
            var result = await RetryAsync(position, ct).ConfigureAwait(false);
            if (result.Outcome == RetryOutcome.Applied) await checkpoints.DiscardParkedAsync(_shard, position, ct).ConfigureAwait(false);
            await checkpoints.AnswerAsync(_shard, position, OrderKind.Retry, result, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Once; a world that fails is met again at the next look.</summary>
    private async ValueTask<RetryResult> RetryAsync(long position, CancellationToken ct)
    {
        var parked = await checkpoints.ListParkedAsync(_shard, MaxParked, ct).ConfigureAwait(false);
        var recorded = await store.ReadAllAsync(position - 1, 1, ct).FirstOrDefaultAsync(ct).ConfigureAwait(false);
        if (recorded?.Position != position || parked.All(p => p.Position != position)) return new RetryResult(RetryOutcome.NotParked);
        try
        {
            await handler([recorded], ct).ConfigureAwait(false);
            return new RetryResult(RetryOutcome.Applied);
        }
        catch (Exception failure) when (!ct.IsCancellationRequested && !options.IsTransient(failure))
        {
            return new RetryResult(RetryOutcome.FailedAgain, failure.Message);
        }
    }

    private async ValueTask<long> StartAsync(CancellationToken ct)
    {
        var position = await checkpoints.LoadAsync(_shard, ct).ConfigureAwait(false);
        if (position is null)
        {
            position = options.StartAfter ?? await store.GetHighWaterMarkAsync(ct).ConfigureAwait(false);
            await AdvanceAsync(null, position.Value, ct).ConfigureAwait(false);
        }
        Report(SubscriptionState.Running, position);
        return position.Value;
    }

    /// <summary>The position after the next batch, or null when there is nothing to handle.</summary>
    private async ValueTask<long?> HandleNextAsync(long position, CancellationToken ct)
    {
        var page = await LogPage.ReadAsync(store, position, options.BatchSize, ct).ConfigureAwait(false);
        _status = _status with { HighWaterMark = page.Mark };
        if (page.ReachedPosition <= position) return null;
        using var watch = StoreTelemetry.SubscriptionBatch(_shard, page.Events);
        await HandleAsync(await WithoutSkippedAsync(page, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
        await AdvanceAsync(position, page.ReachedPosition, ct).ConfigureAwait(false);
        await PassSkipsAsync(page.ReachedPosition, ct).ConfigureAwait(false);
        watch.Done();
        StoreTelemetry.Stands(_shard, isProjection: false, page.ReachedPosition, page.Mark);
        Report(SubscriptionState.Running, page.ReachedPosition);
        return page.ReachedPosition;
    }

    /// <summary>Events that are to be skipped are parked untried.</summary>
    private async ValueTask<List<RecordedEvent>> WithoutSkippedAsync(LogPage page, CancellationToken ct)
    {
        if (_told.Skips.Count == 0) return page.Events;
        foreach (var recorded in page.Events.Where(e => _told.Skips.Contains(e.Position)))
            await checkpoints.ParkAsync(Parked.Skipped(_shard, recorded, clock), ct).ConfigureAwait(false);
        return [.. page.Events.Where(e => !_told.Skips.Contains(e.Position))];
    }

    /// <summary>A skip is done once the checkpoint is behind its event: until then the same events may come again.</summary>
    private async ValueTask PassSkipsAsync(long position, CancellationToken ct)
    {
        if (_told.Skips.Count == 0) return;
        foreach (var passed in _told.Skips.Where(s => s <= position))
            await checkpoints.AnswerAsync(_shard, passed, OrderKind.Skip, null, ct).ConfigureAwait(false);
        _told = _told with { Skips = [.. _told.Skips.Where(s => s > position)] };
    }

    private async ValueTask HandleAsync(List<RecordedEvent> batch, CancellationToken ct)
    {
        if (batch.Count == 0) return;
        if (await TryHandleAsync(batch, 1, ct).ConfigureAwait(false) is null) return;
        // Somebody in the batch is poison: one by one finds it, and the others are handled.
        foreach (var recorded in batch)
        {
            if (await TryHandleAsync([recorded], options.MaxAttempts, ct).ConfigureAwait(false) is { } failure)
                await ParkAsync(recorded, failure, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Null when handled; the last failure after <paramref name="attempts"/> tries. Waits transient failures out.</summary>
    private async ValueTask<Exception?> TryHandleAsync(List<RecordedEvent> batch, int attempts, CancellationToken ct)
    {
        var delay = options.RetryDelay;
        for (var attempt = 1; ;)
        {
            try
            {
                await handler(batch, ct).ConfigureAwait(false);
                return null;
            }
            catch (Exception failure) when (!ct.IsCancellationRequested)
            {
                Report(SubscriptionState.Retrying, error: failure);
                if (!options.IsTransient(failure) && attempt++ >= attempts) return failure;
            }
            await Task.Delay(delay, clock, ct).ConfigureAwait(false);
            delay = delay * 2 < options.MaxRetryDelay ? delay * 2 : options.MaxRetryDelay;
        }
    }

    private async ValueTask ParkAsync(RecordedEvent recorded, Exception failure, CancellationToken ct)
    {
        if (options.OnError == ErrorPolicy.Stop) throw new ShardStoppedException(_shard, recorded.Position, failure);
        _logger.EventParked(failure, options.Name, recorded.Position, recorded.EventType);
        StoreTelemetry.Parked(_shard);
        await checkpoints.ParkAsync(Parked.Of(_shard, recorded, failure, clock), ct).ConfigureAwait(false);
    }

    private async ValueTask AdvanceAsync(long? from, long to, CancellationToken ct)
    {
        if (!await checkpoints.TryAdvanceAsync(_shard, from, to, ct).ConfigureAwait(false)) throw new CheckpointMovedException(_shard);
    }

    private void Report(SubscriptionState state, long? position = null, Exception? error = null) => _status = _status with
    {
        State = state,
        Position = position ?? _status.Position,
        LastError = error?.Message ?? (state == SubscriptionState.Retrying ? _status.LastError : null),
    };
}

/// <summary>Another process moved the checkpoint of a shard that this one believed to own; it starts over from where the shard stands.</summary>
public sealed class CheckpointMovedException(string shard) : EventStoreException($"The checkpoint of '{shard}' was moved by somebody else.");
