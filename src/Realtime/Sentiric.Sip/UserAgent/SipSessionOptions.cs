namespace Sentiric.Sip;

/// <summary>When the provisional responses of a callee are sent reliably (RFC 3262).</summary>
public enum SipReliability
{
    /// <summary>Only to callers that require it.</summary>
    WhenRequired,

    /// <summary>Also those with SDP, to callers that support it: early media is then agreed, not guessed.</summary>
    WithSdp,

    /// <summary>All of them, to callers that support it.</summary>
    WhenSupported,
}

/// <summary>What a session does beyond INVITE, ACK and BYE.</summary>
public sealed record SipSessionOptions
{
    /// <summary>RFC 3262 3.</summary>
    public SipReliability Reliability { get; init; } = SipReliability.WithSdp;

    /// <summary>Refuses callers without 100rel with 421, and writes Require: 100rel into our INVITEs (RFC 3262 4).</summary>
    public bool RequireReliability { get; init; }

    /// <summary>Session-Expires that we ask for (RFC 4028 recommends 30 minutes); null: a session has a timer only when the peer wants one.</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>Shorter intervals are refused with 422; at least 90 s (RFC 4028 5).</summary>
    public TimeSpan MinInterval { get; init; } = TimeSpan.FromSeconds(SessionTerms.LeastSeconds);

    /// <summary>
    /// REFER and Replaces (RFC 3515, 3891) are taken in a dialog, where the application decides about each; without it they are refused and
    /// not named in Allow and Supported.
    /// </summary>
    public bool Transfers { get; init; }

    /// <summary>How long a REFER is reported about (RFC 3515 2.4.4 leaves it to us).</summary>
    public TimeSpan ReferralLifetime { get; init; } = TimeSpan.FromMinutes(3);
}

/// <summary>What an endpoint can do, as it says it. Made once.</summary>
internal sealed class SipCapabilities
{
    public const string Reliable = "100rel";
    public const string Replaces = "replaces";
    public const string NoReferSubscription = "norefersub";
    private readonly string[] options;

    public SipCapabilities(SipEndpointOptions endpoint)
    {
        bool transfers = endpoint.Sessions.Transfers;
        options = transfers ? [Reliable, SessionTerms.Option, Replaces, NoReferSubscription] : [Reliable, SessionTerms.Option];
        Supported = string.Join(", ", options);
        SupportedUnreliably = string.Join(", ", options.Where(option => option != Reliable));
        Allow = "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO" + (transfers ? ", REFER, NOTIFY" : "") + (endpoint.Registrar is null ? "" : ", REGISTER");
    }

    /// <summary>The methods that are really answered.</summary>
    public string Allow { get; }

    /// <summary>The option tags that really work.</summary>
    public string Supported { get; }

    /// <summary>The same for a call that wants no reliable responses.</summary>
    public string SupportedUnreliably { get; }

    public bool Knows(string option) => options.Contains(option, StringComparer.OrdinalIgnoreCase);
}
