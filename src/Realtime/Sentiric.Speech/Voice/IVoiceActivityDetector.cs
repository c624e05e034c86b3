namespace Sentiric.Speech;

/// <summary>
/// Tells speech from silence on one call leg. Keeps state, belongs to one thread at a time.
/// Feed it 20 ms frames of mono S16 at 8 kHz (160 samples); other lengths are taken too.
/// </summary>
public interface IVoiceActivityDetector : IDisposable
{
    VadFrame Process(ReadOnlySpan<short> frame);

    /// <summary>Forgets all that was heard; a running speech segment is dropped without an end.</summary>
    void Reset();
}

/// <summary>
/// The answer for one frame. <paramref name="SpeechStarted"/> and <paramref name="SpeechEnded"/> are true on exactly one frame each per segment;
/// the end comes <see cref="VadOptions.HangOver"/> after the last speech.
/// </summary>
public readonly record struct VadFrame(float Probability, bool IsSpeech, bool SpeechStarted, bool SpeechEnded);

/// <summary>Makes one detector per call leg. Shared by all calls.</summary>
public interface IVoiceActivityDetectorFactory
{
    /// <summary>Name for logs and the console: "silero", "energy".</summary>
    string Engine { get; }

    IVoiceActivityDetector Create(VadOptions options);
}
