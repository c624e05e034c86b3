namespace Sentiric.Speech;

/// <summary>
/// Turns probabilities into segments: silence, rising, speech. Pure state, shared by all detectors.
/// Rising lasts <see cref="VadOptions.StartAfter"/>; one value below the end threshold drops it, so a click does not start speech.
/// </summary>
public struct SpeechGate(VadOptions options)
{
    private TimeSpan above;
    private TimeSpan below;

    public bool IsSpeech { get; private set; }

    /// <summary>Takes the probability of the next piece of audio, <paramref name="length"/> long.</summary>
    public VadFrame Next(float probability, TimeSpan length) =>
        IsSpeech ? WhileSpeaking(probability, length) : WhileSilent(probability, length);

    private VadFrame WhileSilent(float probability, TimeSpan length)
    {
        if (probability >= options.StartThreshold)
        {
            above += length;
        }
        else if (probability < options.EndThreshold)
        {
            above = TimeSpan.Zero;
        }

        IsSpeech = above > TimeSpan.Zero && above >= options.StartAfter;
        below = TimeSpan.Zero;
        return new VadFrame(probability, IsSpeech, SpeechStarted: IsSpeech, SpeechEnded: false);
    }

    private VadFrame WhileSpeaking(float probability, TimeSpan length)
    {
        below = probability < options.EndThreshold ? below + length : TimeSpan.Zero;
        bool ended = below > TimeSpan.Zero && below >= options.HangOver;
        if (ended)
        {
            IsSpeech = false;
            above = TimeSpan.Zero;
        }

        return new VadFrame(probability, IsSpeech, SpeechStarted: false, SpeechEnded: ended);
    }
}
