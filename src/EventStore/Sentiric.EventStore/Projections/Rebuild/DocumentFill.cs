using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Fills empty document tables without keys: one scan of the log, events shared out to workers by document, folded in memory, copied at the end.
/// <code>
///   log ──> route ──┬──> worker 0: decode, fold ──> COPY          one worker: the reader folds what it reads
///                   └──> worker 1: decode, fold ──> COPY
/// </code>
/// More documents than the budget holds end it with <see cref="CannotFoldException"/>; a slower fill takes over then.
/// </summary>
internal sealed class DocumentFill(
    NpgsqlDataSource source, IEventStore store, ITableProjection projection, IFoldedDocuments documents, RebuildOptions wishes, TimeProvider clock,
    IReadOnlySet<long> skipped, Func<long, long, ValueTask> progress)
{
    private const int BatchSize = 512;
    private const int WaitingBatches = 8;
    private const int ReportEvery = 4_096;
    private const int MaxParked = 10_000;

    // The reader keeps a processor busy as well. Where one is left for folding, handing over would cost more than it wins.
    private readonly int _workers = wishes.Parallelism > 0 ? wishes.Parallelism : Math.Clamp(Environment.ProcessorCount - 1, 1, RebuildOptions.MaxParallelism);

    /// <summary>Folds everything up to <paramref name="mark"/> and copies it; returns what could not be applied.</summary>
    public ValueTask<IReadOnlyList<ParkedEvent>> RunAsync(long mark, CancellationToken ct) => _workers == 1 ? FoldAlongAsync(mark, ct) : ShareOutAsync(mark, ct);

    private async ValueTask<IReadOnlyList<ParkedEvent>> FoldAlongAsync(long mark, CancellationToken ct)
    {
        var share = new Share(documents.NewFolder(store.Serializer, 0, 1));
        var read = 0L;
        await foreach (var recorded in store.ReadAllAsync(0, int.MaxValue, ct).ConfigureAwait(false))
        {
            if (recorded.Position > mark) break;
            if (++read % BatchSize == 0) EnsureBudget(share);
            if (read % ReportEvery == 0) await progress(recorded.Position, mark).ConfigureAwait(false);
            if (!documents.Wants(recorded.EventType)) continue;
            if (skipped.Contains(recorded.Position)) Keep(share, Sentiric.EventStore.Parked.Skipped(Shard, recorded, clock));
            else Apply(share, recorded);
        }
        await CopyAsync(share, ct).ConfigureAwait(false);
        return share.Parked;
    }

    private async ValueTask<IReadOnlyList<ParkedEvent>> ShareOutAsync(long mark, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var shares = Enumerable.Range(0, _workers).Select(w => new Share(documents.NewFolder(store.Serializer, w, _workers))).ToArray();
        var running = shares.Select(s => Task.Run(() => WorkAsync(s, stop), CancellationToken.None)).ToArray();
        try
        {
            await ScanAsync(shares, mark, stop.Token).ConfigureAwait(false);
            await Task.WhenAll(running).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            foreach (var share in shares) share.Waiting.Writer.TryComplete(failure);
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // What a worker said is the reason; the others only heard of it.
            if (shares.Select(s => s.Failure).FirstOrDefault(f => f is not null) is { } reason) ExceptionDispatchInfo.Throw(reason);
            throw;
        }
        return [.. shares.SelectMany(s => s.Parked)];
    }

    private async Task ScanAsync(Share[] shares, long mark, CancellationToken ct)
    {
        var batches = shares.Select(_ => new List<RecordedEvent>(BatchSize)).ToArray();
        var wanted = new bool[shares.Length];
        var read = 0L;
        await foreach (var recorded in store.ReadAllAsync(0, int.MaxValue, ct).ConfigureAwait(false))
        {
            if (recorded.Position > mark) break;
            if (++read % ReportEvery == 0) await progress(recorded.Position, mark).ConfigureAwait(false);
            if (!documents.Wants(recorded.EventType)) continue;
            if (skipped.Contains(recorded.Position))
            {
                Keep(shares[0], Sentiric.EventStore.Parked.Skipped(Shard, recorded, clock));
                continue;
            }
            Array.Clear(wanted);
            try
            {
                documents.Route(recorded, store.Serializer, wanted);
            }
            catch (Exception poison) when (poison is not OperationCanceledException)
            {
                Park(shares[0], recorded, poison);
                continue;
            }
            for (var w = 0; w < shares.Length; w++)
            {
                if (!wanted[w]) continue;
                batches[w].Add(recorded);
                if (batches[w].Count < BatchSize) continue;
                await shares[w].Waiting.Writer.WriteAsync(batches[w], ct).ConfigureAwait(false);
                batches[w] = new List<RecordedEvent>(BatchSize);
            }
        }
        for (var w = 0; w < shares.Length; w++)
        {
            await shares[w].Waiting.Writer.WriteAsync(batches[w], ct).ConfigureAwait(false);
            shares[w].Waiting.Writer.Complete();
        }
    }

    private async Task WorkAsync(Share share, CancellationTokenSource stop)
    {
        try
        {
            await foreach (var batch in share.Waiting.Reader.ReadAllAsync(stop.Token).ConfigureAwait(false))
            {
                foreach (var recorded in batch) Apply(share, recorded);
                EnsureBudget(share);
            }
            await CopyAsync(share, stop.Token).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            share.Failure = failure is OperationCanceledException ? null : failure;
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private void EnsureBudget(Share share)
    {
        if (share.Folder.Bytes > wishes.MemoryBudget / _workers) throw new CannotFoldException("The documents do not fit the memory budget.");
    }

    private async ValueTask CopyAsync(Share share, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await share.Folder.CopyAsync(connection, projection.Tables[0] + ShadowTables.Suffix, EventTables.Of(store), ct).ConfigureAwait(false);
    }

    private void Apply(Share share, RecordedEvent recorded)
    {
        try
        {
            share.Folder.Apply(recorded);
        }
        catch (Exception poison) when (poison is not (OperationCanceledException or OutOfMemoryException or CannotFoldException))
        {
            Park(share, recorded, poison);
        }
    }

    private void Park(Share share, RecordedEvent recorded, Exception poison)
    {
        // Its other documents may be another worker's, which has or has not applied it: only event by event it is all or nothing.
        if (!documents.IsByStream) throw new CannotFoldException("An event cannot be applied.", poison);
        Keep(share, Sentiric.EventStore.Parked.Of(Shard, recorded, poison, clock));
    }

    private static void Keep(Share share, ParkedEvent parked)
    {
        lock (share.Parked)
        {
            if (share.Parked.Count >= MaxParked)
                throw new InvalidOperationException("Too many events cannot be applied; the rebuild stops and the old tables stay.");
            share.Parked.Add(parked);
        }
    }

    private string Shard => ShadowCheckpoint.ShardOf(projection);

    /// <summary>One worker's part; the scan fills <see cref="Waiting"/>, the worker owns the rest.</summary>
    private sealed class Share(IDocumentFolder folder)
    {
        public IDocumentFolder Folder { get; } = folder;

        public Channel<List<RecordedEvent>> Waiting { get; } = Channel.CreateBounded<List<RecordedEvent>>(new BoundedChannelOptions(WaitingBatches) { SingleReader = true, SingleWriter = true });

        public List<ParkedEvent> Parked { get; } = [];

        public Exception? Failure { get; set; }
    }
}

/// <summary>The documents do not fit the memory budget, or an event that cannot be applied concerns documents of several workers.</summary>
internal sealed class CannotFoldException(string why, Exception? inner = null) : Exception(why, inner);

internal static class RebuildWorkers
{
    public static int Count(RebuildOptions wishes) => wishes.Parallelism > 0 ? wishes.Parallelism : Math.Min(Environment.ProcessorCount, RebuildOptions.MaxParallelism);
}
