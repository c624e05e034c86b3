using System.Diagnostics;
using Sentiric.Benchmarks.Kit;
using Sentiric.Speech;
using Sentiric.Speech.Native;

namespace Sentiric.Benchmarks.Speech;

/// <summary>The built-in recogniser on recorded callers, as fast as it can: what a second of audio costs, when the first words are there, what its language model costs.</summary>
public static class Recognizing
{
    private const int Rounds = 7;
    private const int ManyPhrases = 1_000;

    public static async Task RunAsync(Bench bench)
    {
        if (Places.OnnxRuntime is not { } library || Places.CtcModel is not { } model || Places.Silero is not { } silero || Caller.Utterances.Count == 0)
        {
            bench.Skip("speech.recognizer", "libonnxruntime.so, silero_vad.onnx or the recogniser's model is not here: './sentiric setup' gets them");
            return;
        }
        var runtime = OnnxRuntime.Load(library);
        using var pool = new SpeechWorkerPool(1);
        bench.Say("loading");
        var from = Stopwatch.GetTimestamp();
        await using var recognizer = new CtcRecognizer(runtime, new CtcRecognizerOptions { ModelPath = model, PhrasesPath = Places.Phrases }, pool);
        var loading = Stopwatch.GetElapsedTime(from);

        await CpuAsync(bench, recognizer, runtime, silero);
        await FirstPartialAsync(bench, recognizer, pool);
        bench.Add(new Row("speech.ctc.load", "network and general language model, at the start of the process", loading.TotalMilliseconds, "ms"));
        await PhrasesAsync(bench, recognizer);
    }

    private static async Task CpuAsync(Bench bench, CtcRecognizer recognizer, OnnxRuntime runtime, string silero)
    {
        using var factory = new SileroVadFactory(runtime, silero);
        using var vad = factory.Create(VadOptions.Default);
        await using var session = await recognizer.StartAsync(new RecognitionOptions(), bench.Stop);
        var (ours, peer, ends) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = 0; i < bench.Times(Rounds) + 1; i++)
        {
            bench.Say($"{Figure.Of(Caller.Seconds)} s of speech, round {i + 1}");
            ours.Add(await CpuPerSecondAsync(() => HearAsync(session, ends, bench.Stop)));
            peer.Add(await CpuPerSecondAsync(() =>
            {
                foreach (var frame in Caller.Frames(Caller.All)) vad.Process(frame.Span);
                return Task.CompletedTask;
            }));
            if (i == 0) await Measure.CompilerSettlesAsync(bench.Stop);
        }
        bench.Add(new Row("speech.ctc", "network, beam and language model, per second of audio", Samples.Median(ours.Skip(1)), "ms CPU")
        {
            Reference = ("Silero alone", Samples.Median(peer.Skip(1))),
        });
        var steady = ends.Skip(Caller.Utterances.Count).ToList();
        bench.Add(new Row("speech.ctc.final", "end of the utterance until its final text, audio given all at once", Samples.Percentile(steady, 0.5), "ms p50")
        {
            Detail = $"p99 {Figure.Of(Samples.Percentile(steady, 0.99))} ms",
        });
    }

    private static async Task HearAsync(IRecognitionSession session, List<double> ends, CancellationToken stop)
    {
        foreach (var utterance in Caller.Utterances)
        {
            foreach (var frame in Caller.Frames(utterance)) await session.WriteAsync(frame, stop);
            var from = Stopwatch.GetTimestamp();
            await session.EndUtteranceAsync(stop);
            ends.Add(Stopwatch.GetElapsedTime(from).TotalMilliseconds);
        }
    }

    private static async Task<double> CpuPerSecondAsync(Func<Task> hear)
    {
        var cpu = Measure.Cpu;
        await hear();
        return (Measure.Cpu - cpu).TotalMilliseconds / Caller.Seconds;
    }

    /// <summary>Audio time, not computing time: how much of the utterance had been written when its first text was there.</summary>
    private static async Task FirstPartialAsync(Bench bench, CtcRecognizer recognizer, SpeechWorkerPool pool)
    {
        bench.Say("first partial");
        await using var session = await recognizer.StartAsync(new RecognitionOptions(), bench.Stop);
        var milliseconds = new List<double>();
        foreach (var utterance in Caller.Utterances)
        {
            var writtenMs = 0.0;
            foreach (var frame in Caller.Frames(utterance))
            {
                await session.WriteAsync(frame, bench.Stop);
                writtenMs += frame.Length * 1_000.0 / Caller.Rate;
                await pool.RunAsync(() => true, bench.Stop); // one worker: behind the frame
                if (session.CurrentPartial is null) continue;
                milliseconds.Add(writtenMs);
                break;
            }
            await session.EndUtteranceAsync(bench.Stop);
        }
        bench.Add(new Row("speech.ctc.first_partial", "audio from the start of the recording until its first text", Samples.Percentile(milliseconds, 0.5), "ms p50")
        {
            Detail = $"slowest {Figure.Of(milliseconds.DefaultIfEmpty(0).Max())} ms, {milliseconds.Count} of {Caller.Utterances.Count} recordings; their leading silence included",
        });
    }

    private static async Task PhrasesAsync(Bench bench, CtcRecognizer recognizer)
    {
        bench.Say("language model");
        var milliseconds = new List<double>();
        for (var i = 0; i < bench.Times(Rounds) + 1; i++)
        {
            // another list each time: a known one is shared and costs nothing
            string[] phrases = [.. Enumerable.Range(0, ManyPhrases).Select(n => $"sipariş numaram {i} {n} hakkında bilgi almak istiyorum")];
            var from = Stopwatch.GetTimestamp();
            await using var session = await recognizer.StartAsync(new RecognitionOptions { Phrases = phrases }, bench.Stop);
            milliseconds.Add(Stopwatch.GetElapsedTime(from).TotalMilliseconds);
        }
        bench.Add(new Row("speech.ctc.phrases", $"session with a new list of {ManyPhrases} phrases", Samples.Median(milliseconds.Skip(1)), "ms"));
    }
}
