using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>The first words: what they are depends on the dialplan's action.</summary>
internal static class Opening
{
    public static void Start(Draft d, Started started)
    {
        d.State = d.State with { Setup = started.Setup, Phase = Phase.Talking };
        switch (started.Action)
        {
            case DialplanAction.StartAiConversation:
            case DialplanAction.ProcessGuestCall:
                Greet(d);
                break;
            case DialplanAction.PlayAnnouncement:
                Announce(d, started.AnnouncementText ?? d.Prompt(AnnouncementFor(started.Why)), ReasonFor(started.Why));
                break;
            case DialplanAction.EchoTest:
                d.State = d.State with { Phase = Phase.Echo };
                d.Say(d.Prompt(PlatformPrompts.EchoTest), UtteranceKind.Announcement, interruptible: false);
                break;
            case DialplanAction.BridgeCall:
                Transferring.Connect(d);
                break;
            case DialplanAction.EnqueueCall:
                NotConnected(d, CallEndReason.Failed);
                break;
            case DialplanAction.Reject:
                // The SIP side rejects before an agent is asked; should one be asked all the same, the caller hears that it does not go on.
                Announce(d, d.Prompt(PlatformPrompts.Busy), CallEndReason.Rejected);
                break;
        }
    }

    /// <summary>Another process goes on: pending work is done again under the same key, the open question is asked again.</summary>
    public static void Resume(Draft d)
    {
        d.State = d.State with { Speaking = [], CutOff = [], CallerSpeaking = false, Open = null };
        switch (d.State.Phase)
        {
            case Phase.Talking:
                d.Say(d.Prompt(PlatformPrompts.Back), UtteranceKind.Announcement);
                Redo(d);
                break;
            case Phase.Closing:
                d.Say(d.Prompt(PlatformPrompts.Goodbye), UtteranceKind.Goodbye, interruptible: false);
                break;
            case Phase.Echo:
                d.Do(new StartEcho());
                d.Do(new SetTimer(DialogueTimer.Echo, d.Setup.Limits.EchoMs));
                break;
            case Phase.Transferring:
                // What comes of it comes as an input.
                break;
            case Phase.New:
            case Phase.Ended:
                break;
        }
    }

    private static void Redo(Draft d)
    {
        switch (d.Mind.Pending)
        {
            case { Kind: WorkKind.Tool, Tool: { } tool } pending:
                d.Await(pending);
                d.Do(tool);
                break;
            case { } pending:
                // A question that was under way: it is thought through from the start.
                d.Mind = d.Mind with { Pending = null };
                Listening.Think(d, pending.Query, 1);
                break;
            case null:
                d.Say(Form.OpenQuestion(d), UtteranceKind.Question);
                break;
        }
    }

    private static void Greet(Draft d)
    {
        if (d.Assistant is not { } assistant)
        {
            Closing.EngineFailed(d, new EngineFailed(d.Now, "assistant", "the dialplan names no assistant"));
            return;
        }

        var setup = d.Setup;
        var hello = d.Prompt(setup.CallerName is { Length: > 0 } ? PlatformPrompts.HelloKnown : PlatformPrompts.Hello);
        var disclosure = d.Prompt(setup.IsText ? PlatformPrompts.DisclosureText : PlatformPrompts.Disclosure);
        var notice = setup.Recorded && !setup.IsText ? " " + d.Prompt(PlatformPrompts.RecordingNotice) : "";

        // Who speaks and that it is recorded must be heard; only the greeting after it may be cut short.
        d.Say($"{hello} {disclosure}{notice}", UtteranceKind.Greeting, interruptible: false);
        d.Say(assistant.Greeting.Length > 0 ? WithoutHello(assistant.Greeting) : d.Prompt(PlatformPrompts.HowToHelp), UtteranceKind.Greeting);
    }

    // The platform has said hello already; "Merhaba, kliniğimize hoş geldiniz" goes on behind it.
    private static string WithoutHello(string greeting)
    {
        foreach (var hello in Hellos)
        {
            if (greeting.StartsWith(hello, StringComparison.OrdinalIgnoreCase) && greeting.Length > hello.Length && greeting[hello.Length] is (',' or '.' or '!'))
            {
                return Template.Sentence(greeting[(hello.Length + 1)..].TrimStart());
            }
        }

        return greeting;
    }

    private static readonly string[] Hellos = ["merhaba", "merhabalar", "hello", "hi"];

    /// <summary>There is nobody for the other party, and nothing else that this plan does.</summary>
    public static void NotConnected(Draft d, CallEndReason reason) => Announce(d, d.Prompt(PlatformPrompts.TransferFailed), reason);

    private static void Announce(Draft d, string text, CallEndReason reason)
    {
        d.State = d.State with { Phase = Phase.Closing, EndWith = reason };
        d.Say(text, UtteranceKind.Announcement, interruptible: false);
    }

    private static string AnnouncementFor(string why) => why switch
    {
        "off_hours" => PlatformPrompts.AfterHours,
        "maintenance" => PlatformPrompts.Maintenance,
        "unknown_number" => PlatformPrompts.UnknownNumber,
        "busy" => PlatformPrompts.Busy,
        _ => PlatformPrompts.FailSafe,
    };

    private static CallEndReason ReasonFor(string why) => why switch
    {
        "off_hours" => CallEndReason.AfterHours,
        "maintenance" => CallEndReason.Maintenance,
        "unknown_number" => CallEndReason.UnknownNumber,
        "anonymous_blocked" or "unknown_caller" => CallEndReason.Policy,
        "fail_safe" => CallEndReason.Failed,
        "busy" => CallEndReason.Capacity,
        _ => CallEndReason.Normal,
    };
}
