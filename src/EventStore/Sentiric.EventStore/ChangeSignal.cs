namespace Sentiric.EventStore;

/// <summary>Wakes everybody who waits for the next event. Take <see cref="Next"/> before looking, look, then wait: no wake-up is missed.</summary>
internal sealed class ChangeSignal
{
    private TaskCompletionSource _next = NewSource();

    public Task Next => Volatile.Read(ref _next).Task;

    public void Pulse() => Interlocked.Exchange(ref _next, NewSource()).TrySetResult();

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Waits for <paramref name="next"/>; a wait that ran out is as good as a wake-up, since the caller looks again.</summary>
    public static async Task WaitAsync(Task next, TimeSpan timeout, TimeProvider clock, CancellationToken ct)
    {
        try
        {
            await next.WaitAsync(timeout, clock, ct).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return;
        }
    }
}
