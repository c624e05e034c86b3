using System.Diagnostics;
using Sentiric.Benchmarks.Kit;
using Sentiric.Speech;

namespace Sentiric.Benchmarks.Speech;

/// <summary>From the request to the first audio of an espeak-ng process, against starting a process that does nothing.</summary>
public static class Synthesizing
{
    private const string Text = "Randevunuz salı günü saat on dörtte Doktor Ayşe Hanım'a verilmiştir. Başka bir isteğiniz var mı?";
    private const string Nothing = "/bin/true";
    private const int Requests = 60;

    public static async Task RunAsync(Bench bench)
    {
        if (Places.Espeak is not { } program)
        {
            bench.Skip("speech.synthesis", "espeak-ng is not here: './sentiric setup' gets it");
            return;
        }
        bench.Say("espeak-ng");
        using var espeak = new EspeakSynthesizer(new EspeakOptions
        {
            Program = program,
            LibraryPath = Places.Variable("Speech__EspeakLibraryPath"),
            DataPath = Places.Variable("Speech__EspeakDataPath"),
        });
        var (first, whole, floor) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = 0; i < bench.Times(Requests) + 2; i++)
        {
            floor.Add(await StartNothingAsync(bench.Stop));
            var (firstMs, wholeMs) = await SpeakAsync(espeak, bench.Stop);
            first.Add(firstMs);
            whole.Add(wholeMs);
        }
        bench.Add(new Row("speech.espeak.first", "process start until the first audio", Steady(first, 0.5), "ms p50")
        {
            Reference = ("a process that does nothing", Steady(floor, 0.5)),
            Detail = $"p99 {Figure.Of(Steady(first, 0.99))} ms, all of it {Figure.Of(Steady(whole, 0.5))} ms p50",
        });
    }

    // the first two warm up
    private static double Steady(List<double> milliseconds, double share) => Samples.Percentile(milliseconds.Skip(2), share);

    private static async Task<(double First, double Whole)> SpeakAsync(EspeakSynthesizer espeak, CancellationToken stop)
    {
        var from = Stopwatch.GetTimestamp();
        double? first = null;
        await foreach (var chunk in espeak.SynthesizeAsync(new SynthesisRequest(Text, "tr"), stop))
        {
            if (chunk.Pcm.Length > 0) first ??= Stopwatch.GetElapsedTime(from).TotalMilliseconds;
        }
        return (first ?? throw new InvalidDataException("espeak-ng said nothing."), Stopwatch.GetElapsedTime(from).TotalMilliseconds);
    }

    private static async Task<double> StartNothingAsync(CancellationToken stop)
    {
        var from = Stopwatch.GetTimestamp();
        // the same pipes as espeak-ng gets
        var start = new ProcessStartInfo(Nothing) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{Nothing} did not start.");
        await process.WaitForExitAsync(stop);
        return Stopwatch.GetElapsedTime(from).TotalMilliseconds;
    }
}
