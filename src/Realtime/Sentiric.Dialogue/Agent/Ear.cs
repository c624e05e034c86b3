using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Speech;

namespace Sentiric.Dialogue;

/// <summary>Listens to the caller: frames go to the voice detector and the recogniser, turns come out.</summary>
internal sealed class Ear(
    AgentPorts ports, string sessionId, TurnTakingOptions options, DateTimeOffset callStart, Func<Playback> playback, Func<string, long, bool> isAnswer,
    Action<object> note, Func<DialogueInput, EarMarks?, ValueTask> report)
{
    /// <summary>Sounds shorter than this of which nothing was understood are coughs, not words.</summary>
    private const int ShortestWordsMs = 400;

    // The detector's own start and hang-over would add to those of turn-taking: its probability alone is used, with a gap between on and off.
    private const float VoicedFrom = 0.5f;
    private const float StillVoicedFrom = 0.35f;

    private long _lastVoiced;

    /// <summary>Until the media session closes. Nobody is listened to during an announcement: the frames only tell that the call is up.</summary>
    public async Task WaitForEndAsync(CancellationToken ct)
    {
        await foreach (var _ in ports.Media.ListenAsync(sessionId, ct).ConfigureAwait(false))
        {
        }
    }

    /// <summary>Until the media session closes. Throws <see cref="SpeechEngineException"/> when the recogniser fails.</summary>
    public async Task ListenAsync(string language, IReadOnlyList<string> phrases, CancellationToken ct)
    {
        using var voice = ports.Voices.Create(VadOptions.Default);
        await using var session = await ports.Recognizer.StartAsync(new() { Language = language, Phrases = phrases, MaxAlternatives = 0 }, ct).ConfigureAwait(false);
        var state = TurnState.Quiet;
        await foreach (var frame in ports.Media.ListenAsync(sessionId, ct).ConfigureAwait(false))
        {
            var heard = voice.Process(frame.Pcm.Span);
            await session.WriteAsync(frame.Pcm, ct).ConfigureAwait(false);
            var voiced = heard.Probability >= (state.VoicedMs > 0 ? StillVoicedFrom : VoicedFrom);
            _lastVoiced = voiced ? ports.Time.GetTimestamp() : _lastVoiced;
            var partial = state.Speaking ? session.CurrentPartial?.Text : null;
            var answers = partial is { Length: > 0 } && isAnswer(partial, state.LengthMs);
            (state, var events) = TurnStep.Next(state, new(Offset(), voiced, partial, playback(), answers), options, ports.Turns, language);
            foreach (var happened in events)
            {
                await TakeAsync(happened, session, ct).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask TakeAsync(TurnEvent happened, IRecognitionSession session, CancellationToken ct)
    {
        switch (happened)
        {
            case SpeechBegan began:
                await session.BeginUtteranceAsync(TimeSpan.FromMilliseconds(options.PreRollMs), ct).ConfigureAwait(false);
                note(new SpeechStarted(Now(), began.OffsetMs));
                await report(new CallerStartedSpeaking(Now()), null).ConfigureAwait(false);
                break;
            case BargeIn:
                await report(new CallerBargedIn(Now()), null).ConfigureAwait(false);
                break;
            case TurnOver over:
                await UnderstandAsync(over, session, ct).ConfigureAwait(false);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(happened), happened.GetType().Name, "an event that the ear does not know");
        }
    }

    private async ValueTask UnderstandAsync(TurnOver over, IRecognitionSession session, CancellationToken ct)
    {
        var turnOver = ports.Time.GetTimestamp();
        note(new SpeechEnded(Now(), over.OffsetMs, over.SpeechMs));
        var result = await session.EndUtteranceAsync(ct).ConfigureAwait(false);
        var marks = new EarMarks(_lastVoiced, turnOver, ports.Time.GetTimestamp());
        if (result.IsEmpty && over.SpeechMs < ShortestWordsMs)
        {
            await report(new CallerFellSilent(Now()), null).ConfigureAwait(false);
            return;
        }

        await report(new CallerSaid(Now(), result.Text, result.Confidence, over.OffsetMs - over.SpeechMs, over.SpeechMs), marks).ConfigureAwait(false);
    }

    private DateTimeOffset Now() => ports.Time.GetUtcNow();

    private long Offset() => (long)(Now() - callStart).TotalMilliseconds;
}
