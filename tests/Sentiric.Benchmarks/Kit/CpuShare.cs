using System.Runtime;

namespace Sentiric.Benchmarks.Kit;

/// <summary>Processor time from a moment on, of this process and of the server, and what of ours went into collecting and compiling.</summary>
public sealed class CpuShare
{
    private readonly Func<TimeSpan>? server;
    private readonly TimeSpan clientFrom = Measure.Cpu;
    private readonly TimeSpan pausedFrom = GC.GetTotalPauseDuration();
    private readonly TimeSpan compiledFrom = JitInfo.GetCompilationTime();
    private readonly TimeSpan? serverFrom;

    private CpuShare(Func<TimeSpan>? server) => (this.server, serverFrom) = (server, server?.Invoke());

    /// <param name="server">Null when the server is on another machine.</param>
    public static CpuShare Begin(Func<TimeSpan>? server) => new(server);

    /// <summary>Microseconds per event, in words.</summary>
    public string Per(long events)
    {
        string Of(TimeSpan time) => Figure.Of(time.TotalMicroseconds / events);
        var ours = $"processor per event {Of(Measure.Cpu - clientFrom)} us client (compiling {Of(JitInfo.GetCompilationTime() - compiledFrom)}, collecting paused it {Of(GC.GetTotalPauseDuration() - pausedFrom)})";
        return server is not null && server() - serverFrom is { } theirs ? $"{ours}, {Of(theirs)} us server" : ours;
    }
}
