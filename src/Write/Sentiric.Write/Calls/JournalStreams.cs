using Sentiric.Contracts.Events;

namespace Sentiric.Write.Calls;

/// <summary>Which facts may be reported to which stream: the realtime roles write about calls, chats and registrations, and nothing else.</summary>
internal static class JournalStreams
{
    public static bool IsConversation(string stream) => Streams.CallIdOf(stream) is not null;

    public static bool IsRegistration(string stream) => stream.StartsWith("registration-", StringComparison.Ordinal) && stream.Length <= 200;

    /// <summary>The fact when it belongs into such a stream; null otherwise.</summary>
    public static IFact? Fitting(string stream, object reported) => reported switch
    {
        SipRegistered or SipUnregistered or SipAuthFailed => IsRegistration(stream) ? (IFact)reported : null,
        TenantCreated or NumberClaimed or NumberReleased
            or UserCreated or UserRenamed or UserLanguageChanged or UserDisabled or UserEnabled or ContactAdded or ContactRemoved
            or SipCredentialSet or SipCredentialRemoved or ContactClaimed or ContactReleased or SipUsernameClaimed or SipUsernameReleased
            or ScheduleDefined or AnnouncementDefined or AssistantDefined or DialplanPublished or DialplanRetired
            or RouteCreated or RouteChanged or RouteRemoved or MaintenanceSwitched
            or ArticlePublished or ArticleRevised or ArticleWithdrawn
            or ConnectorRegistered or ConnectorRemoved or AppointmentBooked or AppointmentCancelled or PersonalDataErased => null,
        IFact fact => IsConversation(stream) ? fact : null,
        _ => null,
    };
}
