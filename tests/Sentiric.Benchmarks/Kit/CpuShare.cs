namespace Sentiric.Benchmarks.Kit;

/// <summary>Processor time from a moment on, of this process and of the server.</summary>
public sealed class CpuShare
{
    private readonly Func<TimeSpan>? server;
    private readonly TimeSpan clientFrom = Measure.Cpu;
    private readonly TimeSpan? serverFrom;

    private CpuShare(Func<TimeSpan>? server) => (this.server, serverFrom) = (server, server?.Invoke());

    /// <param name="server">Null when the server is on another machine.</param>
    public static CpuShare Begin(Func<TimeSpan>? server) => new(server);

    /// <summary>Microseconds per event, in words.</summary>
    public string Per(long events)
    {
        var ours = $"processor per event {Figure.Of((Measure.Cpu - clientFrom).TotalMicroseconds / events)} us client";
        return server is not null && server() - serverFrom is { } theirs ? $"{ours}, {Figure.Of(theirs.TotalMicroseconds / events)} us server" : ours;
    }
}
