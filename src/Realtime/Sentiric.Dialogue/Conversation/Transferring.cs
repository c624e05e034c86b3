using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>
/// The other party is to talk to somebody else. The wish is a fact like any other; the sip role calls the number and tells how it went. While it rings the agent says nothing; when
/// nobody is reached, it goes on where it was, or ends the call when connecting was all it had to do.
/// </summary>
internal static class Transferring
{
    /// <summary>The caller wants a person and the plan names one; false when it names none.</summary>
    public static bool Wish(Draft d)
    {
        if (d.Setup is not { IsText: false, Person: { } number })
        {
            return false;
        }

        d.Note(new TransferRequested(d.Now, number));
        Begin(d);
        return true;
    }

    /// <summary>The plan connects the other party with somebody and does nothing else: when nobody is reached, the call ends with words.</summary>
    public static void Connect(Draft d)
    {
        d.State = d.State with { OnlyConnects = true };
        if (!Wish(d))
        {
            Opening.NotConnected(d, CallEndReason.Failed);
        }
    }

    /// <summary>Somebody's wish, perhaps our own, is being carried out.</summary>
    public static void Begin(Draft d)
    {
        if (d.State.Phase != Phase.Talking)
        {
            return;
        }

        d.StopTalking();
        d.Mind = d.Mind with { Pending = null };
        d.State = d.State with { Phase = Phase.Transferring, CutOff = [] };
        // Who was greeted has been told that the call is recorded.
        var notice = d.State.OnlyConnects && d.Setup.Recorded ? " " + d.Prompt(PlatformPrompts.RecordingNotice) : "";
        d.Say(d.Prompt(PlatformPrompts.Connecting) + notice, UtteranceKind.Announcement, interruptible: false);
    }

    public static void GiveUp(Draft d, CallEndReason reason)
    {
        if (d.State.Phase != Phase.Transferring)
        {
            return;
        }

        if (d.State.OnlyConnects)
        {
            Opening.NotConnected(d, reason);
            return;
        }

        d.State = d.State with { Phase = Phase.Talking };
        d.Say(d.Prompt(PlatformPrompts.NotConnected), UtteranceKind.Announcement, Form.OpenQuestion(d));
    }
}
