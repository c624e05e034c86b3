namespace Sentiric.Host.Roles;

/// <summary>Runs something until the host stops. A loop that ends on its own is a bug: it is logged, and started again after a pause.</summary>
internal sealed partial class Loop(string name, Func<CancellationToken, Task> run, ILogger<Loop> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await run(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogBroken(e, name);
            }

            await Task.Delay(Pause, stoppingToken).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The loop '{Name}' broke; it starts again")]
    private partial void LogBroken(Exception e, string name);
}
