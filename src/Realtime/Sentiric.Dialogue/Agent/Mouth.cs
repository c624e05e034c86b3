using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Sentiric.Contracts.Events;
using Sentiric.Speech;

namespace Sentiric.Dialogue;

/// <summary>
/// Speaks one utterance after the other: sentence by sentence from the synthesiser into the media engine. Every utterance is reported back once,
/// as finished or as interrupted.
/// </summary>
internal sealed class Mouth(AgentPorts ports, string sessionId, string language, string? voice, DateTimeOffset callStart, TurnClock clock, Func<DialogueInput, ValueTask> report)
{
    /// <summary>Utterances that wait; the conversation says a few per turn.</summary>
    public const int MaxWaiting = 64;

    private const int SamplesPerMs = 8;

    private readonly Channel<(Utterance Utterance, int Round)> _waiting = Channel.CreateBounded<(Utterance, int)>(MaxWaiting);
    private readonly Lock _gate = new();
    private CancellationTokenSource? _speaking;
    private int _round;
    private int _pending;
    private int _playback;

    /// <summary>What is being said just now; read by the ear for every frame.</summary>
    public Playback Playback => (Playback)Volatile.Read(ref _playback);

    /// <summary>False at the bound: the utterance is not said.</summary>
    public bool Say(Utterance utterance)
    {
        lock (_gate)
        {
            if (!_waiting.Writer.TryWrite((utterance, _round)))
            {
                return false;
            }

            _pending++;
            if (_pending == 1)
            {
                Show(utterance);
            }

            return true;
        }
    }

    /// <summary>Silence within 40 ms: the synthesiser stops, the media engine is cleared, what waits is reported as not heard.</summary>
    public async Task StopAsync(CancellationToken ct)
    {
        lock (_gate)
        {
            _round++;
            _speaking?.Cancel();
        }

        await ports.Media.ClearAsync(sessionId, ct).ConfigureAwait(false);
    }

    public async Task RunAsync(CancellationToken ct)
    {
        await foreach (var (utterance, round) in _waiting.Reader.ReadAllAsync(ct).ConfigureAwait(false))
        {
            try
            {
                await SpeakAsync(utterance, round, ct).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                await report(new UtteranceInterrupted(Now(), utterance.Id, Offset(), 0, 0)).ConfigureAwait(false);
                await report(new EngineFailed(Now(), "media", e.Message)).ConfigureAwait(false);
            }
            finally
            {
                Done();
            }
        }
    }

    /// <summary>Makes a prompt ready, so that it can be said even when the synthesiser has gone.</summary>
    public async Task PrepareAsync(string text, CancellationToken ct)
    {
        foreach (var sentence in Sentences.Of(text))
        {
            await foreach (var _ in ports.Prompts.SynthesizeAsync(Request(sentence), ct).ConfigureAwait(false))
            {
                // Only the cache wants the audio.
            }
        }
    }

    private async Task SpeakAsync(Utterance utterance, int round, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        lock (_gate)
        {
            _speaking = stop;
            if (round != _round)
            {
                stop.Cancel();
            }

            Show(utterance);
        }

        var speech = new Speech();
        if (!stop.IsCancellationRequested)
        {
            var outcome = await ports.Media.PlayAsync(sessionId, utterance.Id, utterance.Text, SamplesAsync(utterance, speech, stop.Token), ct).ConfigureAwait(false);
            if (outcome.Refusal is { } refusal)
            {
                speech.MediaFault = $"{refusal.Code}: {refusal.Why}";
            }
            else
            {
                (speech.HeardMs, speech.Interrupted) = (outcome.Value.HeardMs, outcome.Value.Interrupted);
            }
        }

        lock (_gate)
        {
            _speaking = null;
        }

        await ReportAsync(utterance, speech, stop.IsCancellationRequested).ConfigureAwait(false);
    }

    private async Task ReportAsync(Utterance utterance, Speech speech, bool stopped)
    {
        var fault = speech.SynthesisFault ?? speech.MediaFault;
        if (fault is not null || speech.Interrupted || stopped)
        {
            await report(new UtteranceInterrupted(Now(), utterance.Id, Offset() - speech.HeardMs, speech.HeardMs, speech.Complete ? speech.TotalMs : 0)).ConfigureAwait(false);
        }
        else
        {
            await report(new UtteranceFinished(Now(), utterance.Id, Offset() - speech.HeardMs, speech.HeardMs)).ConfigureAwait(false);
        }

        if (fault is not null)
        {
            await report(new EngineFailed(Now(), speech.SynthesisFault is null ? "media" : "synthesizer", fault)).ConfigureAwait(false);
        }
    }

    private async IAsyncEnumerable<ReadOnlyMemory<short>> SamplesAsync(Utterance utterance, Speech speech, [EnumeratorCancellation] CancellationToken stop)
    {
        foreach (var sentence in Sentences.Of(utterance.Text))
        {
            await using var chunks = Source(utterance).SynthesizeAsync(Request(sentence), stop).GetAsyncEnumerator(stop);
            while (await NextAsync(chunks, speech).ConfigureAwait(false))
            {
                if (speech.Samples == 0)
                {
                    FirstSound(utterance);
                    await report(new UtteranceStarted(Now(), utterance.Id)).ConfigureAwait(false);
                }

                speech.Samples += chunks.Current.Pcm.Length;
                yield return chunks.Current.Pcm;
            }

            if (speech.SynthesisFault is not null || stop.IsCancellationRequested)
            {
                yield break;
            }
        }

        speech.Complete = true;
    }

    // An engine that breaks ends the audio here; what went wrong is reported once the media engine has played the rest.
    private static async ValueTask<bool> NextAsync(IAsyncEnumerator<AudioChunk> chunks, Speech speech)
    {
        try
        {
            return await chunks.MoveNextAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (Exception e)
        {
            speech.SynthesisFault = e.Message;
            return false;
        }
    }

    private void FirstSound(Utterance utterance)
    {
        if (utterance.Kind != UtteranceKind.Announcement)
        {
            clock.Sounded(utterance.Turn);
        }
    }

    // Questions and announcements are the same for every caller; answers and confirmations hold what one caller said.
    private ISpeechSynthesizer Source(Utterance utterance) => utterance.Kind switch
    {
        UtteranceKind.Question or UtteranceKind.Reprompt or UtteranceKind.Announcement or UtteranceKind.Goodbye or UtteranceKind.FailSafe => ports.Prompts,
        UtteranceKind.Greeting or UtteranceKind.Answer or UtteranceKind.Confirmation => ports.Synthesizer,
    };

    private SynthesisRequest Request(string sentence) => new(SpokenForm.Of(sentence, language), language, voice);

    private void Show(Utterance utterance) =>
        Volatile.Write(ref _playback, (int)(utterance.Interruptible ? Playback.Interruptible : Playback.Uninterruptible));

    private void Done()
    {
        lock (_gate)
        {
            _pending--;
            if (_pending == 0)
            {
                Volatile.Write(ref _playback, (int)Playback.None);
            }
        }
    }

    private DateTimeOffset Now() => ports.Time.GetUtcNow();

    private long Offset() => (long)(Now() - callStart).TotalMilliseconds;

    private sealed class Speech
    {
        public long Samples { get; set; }

        public long TotalMs => Samples / SamplesPerMs;

        public bool Complete { get; set; }

        public long HeardMs { get; set; }

        public bool Interrupted { get; set; }

        public string? SynthesisFault { get; set; }

        public string? MediaFault { get; set; }
    }
}
