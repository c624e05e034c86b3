using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Sentiric.Sip;

/// <summary>Protocol timers (RFC 3261 table 4); the others are multiples of these.</summary>
public sealed record SipTimers
{
    /// <summary>Round-trip estimate.</summary>
    public TimeSpan T1 { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest interval between copies of a non-INVITE request or of a 2xx.</summary>
    public TimeSpan T2 { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>How long a message may live in the network.</summary>
    public TimeSpan T4 { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Timers B, F, H, J, L and M.</summary>
    public TimeSpan Timeout => 64 * T1;

    /// <summary>Timer D: at least 32 s.</summary>
    public TimeSpan D => Timeout > TimeSpan.FromSeconds(32) ? Timeout : TimeSpan.FromSeconds(32);
}

/// <summary>Everything an endpoint is told at its start.</summary>
public sealed record SipEndpointOptions
{
    /// <summary>At least one.</summary>
    public required IReadOnlyList<SipListen> Listen { get; init; }

    /// <summary>Written into Via and Contact in place of the bound address, for hosts behind NAT.</summary>
    public IPAddress? PublicAddress { get; init; }

    /// <summary>User-Agent and Server header.</summary>
    public string UserAgentName { get; init; } = "managed-sip/1.0";

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    public SipTimers Timers { get; init; } = new();

    public ISipNetwork Network { get; init; } = new SocketSipNetwork();

    /// <summary>Finds the servers of a domain; null: with the name servers of the machine.</summary>
    public SipLocator? Locator { get; init; }

    /// <summary>Answers REGISTER; null: 405, and Allow does not name it.</summary>
    public ISipRegistrar? Registrar { get; init; }

    /// <summary>New requests per source; see <see cref="SourceAdmission"/>.</summary>
    public SourceLimits SourceLimits { get; init; } = new();

    /// <summary>Turns strangers away and tells the log; null: nobody is looked at but by <see cref="ISipApplication.OnSource"/>.</summary>
    public SipGuard? Guard { get; init; }

    /// <summary>Carriers, and what their equipment needs.</summary>
    public TrunkTable Trunks { get; init; } = TrunkTable.None;

    /// <summary>An incoming call may ring this long; then it is refused with 480.</summary>
    public TimeSpan MaxRingTime { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Reliable progress, session timers, transfers.</summary>
    public SipSessionOptions Sessions { get; init; } = new();

    /// <summary>Which threads hear of calls and answers. Tests on virtual time take the thread pool, which tells when it has nothing left to do.</summary>
    public SipCallbacks Callbacks { get; init; } = SipCallbacks.Receiver;

    public ILogger Logger { get; init; } = NullLogger.Instance;
}

/// <summary>Counters since the start, and what lives now.</summary>
public sealed record SipStatistics(
    long Received,
    long Sent,
    long Malformed,
    long RefusedSources,
    long RateLimited,
    long DroppedByOverload,
    int ServerTransactions,
    int ClientTransactions,
    int Dialogs);
