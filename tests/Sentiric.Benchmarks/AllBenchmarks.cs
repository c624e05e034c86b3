using Sentiric.Benchmarks.Events;
using Sentiric.Benchmarks.Kit;
using Sentiric.Benchmarks.Media;
using Sentiric.Benchmarks.Sip;
using Sentiric.Benchmarks.Speech;

namespace Sentiric.Benchmarks;

/// <summary>Every benchmark there is, in the order in which they run.</summary>
public static class AllBenchmarks
{
    public static IReadOnlyList<Benchmark> List { get; } =
    [
        new("events.append", Appending.RunAsync),
        new("events.read", ReadingAll.RunAsync),
        new("events.aggregate", LiveAggregate.RunAsync),
        new("events.catchup", CatchingUp.RunAsync),
        new("events.readmodels", ReadModels.RunAsync),
        new("events.rebuild", Rebuilding.RunAsync),
        new("events.wake", WakingAHandler.RunAsync),
        new("events.scale", Scaling.RunAsync) { NeedsScale = true },
        new("events.scale_rebuild", ScaleRebuild.RunAsync) { NeedsScale = true },
        new("events.audit", Notarising.RunAsync),
        new("events.sealed", Sealing.RunAsync),
        new("sip.messages", Messages.RunAsync),
        new("sip.live", Lingering.RunAsync),
        new("sip.fuzz", Fuzzing.RunAsync),
        new("sip.uas", AnsweringCalls.RunAsync),
        new("sip.uas.1000", AnsweringCalls.RushAsync),
        new("media.g711", Codecs.RunAsync),
        new("media.echo", Legs.EchoAsync),
        new("media.legs", Legs.FullAsync),
        new("media.latency", Latency.RunAsync),
        new("speech.recognizer", Recognizing.RunAsync),
        new("speech.vad", DetectingVoice.RunAsync),
        new("speech.synthesis", Synthesizing.RunAsync),
    ];
}
