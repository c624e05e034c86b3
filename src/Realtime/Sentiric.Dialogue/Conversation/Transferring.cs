using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>
/// The other party is to talk to somebody else. The wish is a fact like any other; the sip role calls the number and tells how it went. While it rings the agent says nothing; when
/// nobody is reached, it goes on where it was.
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
        d.Say(d.Prompt(PlatformPrompts.Connecting), UtteranceKind.Announcement, interruptible: false);
    }

    public static void GiveUp(Draft d)
    {
        if (d.State.Phase != Phase.Transferring)
        {
            return;
        }

        d.State = d.State with { Phase = Phase.Talking };
        d.Say(d.Prompt(PlatformPrompts.NotConnected), UtteranceKind.Announcement, Form.OpenQuestion(d));
    }
}
