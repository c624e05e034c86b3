namespace Sentiric.Speech;

/// <summary>A speech-to-text engine with one model. Shared by all calls; sessions are cheap.</summary>
public interface ISpeechRecognizer : IAsyncDisposable
{
    RecognizerInfo Info { get; }

    /// <summary>
    /// Starts listening for one speaker. Throws <see cref="SpeechEngineException"/> with <see cref="SpeechFault.LanguageUnsupported"/> when
    /// the language is not in <see cref="RecognizerInfo.Languages"/>, with <see cref="SpeechFault.Overloaded"/> when no more sessions fit.
    /// </summary>
    ValueTask<IRecognitionSession> StartAsync(RecognitionOptions options, CancellationToken cancel);
}

/// <summary>
/// One speaker on one call. Feed it all audio, silence too: the start of speech is known only after the first syllable.
/// One caller at a time; <see cref="Partials"/> and <see cref="CurrentPartial"/> may be read from other threads.
/// </summary>
public interface IRecognitionSession : IAsyncDisposable
{
    /// <summary>The text so far of the running utterance; null while nothing was understood.</summary>
    RecognitionResult? CurrentPartial { get; }

    /// <summary>Partials as they change, for one reader, until the session is disposed. A slow reader loses the oldest, never the newest.</summary>
    IAsyncEnumerable<RecognitionResult> Partials { get; }

    /// <summary>Takes mono S16 at <see cref="RecognitionOptions.SampleRate"/>, usually 20 ms. The samples are copied before this returns.</summary>
    ValueTask WriteAsync(ReadOnlyMemory<short> pcm, CancellationToken cancel);

    /// <summary>
    /// Speech has just started: forgets what was heard before the last <paramref name="preRoll"/> (300 ms suits a usual detector; at most 1 s is kept).
    /// Optional; without it the utterance begins where the last one ended. Call it once per utterance, not after every pause in it.
    /// </summary>
    ValueTask BeginUtteranceAsync(TimeSpan preRoll, CancellationToken cancel);

    /// <summary>Ends the utterance, returns its final result and resets for the next one. Silence gives an empty text with confidence 0.</summary>
    ValueTask<RecognitionResult> EndUtteranceAsync(CancellationToken cancel);
}
