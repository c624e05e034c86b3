using Sentiric.Media;

namespace Sentiric.Host.Roles;

/// <summary>Recordings that a crash left with an unfinished header are made whole at the start.</summary>
internal sealed partial class RecordingRepair(string folder, ILogger<RecordingRepair> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var repaired = WavRepair.RepairAll(folder);
        if (repaired > 0)
        {
            LogRepaired(repaired, folder);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} recordings in {Folder} were not closed properly and have been repaired")]
    private partial void LogRepaired(int count, string folder);
}
