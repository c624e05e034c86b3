using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Sip.Rfc;

/// <summary>What sipp does in a scenario.</summary>
internal enum SippRole
{
    Calls,
    IsCalled,
}

/// <summary>Which of our endpoints.</summary>
internal enum SippEnd
{
    /// <summary>Everything as it is by default.</summary>
    Usual,

    /// <summary>T1 is a fifth of the usual, for scenarios that wait for timers.</summary>
    Brisk,

    /// <summary>Takes transfers and asks for a session timer.</summary>
    Sessions,

    /// <summary>Its registrar offers MD5 only: this sipp takes two challenges for one and understands neither.</summary>
    Md5,
}

/// <summary>One scenario file against the stack.</summary>
/// <param name="File">Name of the file and of the test: section of the RFC and what it asks.</param>
/// <param name="Whom">Whom sipp calls, see <see cref="SippPartners"/>; the driver when it is called, see <see cref="SippCallers"/>.</param>
/// <param name="More">For sipp: <c>-nr</c> lets it see copies of messages, which it hides otherwise.</param>
internal sealed record RfcScenario(string File, SippRole Role, string Whom, bool Tcp, SippEnd End, string[] More);

/// <summary>The table: every file is named once, a file without a row fails a test.</summary>
internal static class RfcScenarios
{
    private static readonly string[] SeesCopies = ["-nr"];

    public static IReadOnlyList<RfcScenario> All { get; } =
    [
        // messages
        Calls("rfc3261-7.3.1-folded-headers-are-read-as-one"),
        Calls("rfc3261-7.3.3-compact-forms-are-understood", "answers"),
        Calls("rfc3261-8.2.1-an-unknown-method-gets-501"),
        Calls("rfc3261-8.2.1-a-known-method-that-is-not-taken-gets-405"),
        Calls("rfc3261-8.2.2.1-an-unknown-uri-scheme-gets-416"),
        Calls("rfc3261-8.2.2.2-a-merged-request-gets-482", "rings"),
        Calls("rfc3261-8.2.2.3-an-unknown-extension-that-is-required-gets-420"),
        Calls("rfc3261-8.2.3-a-body-that-is-not-sdp-gets-415"),
        Calls("rfc3261-8.2.3-an-encoding-that-is-not-known-gets-415"),
        Calls("rfc3261-21.4.7-an-answer-that-the-caller-would-not-take-gets-406"),
        Calls("rfc3261-8.1.1-a-request-without-from-gets-400"),
        Calls("rfc3261-8.1.1-a-request-with-two-from-gets-400"),
        Calls("rfc3261-7.1-another-version-gets-505"),
        Calls("rfc3261-18.3-a-datagram-shorter-than-its-content-length-gets-400"),
        Calls("rfc3261-16.3-max-forwards-0-is-answered-by-whom-it-is-meant-for"),
        Calls("rfc3261-11.2-options-tells-what-we-can"),
        Calls("rfc3261-11.2-options-in-a-call-is-answered", "answers"),

        // transport
        Calls("rfc3581-4-with-rport-the-answer-comes-to-the-source"),
        Calls("rfc3261-18.2.1-received-names-the-source-when-via-does-not"),
        Calls("rfc3261-8.2.6.2-every-via-comes-back-in-order"),
        Calls("rfc3261-18-a-call-over-tcp", "answers") with { Tcp = true },
        Calls("rfc5923-4-our-bye-takes-the-connection-of-the-caller", "hangs-up") with { Tcp = true },

        // transactions
        Calls("rfc3261-17.2.1-a-copy-of-the-invite-gets-the-provisional-response-again", "rings") with { More = SeesCopies },
        Calls("rfc3261-17.2.1-a-copy-of-the-invite-gets-the-final-response-again", "is-busy") with { More = SeesCopies },
        Calls("rfc3261-17.2.1-a-refusal-is-repeated-until-its-ack", "is-busy") with { More = SeesCopies, End = SippEnd.Brisk },
        Calls("rfc3261-17.2.2-a-copy-of-another-request-gets-its-response-again") with { More = SeesCopies },
        Calls("rfc6026-7.1-a-late-copy-of-an-answered-invite-is-no-new-call", "answers") with { More = SeesCopies },
        Calls("rfc3261-13.3.1.4-2xx-is-repeated-until-ack", "answers") with { More = SeesCopies, End = SippEnd.Brisk },
        Calls("rfc3261-13.3.1.4-a-2xx-without-ack-ends-with-bye", "answers") with { More = SeesCopies, End = SippEnd.Brisk },
        Calls("rfc3261-13.2.2.4-copies-of-the-ack-change-nothing", "answers"),
        Calls("rfc3261-9.2-cancel-while-it-rings-gives-200-and-487", "rings"),
        Calls("rfc3261-9.2-a-copy-of-cancel-is-answered-again", "rings") with { More = SeesCopies },
        Calls("rfc3261-9.2-cancel-after-the-answer-changes-nothing", "answers") with { More = SeesCopies },
        Calls("rfc3261-9.2-cancel-at-once-still-ends-the-call", "rings"),
        Calls("rfc3261-9.2-cancel-without-its-invite-gets-481"),
        Calls("rfc3261-15.1.2-bye-outside-of-any-dialog-gets-481"),
        Calls("rfc3261-15.1.2-bye-in-the-early-dialog-ends-the-invite", "rings"),

        // dialogs
        Calls("rfc3261-12.2.2-a-wrong-from-tag-gets-481", "answers"),
        Calls("rfc3261-12.2.2-a-lower-cseq-gets-500", "answers"),
        Calls("rfc3261-12.2.2-a-gap-in-cseq-is-no-error", "answers"),
        Calls("rfc3261-12.1.1-record-route-comes-back-byte-for-byte", "hangs-up"),
        Calls("rfc3261-12.2.1.1-loose-routes-are-followed-in-order", "hangs-up"),
        Calls("rfc3261-12.2.1.1-a-strict-router-finds-itself-in-the-request-uri", "hangs-up"),
        Calls("rfc3261-12.2.1.1-our-requests-count-up-by-one", "changes-and-hangs-up"),
        Calls("rfc3261-12.2.2-a-reinvite-moves-the-target", "hangs-up-after-a-change"),
        Calls("rfc3261-14.2-a-reinvite-that-is-refused-leaves-the-call", "answers"),
        Calls("rfc3261-14.2-an-invite-before-the-first-is-done-gets-500", "rings"),
        Calls("rfc3261-13.2.1-a-late-offer-is-answered-in-the-ack", "answers"),
        Calls("rfc3960-3.2-early-media-comes-with-183", "speaks-early"),
        Calls("rfc3261-13.3.1.3-busy-is-486", "is-busy"),
        Calls("rfc3261-21.6.2-declined-is-603", "declines"),
        Calls("rfc3261-13.3.1.2-a-redirection-names-the-contact", "has-moved"),
        Calls("rfc3261-21.5.1-a-program-that-fails-says-500", "fails"),
        Calls("rfc3326-2-the-reason-of-a-bye-is-read", "notes-the-reason"),
        Calls("rfc3261-15-our-bye-ends-the-call", "hangs-up"),

        // registrar: -s is the user whose address of record it is
        Calls("rfc3261-22.4-register-without-credentials-is-challenged", "ayse"),
        Calls("rfc3261-22.4-a-phone-registers-with-md5", "ayse") with { End = SippEnd.Md5 },
        Calls("rfc3261-22.4-a-wrong-password-is-challenged-again", "ayse") with { End = SippEnd.Md5 },
        Calls("rfc3261-22.4-an-unknown-user-looks-like-a-wrong-password", "ayse") with { End = SippEnd.Md5 },
        Calls("rfc3261-10.3-a-user-who-does-not-own-the-address-gets-403", "ayse") with { End = SippEnd.Md5 },
        Calls("rfc7616-3.4-a-nonce-that-is-not-ours-is-stale", "ayse"),
        Calls("rfc3261-10.2.1-several-contacts-live-side-by-side") with { End = SippEnd.Md5 },
        Calls("rfc3261-10.2.2-expires-0-removes-one-contact") with { End = SippEnd.Md5 },
        Calls("rfc3261-10.2.2-a-star-removes-every-contact") with { End = SippEnd.Md5 },
        Calls("rfc3261-10.3-a-star-that-does-not-expire-gets-400", "ayse") with { End = SippEnd.Md5 },
        Calls("rfc3261-10.3-a-time-too-brief-gets-423", "ayse") with { End = SippEnd.Md5 },
        Calls("rfc3261-10.3-a-registration-out-of-order-changes-nothing") with { End = SippEnd.Md5 },

        // we call
        IsCalled("rfc3261-13.2.2.4-every-copy-of-a-2xx-gets-its-ack", SippCallers.WaitForBye) with { More = SeesCopies },
        IsCalled("rfc3261-17.1.1.3-a-refusal-is-acknowledged-in-its-transaction", SippCallers.HearBusy),
        IsCalled("rfc3261-17.1.1.2-an-invite-that-nobody-answers-is-sent-again", SippCallers.HangUp) with { More = SeesCopies, End = SippEnd.Brisk },
        IsCalled("rfc3261-9.1-cancel-has-the-branch-of-its-invite", SippCallers.GiveUp),
        IsCalled("rfc3261-9.1-a-200-that-crosses-the-cancel-is-acknowledged-and-ended", SippCallers.GiveUp),
        IsCalled("rfc3261-13.2.2.4-a-second-fork-is-acknowledged-and-ended", SippCallers.WaitForBye),
        IsCalled("rfc3261-22.3-a-proxy-that-asks-for-a-password-gets-it", SippCallers.HangUp),
        IsCalled("rfc3261-12.1.2-the-route-set-is-record-route-in-reverse", SippCallers.HangUp),
        IsCalled("rfc3261-13.2.2.4-the-ack-goes-to-the-contact", SippCallers.HangUp),
        IsCalled("rfc3261-13.2.1-several-provisional-responses-before-the-answer", SippCallers.HangUp),
        IsCalled("rfc3261-12.2.1.2-a-481-to-a-reinvite-ends-the-call", SippCallers.FindItGone),
        IsCalled("rfc3261-8.1.3.4-a-redirection-is-told", SippCallers.HearWhereTo),
        IsCalled("rfc3261-8.1.3.2-an-unknown-2xx-is-an-answer", SippCallers.HangUp),
        IsCalled("rfc3261-15.1.1-their-bye-ends-our-call", SippCallers.WaitForBye),

        // reliable progress, UPDATE, session timers, keys, transfers
        Calls("rfc3262-3-early-media-is-sent-reliably-to-who-supports-it", "speaks-early"),
        Calls("rfc3262-3-a-caller-who-requires-it-gets-a-reliable-180", "rings"),
        Calls("rfc3262-3-a-reliable-response-is-repeated-until-prack", "speaks-early") with { More = SeesCopies, End = SippEnd.Brisk },
        Calls("rfc3262-3-a-prack-that-matches-nothing-gets-481", "speaks-early"),
        Calls("rfc3262-3-without-100rel-nothing-is-reliable", "speaks-early"),
        Calls("rfc3311-5.2-an-update-with-an-offer-is-answered", "takes-changes"),
        Calls("rfc3311-5.2-an-update-that-is-not-taken-gets-488", "answers"),
        Calls("rfc3311-5.2-an-update-outside-of-a-call-gets-481"),
        Calls("rfc4028-9-an-interval-too-brief-gets-422", "answers"),
        Calls("rfc4028-9-an-interval-is-agreed-and-refreshed", "answers"),
        Calls("rfc6086-2-keys-come-by-info", "reads-keys"),
        Calls("rfc3515-2.4.5-a-refer-that-is-taken-is-reported", "takes-transfers") with { End = SippEnd.Sessions },
        Calls("rfc3515-2.4.2-a-refer-without-or-with-two-targets-gets-400", "takes-transfers") with { End = SippEnd.Sessions },
        Calls("rfc3515-2.4.2-a-refer-that-policy-does-not-take-gets-603", "answers") with { End = SippEnd.Sessions },
        Calls("rfc3891-3-replacing-a-call-that-is-not-there-gets-481", "answers") with { End = SippEnd.Sessions },
        Calls("rfc3261-14.1-both-sides-change-the-session-at-once", "changes-and-hangs-up"),
        IsCalled("rfc3262-4-a-reliable-response-gets-its-prack", SippCallers.HangUp),
        IsCalled("rfc4028-7.3-a-422-is-asked-again-with-more", SippCallers.HangUp) with { End = SippEnd.Sessions },
        IsCalled("rfc3311-5.1-our-update-changes-the-session", SippCallers.Update),
        IsCalled("rfc3515-2.4.4-our-refer-hears-how-the-transfer-went", SippCallers.Transfer) with { End = SippEnd.Sessions },
    ];

    /// <summary>What the whole platform does, to be played against its echo number.</summary>
    public static IReadOnlyList<string> OfTheProduct { get; } =
    [
        "rfc3264-8.4-hold-is-answered-and-taken-back",
        "rfc3264-8.3-port-and-codec-change-in-a-call",
        "rfc3264-6-an-offer-without-anything-in-common-gets-488",
        "rfc3264-6.1-g729-first-is-answered-with-g711-and-the-offered-event-type",
        KeysOfCaptures,
    ];

    public const string KeysOfCaptures = "rfc4733-2.5-keys-of-captures-arrive";

    private static RfcScenario Calls(string file, string whom = "nobody") => new(file, SippRole.Calls, whom, false, SippEnd.Usual, []);

    private static RfcScenario IsCalled(string file, string driver) => new(file, SippRole.IsCalled, driver, false, SippEnd.Usual, []);
}
