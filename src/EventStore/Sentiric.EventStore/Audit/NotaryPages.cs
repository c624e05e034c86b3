using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// Pages of events in order, one ahead: while a page is signed and written, the next one is read and hashed. So two pages at most are in memory.
/// <code>
///   reading   page 1 │ page 2 │ page 3 │
///   sealing          │ page 1 │ page 2 │ page 3
/// </code>
/// </summary>
internal sealed class NotaryPages : IAsyncDisposable
{
    private readonly EventTuples _tuples;
    private readonly HashBatch _batch = new();
    private readonly CancellationTokenSource _stop;
    private Task<NotaryPage?> _ahead;

    public NotaryPages(EventTuples tuples, CancellationToken ct)
    {
        (_tuples, _stop) = (tuples, CancellationTokenSource.CreateLinkedTokenSource(ct));
        _ahead = ReadAsync();
    }

    /// <summary>Null when there are no more; an error of the reading comes out here.</summary>
    public async ValueTask<NotaryPage?> NextAsync()
    {
        var page = await _ahead.ConfigureAwait(false);
        if (page is not null) _ahead = ReadAsync();
        return page;
    }

    /// <summary>Waits for the reading to let go of the connection. What it still found out, nobody asks for.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await ((Task)_ahead).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private Task<NotaryPage?> ReadAsync() => Task.Run(() => NotaryPage.ReadAsync(_tuples, _batch, _stop.Token).AsTask(), _stop.Token);
}
