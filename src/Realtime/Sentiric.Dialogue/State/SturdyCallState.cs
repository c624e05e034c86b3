using Microsoft.Extensions.Logging;

namespace Sentiric.Dialogue;

/// <summary>
/// A shared state that may fail without a call noticing: everything is kept in the process too, and that is what counts while the server is away.
/// </summary>
public sealed partial class SturdyCallState(ICallState shared, InMemoryCallState own, ILogger<SturdyCallState> logger) : ICallState
{
    public async ValueTask<byte[]?> GetAsync(Guid callId, CancellationToken ct) =>
        await TryAsync(s => s.GetAsync(callId, ct)).ConfigureAwait(false);

    public async ValueTask PutAsync(Guid callId, ReadOnlyMemory<byte> state, TimeSpan expiry, CancellationToken ct)
    {
        await own.PutAsync(callId, state, expiry, ct).ConfigureAwait(false);
        await TryAsync(() => shared.PutAsync(callId, state, expiry, ct)).ConfigureAwait(false);
    }

    public async ValueTask RemoveAsync(Guid callId, CancellationToken ct)
    {
        await own.RemoveAsync(callId, ct).ConfigureAwait(false);
        await TryAsync(() => shared.RemoveAsync(callId, ct)).ConfigureAwait(false);
    }

    public ValueTask<IReadOnlyList<Guid>> CallsAsync(int max, CancellationToken ct) => TryAsync(s => s.CallsAsync(max, ct));

    public async ValueTask<bool> TakeLeaseAsync(Guid callId, string owner, TimeSpan duration, CancellationToken ct) =>
        await own.TakeLeaseAsync(callId, owner, duration, ct).ConfigureAwait(false)
        && await TryAsync(s => s.TakeLeaseAsync(callId, owner, duration, ct)).ConfigureAwait(false);

    public async ValueTask ReleaseLeaseAsync(Guid callId, string owner, CancellationToken ct)
    {
        await own.ReleaseLeaseAsync(callId, owner, ct).ConfigureAwait(false);
        await TryAsync(() => shared.ReleaseLeaseAsync(callId, owner, ct)).ConfigureAwait(false);
    }

    private async ValueTask<T> TryAsync<T>(Func<ICallState, ValueTask<T>> ask)
    {
        try
        {
            return await ask(shared).ConfigureAwait(false);
        }
        catch (CallStateUnavailableException e)
        {
            LogUnavailable(logger, e);
            return await ask(own).ConfigureAwait(false);
        }
    }

    private async ValueTask TryAsync(Func<ValueTask> act)
    {
        try
        {
            await act().ConfigureAwait(false);
        }
        catch (CallStateUnavailableException e)
        {
            LogUnavailable(logger, e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The shared call state does not answer; the process's own copy is used")]
    private static partial void LogUnavailable(ILogger logger, Exception e);
}
