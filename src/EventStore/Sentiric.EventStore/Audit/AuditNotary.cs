using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// Signs the log while it grows. One process at a time owns the notary's lock; it reads behind the high-water mark, so nothing can come later in between,
/// and writes blocks into side tables. An append pays nothing for it.
/// <code>
///   mt_events ──in order──> leaves ──> block of up to 1,024: Merkle root ─┐
///                             └──> head of each stream ──> directory root ┴─> statement (names the block before) ──> signature
/// </code>
/// What a crash left half done is not there: blocks, heads and pages are one transaction, and the number of a block is a primary key, so a second
/// notary that believes to own the lock cannot make a second history.
/// </summary>
public sealed class AuditNotary
{
    private readonly NpgsqlDataSource _source;
    private readonly IEventStore _store;
    private readonly AuditKeys _keys;
    private readonly AuditOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly AuditTables _tables;
    private readonly string _shard = ShardName.Of(AuditOptions.ShardName);

    // Owned by whoever holds the lease.
    private NotaryLedger? _ledger;

    // Written by the holder of the lease, read by anyone.
    private volatile NotaryStatus _status;

    public AuditNotary(NpgsqlDataSource source, IEventStore store, AuditKeys keys, AuditOptions options, TimeProvider clock, ILogger? logger = null)
    {
        (_source, _store, _keys, _options, _clock, _logger) = (source, store, keys, options, clock, logger ?? NullLogger.Instance);
        _tables = AuditTables.Of(store);
        _status = new(NotaryState.Stopped, 0, 0, 0, keys.Current.Id, null);
    }

    public NotaryStatus Status => _status;

    /// <summary>Called between any two statements; a test stops the world there.</summary>
    internal Func<string, ValueTask>? AtStep { get; init; }

    /// <summary>Called with every new <see cref="Status"/>, for tests that wait for one.</summary>
    internal Action<NotaryStatus>? Reported { get; init; }

    /// <summary>Owns the lock whenever it is free and signs until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            await TurnAsync(ct).ConfigureAwait(false);
            await Task.Delay(_options.OwnershipInterval, _clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        Report(NotaryState.Stopped);
    }

    /// <summary>
    /// Signs everything up to the high-water mark now, without waiting for the interval, and returns the position reached; null when another process
    /// is the notary. Throws <see cref="AuditTamperedException"/> when the audit tables are not as they were left.
    /// </summary>
    public ValueTask<long?> CatchUpAsync(CancellationToken ct = default) => Failures.GuardAsync<long?>(async () =>
    {
        await using var lease = await LeaseAsync(ct).ConfigureAwait(false);
        if (lease is null) return null;
        _ledger = null;
        var reached = await SealAsync(ct).ConfigureAwait(false);
        Report(NotaryState.Stopped);
        return reached;
    });

    /// <summary>One period of ownership.</summary>
    private async ValueTask TurnAsync(CancellationToken ct)
    {
        try
        {
            await using var lease = await LeaseAsync(ct).ConfigureAwait(false);
            if (lease is null)
            {
                Report(NotaryState.StandingBy);
                return;
            }
            _ledger = null;
            while (await lease.IsHeldAsync(ct).ConfigureAwait(false))
            {
                var reached = await SealAsync(ct).ConfigureAwait(false);
                await _store.WaitForChangeAsync(reached, _options.PollInterval, ct).ConfigureAwait(false);
                // The first event of a block may have come; the others get this long.
                await Task.Delay(_options.Interval, _clock, ct).ConfigureAwait(false);
            }
        }
        catch (AuditTamperedException found)
        {
            _logger.AuditRefused(found);
            Report(NotaryState.Refusing, found);
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            _logger.NotaryInterrupted(failure);
            Report(NotaryState.Retrying, failure);
        }
        catch (Exception) when (ct.IsCancellationRequested)
        {
            _logger.NotaryStopped();
        }
    }

    private ValueTask<ShardLock?> LeaseAsync(CancellationToken ct) => ShardLock.TryTakeAsync(_source, _shard, ct);

    private async ValueTask<long> SealAsync(CancellationToken ct)
    {
        try
        {
            var mark = await _store.GetHighWaterMarkAsync(ct).ConfigureAwait(false);
            _ledger ??= await NotaryLedger.OpenAsync(_source, _tables, _keys, _options, _clock, ct).ConfigureAwait(false);
            _status = _status with { HighWaterMark = mark };
            Report(NotaryState.Running);
            if (mark > _ledger.Position) await SealUpToAsync(_ledger, mark, ct).ConfigureAwait(false);
            await _ledger.SignRemovalsAsync(_source, AtStep ?? Nothing, ct).ConfigureAwait(false);
            return mark;
        }
        catch
        {
            // Whatever happened, the truth is in the database.
            _ledger = null;
            throw;
        }
    }

    private async ValueTask SealUpToAsync(NotaryLedger ledger, long mark, CancellationToken ct)
    {
        await using var reading = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var tuples = await EventTuples.OpenAsync(
            reading, _tables, FormattableString.Invariant($"where seq_id > {ledger.Position} and seq_id <= {mark} order by seq_id"), ct).ConfigureAwait(false);
        await using var writing = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var pages = new NotaryPages(tuples, ct);
        while (await pages.NextAsync().ConfigureAwait(false) is { } page)
        {
            await ledger.SealAsync(writing, page, AtStep ?? Nothing, ct).ConfigureAwait(false);
            _logger.EventsNotarised(page.Count, ledger.Position, ledger.Blocks);
            Report(NotaryState.Running);
        }
    }

    private static ValueTask Nothing(string step) => ValueTask.CompletedTask;

    private void Report(NotaryState state, Exception? error = null)
    {
        var status = _status with
        {
            State = state,
            Position = _ledger?.Position ?? _status.Position,
            Blocks = _ledger?.Blocks ?? _status.Blocks,
            LastError = error?.Message ?? (state is NotaryState.Running or NotaryState.Stopped ? null : _status.LastError),
        };
        _status = status;
        Reported?.Invoke(status);
    }
}
