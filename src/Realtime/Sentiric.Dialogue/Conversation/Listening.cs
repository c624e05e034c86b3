using Sentiric.Contracts.Events;
using Sentiric.Speech;

namespace Sentiric.Dialogue;

/// <summary>What the caller said becomes a turn: a new one, or more of the one that is still open.</summary>
internal static class Listening
{
    public static void CallerSaid(Draft d, CallerSaid said)
    {
        d.State = d.State with { CallerSpeaking = false };
        var text = said.Text.Trim();
        if (d.State.Phase == Phase.Echo || d.State.Failed)
        {
            return;
        }

        if (d.State.Phase == Phase.Transferring)
        {
            if (text.Length > 0)
            {
                NoteCaller(d, d.State.Turn, text, said);
            }

            return;
        }

        if (text.Length == 0)
        {
            NothingUnderstood(d);
            return;
        }

        var answersEarly = EarlyAnswer.Is(d.State, text, d.Now, said.DurationMs, d.Today);
        if (!answersEarly && IsOnlyListening(d, text))
        {
            NoteCaller(d, d.State.Turn, text, said);
            return;
        }

        if (!answersEarly && WasFalseInterruption(d, text))
        {
            NoteCaller(d, d.State.Turn, text, said);
            Talking.GoOnWhereCutOff(d);
            return;
        }

        if (d.State.Phase == Phase.Closing && !Closing.Reopens(d, text))
        {
            NoteCaller(d, d.State.Turn, text, said);
            return;
        }

        if (d.Mind.Pending is { Kind: WorkKind.Tool })
        {
            // What a tool has been told cannot be taken back: it is answered first.
            NoteCaller(d, d.State.Turn, text, said);
            return;
        }

        var (heard, confidence) = OpenTurn(d, text, said);
        NoteCaller(d, d.State.Turn, text, said);
        Think(d, heard, confidence);
    }

    /// <summary>Digits answer a number slot (ended by #) or pick a choice by its place.</summary>
    public static void DigitPressed(Draft d, string digit)
    {
        if (d.State.Phase != Phase.Talking || d.Mind.Awaiting != Awaiting.Slot || d.Task?.Slots.FirstOrDefault(s => s.Name == d.Mind.SlotName) is not { } slot)
        {
            return;
        }

        d.Do(new StopTimer(DialogueTimer.NoInput));
        if (slot.Kind == "choice" && digit.Length == 1 && digit[0] - '1' is >= 0 and var place && place < slot.Choices.Count)
        {
            CallerSaid(d, new(d.Now, slot.Choices[place], 1, 0, 0));
        }
        else if (slot.Kind == "number" && digit == "#" && d.Mind.Digits.Length > 0)
        {
            var typed = d.Mind.Digits;
            d.Mind = d.Mind with { Digits = "" };
            CallerSaid(d, new(d.Now, typed, 1, 0, 0));
        }
        else if (slot.Kind == "number" && digit.Length == 1 && char.IsAsciiDigit(digit[0]) && d.Mind.Digits.Length < MaxDigits)
        {
            d.Mind = d.Mind with { Digits = d.Mind.Digits + digit };
            d.StopTalking();
        }
    }

    /// <summary>Finds the answer: by the LLM where one is configured and well, else by the built-in engine.</summary>
    public static void Think(Draft d, string text, double confidence)
    {
        d.Mind = d.Mind with { Silences = 0 };
        if (d.Setup.UseLlm && d.State.LlmFailures < Setup.MaxLlmFailures)
        {
            LlmEngine.Ask(d, text, []);
        }
        else
        {
            BuiltInEngine.Answer(d, text, confidence);
        }
    }

    private const int MaxDigits = 24;

    private static void NothingUnderstood(Draft d)
    {
        if (d.State.Phase != Phase.Talking || d.Mind.Pending is not null || Talking.GoOnWhereCutOff(d) || d.State.Speaking.Count > 0)
        {
            return;
        }

        BuiltInEngine.NotUnderstood(d);
    }

    // "Hı hı", "evet", "tamam" into the agent's words show that the caller listens.
    private static bool IsOnlyListening(Draft d, string text) =>
        d.State.Speaking.Count > 0 && d.State.CutOff.Count == 0 && Backchannels.IsBackchannel(text, d.Setup.Language);

    // Cut off by what turned out to be listening only: the rest is said.
    private static bool WasFalseInterruption(Draft d, string text) => d.State.CutOff.Count > 0 && Backchannels.IsBackchannel(text, d.Setup.Language);

    /// <summary>
    /// Two finals make one answer: who goes on before having heard the answer is still in the same turn, and the answer is found anew for both.
    /// </summary>
    private static (string Heard, double Confidence) OpenTurn(Draft d, string text, CallerSaid said)
    {
        var (confidence, heardMs) = (said.Confidence, HeardOfTheAnswer(d, said.DurationMs));
        d.StopTalking();
        d.State = d.State with { CutOff = [] };
        if (d.State.Open is { SideEffect: false } open && heardMs < d.Setup.Limits.MergeHeardMs && !d.Setup.IsText)
        {
            var (both, least) = ($"{open.Heard} {text}", Math.Min(open.Confidence, confidence));
            d.Mind = open.Before;
            d.State = d.State with { Phase = Phase.Talking, EndWith = null, Open = open with { Heard = both, Confidence = least, Answered = "" } };
            d.Do(new StopTimer(DialogueTimer.Thinking));
            return (both, least);
        }

        Closing.CompleteOpenTurn(d);
        d.Mind = d.Mind with { Pending = null, ToolsCalled = 0 };
        d.State = d.State with { Turn = d.State.Turn + 1, Open = new(d.Mind, text, confidence, 0, false, "") };
        return (text, confidence);
    }

    // What is still being said is not reported yet: the clock tells how much of it was heard before the caller began.
    private static long HeardOfTheAnswer(Draft d, long saidMs)
    {
        var reported = d.State.Open?.HeardMs ?? 0;
        return d.State.SpeakingSince is { } since && d.State.Speaking.FirstOrDefault() is { Abandoned: false } now && now.Turn == d.State.Turn
            ? reported + Math.Max(0, (long)(d.Now - since).TotalMilliseconds - saidMs)
            : reported;
    }

    private static void NoteCaller(Draft d, int turn, string text, CallerSaid said)
    {
        d.Note(new TranscriptFinal(d.Now, turn, Speaker.Caller, text, said.Confidence, said.OffsetMs, said.DurationMs, null, null));
        d.Remember(new(Speaker.Caller, text, null));
    }
}
