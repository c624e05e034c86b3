using System.Diagnostics;
using Sentiric.Benchmarks.Kit;

namespace Sentiric.Benchmarks.Events;

/// <summary>What one way of going through the events costs: median events per second, CPU in microseconds per event, over rounds that follow a warm-up.</summary>
public sealed record Pace(double EventsPerSecond, double ClientCpu, double? ServerCpu)
{
    public override string ToString() => ServerCpu is { } server
        ? $"CPU {Figure.Of(ClientCpu)} + {Figure.Of(server)} us/event client + server"
        : $"CPU {Figure.Of(ClientCpu)} us/event client";
}

/// <summary>Goes through the same events in several ways in turns, so that whatever slows the machine for a while slows all of them.</summary>
public static class Turns
{
    // A loop that takes a whole round is called once in it: the compiler looks at it a second time after thirty calls (tiered compilation's default).
    private const int WarmUps = 10;

    public static async Task<IReadOnlyList<Pace>> RunAsync(Bench bench, int events, int rounds, Func<TimeSpan>? serverCpu, params (string Name, Func<Task<int>> Read)[] ways)
    {
        var taken = ways.Select(_ => new List<Pace>()).ToArray();
        for (var round = -WarmUps; round < rounds; round++)
        {
            for (var way = 0; way < ways.Length; way++)
            {
                bench.Stop.ThrowIfCancellationRequested();
                bench.Say(round < 0 ? $"{ways[way].Name}, warming up" : $"{ways[way].Name}, round {round + 1} of {rounds}");
                var pace = await OnceAsync(events, ways[way].Read, serverCpu);
                if (round >= 0) taken[way].Add(pace);
            }
            if (round == -1) await Measure.CompilerSettlesAsync(bench.Stop);
        }
        return [.. taken.Select(Median)];
    }

    private static async Task<Pace> OnceAsync(int events, Func<Task<int>> read, Func<TimeSpan>? serverCpu)
    {
        GC.Collect();
        var (client, server, from) = (Measure.Cpu, serverCpu?.Invoke(), Stopwatch.GetTimestamp());
        var seen = await read();
        var took = Stopwatch.GetElapsedTime(from);
        if (seen != events) throw new InvalidDataException($"Of {events} events {seen} came back.");
        return new Pace(events / took.TotalSeconds, (Measure.Cpu - client).TotalMicroseconds / events, (serverCpu?.Invoke() - server)?.TotalMicroseconds / events);
    }

    private static Pace Median(List<Pace> rounds) => new(
        Samples.Median(rounds.Select(r => r.EventsPerSecond)), Samples.Median(rounds.Select(r => r.ClientCpu)),
        rounds.All(r => r.ServerCpu is not null) ? Samples.Median(rounds.Select(r => r.ServerCpu ?? 0)) : null);
}
