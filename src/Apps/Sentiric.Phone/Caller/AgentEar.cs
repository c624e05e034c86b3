using Sentiric.Media;
using Sentiric.Speech;

namespace Sentiric.Phone;

/// <summary>
/// What the caller hears of the agent: whether it speaks now, since when, and when it was last heard. Times are those of the frames,
/// in milliseconds since the media began. Owned by whoever reads the frames.
/// </summary>
public sealed class AgentEar : IDisposable
{
    /// <summary>A frame's sound has been heard when the frame is over.</summary>
    private const int FrameMs = 20;

    private static readonly VadOptions Options = VadOptions.Default with
    {
        StartAfter = TimeSpan.FromMilliseconds(60), HangOver = TimeSpan.FromMilliseconds(200),
    };

    private readonly IVoiceActivityDetector detector = new EnergyVadFactory().Create(Options);
    private long? risingSinceMs;

    /// <summary>True from the first voiced frame that turned out to be speech until 200 ms of silence.</summary>
    public bool IsSpeaking { get; private set; }

    /// <summary>When the present or last stretch of speech began; absent before the first.</summary>
    public long? BeganMs { get; private set; }

    /// <summary>End of the last voiced frame; absent before the first.</summary>
    public long? LastVoicedMs { get; private set; }

    public void Hear(MediaFrame frame)
    {
        var judged = detector.Process(frame.Pcm.Span);
        if (judged.Probability >= Options.StartThreshold) risingSinceMs ??= frame.ElapsedMs;
        if (judged.SpeechStarted) BeganMs = risingSinceMs ?? frame.ElapsedMs;
        if (judged.IsSpeech && judged.Probability >= Options.EndThreshold) LastVoicedMs = frame.ElapsedMs + FrameMs;
        if (!judged.IsSpeech && judged.Probability < Options.EndThreshold) risingSinceMs = null;
        IsSpeaking = judged.IsSpeech;
    }

    public void Dispose() => detector.Dispose();
}
