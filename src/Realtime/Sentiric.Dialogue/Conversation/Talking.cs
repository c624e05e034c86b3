using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>The agent's voice: what was heard of it, what was cut off, and what happens in a silence.</summary>
internal static class Talking
{
    public static void CallerStarted(Draft d)
    {
        d.State = d.State with { CallerSpeaking = true };
        d.Do(new StopTimer(DialogueTimer.NoInput));
    }

    public static void CallerBargedIn(Draft d)
    {
        if (d.State.Speaking.Count > 0 && d.State.Speaking.All(u => u.Interruptible))
        {
            d.Do(new StopTalking());
        }
    }

    /// <summary>A sound, no words: what it cut off goes on (a false interruption).</summary>
    public static void CallerFellSilent(Draft d)
    {
        d.State = d.State with { CallerSpeaking = false };
        if (!GoOnWhereCutOff(d))
        {
            ListenAgain(d);
        }
    }

    public static void Began(Draft d, UtteranceStarted started)
    {
        if (Find(d, started.UtteranceId) is { } utterance)
        {
            d.State = d.State with { SpeakingSince = d.Now };
            d.Note(new PlaybackStarted(d.Now, utterance.Id, utterance.Kind, utterance.Text));
        }
    }

    public static void Finished(Draft d, UtteranceFinished finished)
    {
        if (Find(d, finished.UtteranceId) is not { } utterance)
        {
            return;
        }

        Drop(d, utterance);
        d.State = d.State with { SpeakingSince = null };
        d.Remember(new(Speaker.Agent, utterance.Text, null));
        d.Note(new PlaybackFinished(d.Now, utterance.Id, finished.PlayedMs));
        d.Note(new TranscriptFinal(d.Now, utterance.Turn, Speaker.Agent, utterance.Text, 1, finished.OffsetMs, finished.PlayedMs, utterance.Kind, null));
        Heard(d, utterance, Math.Max(finished.PlayedMs, d.Setup.Limits.MergeHeardMs));
        ListenAgain(d);
        BeginEcho(d);
    }

    /// <summary>Only what was heard goes into the history; the whole text is kept beside it.</summary>
    public static void Interrupted(Draft d, UtteranceInterrupted interrupted)
    {
        if (Find(d, interrupted.UtteranceId) is not { } utterance)
        {
            return;
        }

        Drop(d, utterance);
        d.State = utterance.Abandoned ? d.State with { SpeakingSince = null } : d.State;
        var (heard, rest) = HeardText.Cut(utterance.Text, interrupted.HeardMs, interrupted.TotalMs);
        if (interrupted.HeardMs > 0)
        {
            d.Note(new PlaybackInterrupted(d.Now, utterance.Id, interrupted.HeardMs, heard));
        }

        if (heard.Length > 0)
        {
            d.Remember(new(Speaker.Agent, heard, utterance.Text));
            d.Note(new TranscriptFinal(
                d.Now, utterance.Turn, Speaker.Agent, heard, 1, interrupted.OffsetMs, interrupted.HeardMs, utterance.Kind, utterance.Text));
        }

        if (rest.Length > 0 && !utterance.Abandoned)
        {
            d.State = d.State with { CutOff = [.. d.State.CutOff, utterance with { Text = rest }] };
        }

        Heard(d, utterance, interrupted.HeardMs);
        ListenAgain(d);
    }

    public static void TimerElapsed(Draft d, DialogueTimer timer)
    {
        switch (timer)
        {
            case DialogueTimer.NoInput:
                NoInput(d);
                break;
            case DialogueTimer.Thinking when d.Mind.Pending is not null && d.State.Speaking.Count == 0 && d.State.Phase == Phase.Talking:
                d.Say(d.Prompt(PlatformPrompts.OneMoment), UtteranceKind.Announcement);
                break;
            case DialogueTimer.Thinking:
                break;
            case DialogueTimer.Echo:
                d.State = d.State with { Phase = Phase.Closing, EndWith = CallEndReason.Normal };
                break;
            case DialogueTimer.MaxCall:
                d.StopTalking();
                Closing.SayLast(d, d.Prompt(PlatformPrompts.TooLong), UtteranceKind.Goodbye, CallEndReason.Policy);
                break;
        }
    }

    /// <summary>The rest of what a false interruption cut off; false when nothing was.</summary>
    public static bool GoOnWhereCutOff(Draft d)
    {
        var rest = d.State.CutOff;
        if (rest.Count == 0 || d.Mind.Pending is not null || d.State.Phase != Phase.Talking)
        {
            return false;
        }

        d.State = d.State with { CutOff = [] };
        foreach (var utterance in rest)
        {
            d.Say(utterance.Text, utterance.Kind, utterance.Interruptible);
        }

        return true;
    }

    /// <summary>Nothing is said, nothing is worked on, the caller is silent: from now on the silence counts.</summary>
    public static void ListenAgain(Draft d)
    {
        if (IsIdle(d))
        {
            d.Do(new SetTimer(DialogueTimer.NoInput, d.Setup.Limits.NoInputMs));
        }
        else if (d.State.Speaking.Count == 0 && d.Mind.Pending is not null && d.State.Phase == Phase.Talking && !d.Setup.IsText)
        {
            d.Do(new SetTimer(DialogueTimer.Thinking, d.Setup.Limits.NoInputMs - 500));
        }
    }

    private static bool IsIdle(Draft d) =>
        d.State is { Speaking.Count: 0, CallerSpeaking: false, Phase: Phase.Talking } && d.Mind.Pending is null && !d.Setup.IsText;

    private static void NoInput(Draft d)
    {
        if (!IsIdle(d))
        {
            return;
        }

        if (GoOnWhereCutOff(d))
        {
            return;
        }

        d.Mind = d.Mind with { Silences = d.Mind.Silences + 1 };
        if (d.Mind.Silences >= d.Setup.Limits.MaxFailures)
        {
            Closing.SayLast(d, d.Prompt(PlatformPrompts.MaxFailures), UtteranceKind.Announcement, CallEndReason.Policy);
            return;
        }

        d.Say(d.Prompt(PlatformPrompts.CannotHear), UtteranceKind.Reprompt, Form.OpenQuestion(d));
    }

    // The announcement of an echo test was heard: from here on the caller hears himself.
    private static void BeginEcho(Draft d)
    {
        if (d.State.Phase == Phase.Echo && d.State.Speaking.Count == 0)
        {
            d.Do(new StartEcho());
            d.Do(new SetTimer(DialogueTimer.Echo, d.Setup.Limits.EchoMs));
        }
    }

    private static Utterance? Find(Draft d, string id) => d.State.Speaking.FirstOrDefault(u => u.Id == id);

    private static void Drop(Draft d, Utterance utterance) =>
        d.State = d.State with { Speaking = d.State.Speaking.Where(u => u.Id != utterance.Id).ToArray() };

    private static void Heard(Draft d, Utterance utterance, long heardMs)
    {
        if (d.State.Open is { } open && utterance.Turn == d.State.Turn && !utterance.Abandoned)
        {
            d.State = d.State with { Open = open with { HeardMs = open.HeardMs + heardMs } };
        }
    }
}
