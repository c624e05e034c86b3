using System.Diagnostics;
using Sentiric.Benchmarks.Kit;

namespace Sentiric.Benchmarks.Events;

/// <summary>One way to append, tried by a number of callers at once. Each caller waits for its append before it starts the next.</summary>
/// <param name="NewWriter">The append of one caller; it may keep a connection.</param>
public sealed record Contender(string Name, int Writers, int EventsPerAppend, Func<int, Task<IWriter>> NewWriter);

public interface IWriter : IAsyncDisposable
{
    Task AppendAsync();
}

/// <summary>Median events per second over the rounds; latencies over all of them, in ms; CPU in microseconds per event.</summary>
public sealed record AppendFigures(double EventsPerSecond, double P50, double P99, double ClientCpu, double? ServerCpu)
{
    public override string ToString() =>
        $"p50 {Figure.Of(P50)} ms, p99 {Figure.Of(P99)} ms, CPU {Figure.Of(ClientCpu)}"
        + (ServerCpu is { } server ? $" + {Figure.Of(server)} us/event client + server" : " us/event client");
}

/// <summary>Runs contenders in turns, so that whatever slows the machine for a while slows all of them.</summary>
/// <param name="settle">Done before each round, outside of it: fresh statistics, or sessions plan for the empty tables of the beginning.</param>
public sealed class Contest(Bench bench, Func<TimeSpan>? serverCpu, Func<Task> settle)
{
    // The machine's mood changes within seconds: a median of few rounds is a matter of luck.
    private const int Rounds = 5;
    private const double RoundSeconds = 0.6;
    private const double WarmUpSeconds = 0.2;

    public async Task<IReadOnlyDictionary<string, AppendFigures>> RunAsync(IReadOnlyList<Contender> contenders)
    {
        var rounds = contenders.ToDictionary(c => c.Name, _ => new List<Round>());
        for (var i = -1; i < Rounds; i++)
        {
            await settle();
            foreach (var contender in contenders)
            {
                bench.Stop.ThrowIfCancellationRequested();
                bench.Say(i < 0 ? $"{contender.Name}, filling the tables" : $"{contender.Name}, round {i + 1} of {Rounds}");
                var round = await RoundAsync(contender);
                if (i >= 0) rounds[contender.Name].Add(round);
            }
        }
        return rounds.ToDictionary(r => r.Key, r => Figures(r.Value));
    }

    private async Task<Round> RoundAsync(Contender contender)
    {
        var writers = await Task.WhenAll(Enumerable.Range(0, contender.Writers).Select(contender.NewWriter));
        try
        {
            await Task.WhenAll(writers.Select(w => RepeatAsync(w, bench.For(WarmUpSeconds))));
            var (client, server, since) = (Measure.Cpu, serverCpu?.Invoke(), Stopwatch.StartNew());
            var latencies = await Task.WhenAll(writers.Select(w => RepeatAsync(w, bench.For(RoundSeconds))));
            var elapsed = since.Elapsed;
            var events = latencies.Sum(l => l.Count) * contender.EventsPerAppend;
            return new Round(
                events / elapsed.TotalSeconds, [.. latencies.SelectMany(l => l)],
                (Measure.Cpu - client).TotalMicroseconds / events, (serverCpu?.Invoke() - server)?.TotalMicroseconds / events);
        }
        finally
        {
            foreach (var writer in writers) await writer.DisposeAsync();
        }
    }

    private static async Task<List<double>> RepeatAsync(IWriter writer, TimeSpan length)
    {
        await Task.Yield();
        var latencies = new List<double>(4_096);
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < length;)
        {
            var from = Stopwatch.GetTimestamp();
            await writer.AppendAsync();
            latencies.Add(Stopwatch.GetElapsedTime(from).TotalMilliseconds);
        }
        return latencies;
    }

    private static AppendFigures Figures(List<Round> rounds)
    {
        var latencies = rounds.SelectMany(r => r.Latencies).ToList();
        return new AppendFigures(
            Samples.Median(rounds.Select(r => r.EventsPerSecond)), Samples.Percentile(latencies, 0.5), Samples.Percentile(latencies, 0.99),
            Samples.Median(rounds.Select(r => r.ClientCpu)),
            rounds.All(r => r.ServerCpu is not null) ? Samples.Median(rounds.Select(r => r.ServerCpu ?? 0)) : null);
    }

    private sealed record Round(double EventsPerSecond, IReadOnlyList<double> Latencies, double ClientCpu, double? ServerCpu);
}
