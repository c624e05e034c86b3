using System.Net;
using Microsoft.Extensions.Logging;

namespace Sentiric.Sip;

/// <summary>Everything that the stack logs. Nothing of a message's content is in it.</summary>
internal static partial class SipLog
{
    [LoggerMessage(1, LogLevel.Error, "SIP work faulted")]
    public static partial void WorkFaulted(ILogger logger, Exception fault);

    [LoggerMessage(2, LogLevel.Debug, "SIP transport {Transport} {Remote}: {What}")]
    public static partial void TransportNotice(ILogger logger, SipTransportKind transport, IPEndPoint remote, string what);

    [LoggerMessage(3, LogLevel.Warning, "SIP response could not be sent: call {CallId} to {Remote}: {Why}")]
    public static partial void ResponseNotSent(ILogger logger, string callId, IPEndPoint remote, string why);

    [LoggerMessage(4, LogLevel.Information, "SIP request malformed from {Remote}: {Why} ({StatusCode})")]
    public static partial void Malformed(ILogger logger, IPEndPoint remote, string why, int statusCode);

    [LoggerMessage(5, LogLevel.Error, "SIP application faulted on call {CallId}")]
    public static partial void ApplicationFaulted(ILogger logger, string callId, Exception fault);

    [LoggerMessage(6, LogLevel.Warning, "SIP host {Host} was not found: {Why}")]
    public static partial void NameNotResolved(ILogger logger, string host, string why);

    [LoggerMessage(7, LogLevel.Information, "SIP target {Transport} {Remote} failed ({Why}); the next one is tried")]
    public static partial void TargetFailed(ILogger logger, SipTransportKind transport, IPEndPoint remote, string why);

    /// <summary>fail2ban reads it: deploy/fail2ban/filter.d/sentiric-sip.conf changes with it.</summary>
    [LoggerMessage(8, LogLevel.Warning, "SIP guard: {Reason} from {Source}")]
    public static partial void Guarded(ILogger logger, string reason, IPAddress source);

    [LoggerMessage(EventId = 9, Message = "SIP trunk {Trunk} is {State}: {Why}")]
    public static partial void TrunkChanged(ILogger logger, LogLevel level, string trunk, TrunkState state, string why);

    [LoggerMessage(10, LogLevel.Information, "SIP trunk {Trunk}: registration {State} ({StatusCode} {Reason}), {Failures} failures in a row, next attempt at {NextAt}")]
    public static partial void Registration(ILogger logger, string trunk, RegistrationState state, int statusCode, string reason, int failures, DateTimeOffset? nextAt);

    /// <summary>The number itself stays out: it tells of a person.</summary>
    [LoggerMessage(11, LogLevel.Warning, "SIP toll: a call was not placed over {Trunk}: {Refusal}")]
    public static partial void TollRefused(ILogger logger, string trunk, TollRefusal refusal);
}
