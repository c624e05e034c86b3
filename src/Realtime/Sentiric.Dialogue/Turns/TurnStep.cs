using Sentiric.Speech;

namespace Sentiric.Dialogue;

/// <summary>Who has the floor, as a pure step over 20 ms frames: when speech starts, when it means to interrupt, when the turn is over.</summary>
public static class TurnStep
{
    public const int FrameMs = 20;

    public static (TurnState State, IReadOnlyList<TurnEvent> Events) Next(
        TurnState state, TurnFrame frame, TurnTakingOptions options, ITurnDetector detector, string language)
    {
        return state.Speaking ? InSpeech(state, frame, options, detector, language) : InSilence(state, frame, options);
    }

    private static (TurnState, IReadOnlyList<TurnEvent>) InSilence(TurnState state, TurnFrame frame, TurnTakingOptions options)
    {
        var voiced = frame.Voiced ? state.VoicedMs + FrameMs : 0;
        if (voiced < options.SpeechAfterMs)
        {
            return (state with { VoicedMs = voiced }, []);
        }

        var started = new TurnState(true, voiced, voiced, 0, false);
        return (started, [new SpeechBegan(frame.OffsetMs - voiced)]);
    }

    private static (TurnState, IReadOnlyList<TurnEvent>) InSpeech(
        TurnState state, TurnFrame frame, TurnTakingOptions options, ITurnDetector detector, string language)
    {
        var next = state with
        {
            LengthMs = state.LengthMs + FrameMs,
            VoicedMs = frame.Voiced ? state.VoicedMs + FrameMs : state.VoicedMs,
            SilenceMs = frame.Voiced ? 0 : state.SilenceMs + FrameMs,
        };
        var bargesIn = !next.BargedIn && frame.Playback == Playback.Interruptible && TakesTheFloor(next, frame, options, language);
        next = next with { BargedIn = next.BargedIn || bargesIn };
        var events = bargesIn ? new List<TurnEvent> { new BargeIn() } : [];
        if (IsOver(next, frame, options, detector, language))
        {
            events.Add(new TurnOver(frame.OffsetMs - next.SilenceMs, next.LengthMs - next.SilenceMs, next.SilenceMs));
            return (TurnState.Quiet, events);
        }

        return (next, events);
    }

    // Known words decide: a listener's "hı hı" never takes the floor, unless it is what the agent is just asking for. Without words only the length can tell.
    private static bool TakesTheFloor(TurnState state, TurnFrame frame, TurnTakingOptions options, string language) => string.IsNullOrWhiteSpace(frame.Partial)
        ? state.VoicedMs >= options.WordlessBargeInMs
        : state.VoicedMs >= options.BargeInMs && (frame.IsAnswer || !Backchannels.IsBackchannel(frame.Partial, language));

    private static bool IsOver(TurnState state, TurnFrame frame, TurnTakingOptions options, ITurnDetector detector, string language) =>
        state.LengthMs >= options.MaxUtteranceMs
        || (state.SilenceMs > 0 && detector.Decide(new(TimeSpan.FromMilliseconds(state.SilenceMs), frame.Partial, language, frame.IsAnswer)).Ended);
}

/// <param name="VoicedMs">Voiced sound: in a row before speech has started, in all afterwards.</param>
/// <param name="LengthMs">Since speech started, pauses included.</param>
public readonly record struct TurnState(bool Speaking, long VoicedMs, long LengthMs, long SilenceMs, bool BargedIn)
{
    public static readonly TurnState Quiet;
}

public enum Playback
{
    None,
    Interruptible,
    Uninterruptible,
}

/// <param name="Voiced">The detector hears a voice in these 20 ms.</param>
/// <param name="Partial">What the recogniser has understood of the running utterance.</param>
/// <param name="Playback">What the agent is saying meanwhile.</param>
/// <param name="IsAnswer">The partial text as a whole answers the question that is open.</param>
public readonly record struct TurnFrame(long OffsetMs, bool Voiced, string? Partial, Playback Playback, bool IsAnswer = false);

public abstract record TurnEvent;

public sealed record SpeechBegan(long OffsetMs) : TurnEvent;

/// <summary>The caller takes the floor.</summary>
public sealed record BargeIn : TurnEvent;

/// <param name="OffsetMs">Of the last voiced frame.</param>
/// <param name="SpeechMs">From the start to the last voiced frame.</param>
/// <param name="SilenceMs">That it took to decide.</param>
public sealed record TurnOver(long OffsetMs, long SpeechMs, long SilenceMs) : TurnEvent;
