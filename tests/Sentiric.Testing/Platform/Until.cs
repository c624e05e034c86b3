namespace Sentiric.Testing.Platform;

/// <summary>Waits for another process, which tells nothing by itself: asks it again and again, up to a limit.</summary>
public static class Until
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>The first answer that is not null. Throws <see cref="TimeoutException"/> with what was waited for.</summary>
    public static async Task<T> AsksAsync<T>(string what, Func<Task<T?>> ask, TimeSpan limit, Func<string>? more = null)
        where T : class
    {
        var from = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(Interval);
        do
        {
            if (await ask().ConfigureAwait(false) is { } answer)
            {
                return answer;
            }

            await timer.WaitForNextTickAsync().ConfigureAwait(false);
        }
        while (TimeProvider.System.GetElapsedTime(from) < limit);

        throw new TimeoutException($"Waited {limit.TotalSeconds} s for {what}.{(more is null ? "" : "\n" + more())}");
    }

    public static Task TrueAsync(string what, Func<Task<bool>> ask, TimeSpan limit, Func<string>? more = null) =>
        AsksAsync(what, async () => await ask().ConfigureAwait(false) ? what : null, limit, more);

    /// <summary>The task's result, or a <see cref="TimeoutException"/> that says what it should have brought.</summary>
    public static async Task<T> DoneAsync<T>(string what, Task<T> task, TimeSpan limit)
    {
        try
        {
            return await task.WaitAsync(limit).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Waited {limit.TotalSeconds} s for {what}.");
        }
    }
}
