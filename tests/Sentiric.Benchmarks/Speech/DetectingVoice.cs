using Sentiric.Benchmarks.Kit;
using Sentiric.Speech;
using Sentiric.Speech.Native;

namespace Sentiric.Benchmarks.Speech;

/// <summary>Silero's network on one window of 32 ms, against the detector that only looks at the level.</summary>
public static class DetectingVoice
{
    private const int WindowSamples = 256;

    public static Task RunAsync(Bench bench)
    {
        if (Places.OnnxRuntime is not { } library || Places.Silero is not { } model || Caller.Utterances.Count == 0)
        {
            bench.Skip("speech.vad", "libonnxruntime.so or silero_vad.onnx is not here: './sentiric setup' gets them");
            return Task.CompletedTask;
        }
        bench.Say("voice activity");
        using var silero = new SileroVadFactory(OnnxRuntime.Load(library), model);
        using var network = silero.Create(VadOptions.Default);
        using var level = new EnergyVadFactory().Create(VadOptions.Default);
        var cost = Measure.Loop(Each(network));
        var floor = Measure.Loop(Each(level));
        bench.Add(new Row("speech.vad", "Silero, window of 32 ms", cost.Nanoseconds / 1_000_000, "ms")
        {
            Reference = ("level detector", floor.Nanoseconds / 1_000_000),
            Detail = $"{Figure.Of(cost.Bytes)} B allocated",
        });
        return Task.CompletedTask;
    }

    private static Action Each(IVoiceActivityDetector detector)
    {
        var (pcm, at) = (Caller.All, 0);
        return () =>
        {
            detector.Process(pcm.AsSpan(at, WindowSamples));
            at = at + 2 * WindowSamples <= pcm.Length ? at + WindowSamples : 0;
        };
    }
}
