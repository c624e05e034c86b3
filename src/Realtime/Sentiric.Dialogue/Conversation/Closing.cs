using Sentiric.Contracts.Events;
using Sentiric.Speech;

namespace Sentiric.Dialogue;

/// <summary>How a conversation ends: with a good-bye that was heard, never before it.</summary>
internal static class Closing
{
    public static void SayGoodbye(Draft d) => SayLast(d, d.Prompt(PlatformPrompts.Goodbye), UtteranceKind.Goodbye, CallEndReason.Normal);

    public static void SayLast(Draft d, string text, UtteranceKind kind, CallEndReason reason)
    {
        d.State = d.State with { Phase = Phase.Closing, EndWith = reason, CutOff = [] };
        d.Mind = d.Mind with { Pending = null };
        d.Say(text, kind, interruptible: false);
    }

    /// <summary>
    /// A stage of the call broke: the caller hears the fail-safe and is hung up. When there is no voice left either, the call ends at once.
    /// </summary>
    public static void EngineFailed(Draft d, EngineFailed failure)
    {
        d.Note(new AgentFailed(d.Now, failure.Stage, failure.Why));
        if (d.State.Failed || failure.Stage == "media")
        {
            d.Mind = d.Mind with { Pending = null };
            d.State = d.State with { Phase = Phase.Closing, EndWith = CallEndReason.AgentFailed, Speaking = [], CallerSpeaking = false, Failed = true };
            return;
        }

        d.StopTalking();
        d.State = d.State with { Failed = true };
        SayLast(d, d.Prompt(PlatformPrompts.FailSafe), UtteranceKind.FailSafe, CallEndReason.AgentFailed);
    }

    /// <summary>The caller thought of something else while the good-bye was being said.</summary>
    public static bool Reopens(Draft d, string text)
    {
        if (d.State.EndWith != CallEndReason.Normal || d.State.Turn == 0 || Intents.IsClosing(Words.Of(text), true, false)
            || Backchannels.IsBackchannel(text, d.Setup.Language) || Words.Of(text).All(w => Vocabulary.ClosingWords.Contains(w.Folded)))
        {
            return false;
        }

        d.State = d.State with { Phase = Phase.Talking, EndWith = null };
        return true;
    }

    /// <summary>The turn's question and answer are settled.</summary>
    public static void CompleteOpenTurn(Draft d)
    {
        if (d.State.Open is { } open)
        {
            d.Do(new CompleteTurn(d.State.Turn, open.Heard, open.Answered, open.Confidence));
            d.State = d.State with { Open = null };
        }
    }

    /// <summary>After every step: a turn whose answer was heard is settled, a call whose good-bye was heard ends.</summary>
    public static void EndOfStep(Draft d)
    {
        if (d.State.Speaking.Count > 0 || d.Mind.Pending is not null || d.State.Phase == Phase.New)
        {
            return;
        }

        if (d.State.Open is { } open && (d.Setup.IsText || open.HeardMs >= d.Setup.Limits.MergeHeardMs || d.State.EndWith is not null))
        {
            CompleteOpenTurn(d);
        }

        if (d.State.Phase == Phase.Closing && d.State.EndWith is { } reason && (d.State.Failed || !d.State.CallerSpeaking))
        {
            d.State = d.State with { Phase = Phase.Ended };
            d.Do(new HangUp(reason));
        }
    }
}
