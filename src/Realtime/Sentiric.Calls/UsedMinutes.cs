using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sentiric.Contracts.Services;

namespace Sentiric.Calls;

/// <summary>A restart must not begin the day anew: at its start the sip role counts what earlier processes talked today, as the call records have it.</summary>
public sealed partial class UsedMinutes(ITalkTime times, OutgoingLines lines, TimeProvider clock, ILogger<UsedMinutes> logger) : BackgroundService
{
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(2);

    // The read models may still be catching up with what the old process wrote last.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var startedAt = clock.GetUtcNow();
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Settle, clock, stoppingToken);
            try
            {
                await CountAsync(startedAt, stoppingToken);
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogRetry(e);
            }

            await Task.Delay(TryAgain, clock, stoppingToken);
        }
    }

    /// <summary>Counts calls that were answered today, before this process could place any.</summary>
    public async Task CountAsync(DateTimeOffset before, CancellationToken ct)
    {
        if (await lines.TrunksAsync(clock, ct) is not { } trunks)
        {
            return;
        }

        foreach (var used in await times.BetweenAsync(trunks.DayBegan, before, ct))
        {
            trunks.Remember(used.Trunk, TimeSpan.FromMilliseconds(used.TalkMs));
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The minutes that were talked today before the start cannot be asked for yet; the toll rules count from zero until then")]
    private partial void LogRetry(Exception e);
}
