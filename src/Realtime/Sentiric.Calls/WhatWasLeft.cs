using Microsoft.Extensions.Hosting;

namespace Sentiric.Calls;

/// <summary>Something of earlier processes that the sip role takes over at its start: asked for until it is answered, once.</summary>
public abstract class WhatWasLeft(TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(2);

    // The read models may still be catching up with what the old process wrote last.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);

    protected TimeProvider Clock => clock;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var startedAt = clock.GetUtcNow();
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Settle, clock, stoppingToken);
            try
            {
                await TakeOverAsync(startedAt, stoppingToken);
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogRetry(e);
            }

            await Task.Delay(TryAgain, clock, stoppingToken);
        }
    }

    /// <param name="before">When this process began: what is later is its own.</param>
    protected abstract Task TakeOverAsync(DateTimeOffset before, CancellationToken ct);

    protected abstract void LogRetry(Exception e);
}
