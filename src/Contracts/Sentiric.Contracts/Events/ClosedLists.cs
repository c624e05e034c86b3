using System.Text.Json.Serialization;

namespace Sentiric.Contracts.Events;

/// <summary>Why a call ended: every call has exactly one.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CallEndReason>))]
public enum CallEndReason
{
    [JsonStringEnumMemberName("normal")] Normal,
    [JsonStringEnumMemberName("cancelled")] Cancelled,
    [JsonStringEnumMemberName("busy")] Busy,
    [JsonStringEnumMemberName("no_answer")] NoAnswer,
    [JsonStringEnumMemberName("rejected")] Rejected,
    [JsonStringEnumMemberName("unknown_number")] UnknownNumber,
    [JsonStringEnumMemberName("no_common_codec")] NoCommonCodec,
    [JsonStringEnumMemberName("policy")] Policy,
    [JsonStringEnumMemberName("maintenance")] Maintenance,
    [JsonStringEnumMemberName("after_hours")] AfterHours,
    [JsonStringEnumMemberName("capacity")] Capacity,
    [JsonStringEnumMemberName("ack_timeout")] AckTimeout,
    [JsonStringEnumMemberName("media_timeout")] MediaTimeout,
    [JsonStringEnumMemberName("agent_failed")] AgentFailed,
    [JsonStringEnumMemberName("terminated")] Terminated,
    [JsonStringEnumMemberName("shutdown")] Shutdown,
    [JsonStringEnumMemberName("failed")] Failed,

    /// <summary>The carrier has taken the call over to another number; it is no longer ours.</summary>
    [JsonStringEnumMemberName("transferred")] Transferred,
}

/// <summary>Which rule keeps a call from being placed.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TollRule>))]
public enum TollRule
{
    /// <summary>It is no number.</summary>
    [JsonStringEnumMemberName("no_number")] NoNumber,

    /// <summary>No allowed beginning fits, or a forbidden one does.</summary>
    [JsonStringEnumMemberName("prefix")] Prefix,

    /// <summary>As many calls as may be are up.</summary>
    [JsonStringEnumMemberName("concurrent")] Concurrent,

    /// <summary>The talk time of the day is used up.</summary>
    [JsonStringEnumMemberName("day_used_up")] DayUsedUp,

    /// <summary>More is counted than can be.</summary>
    [JsonStringEnumMemberName("too_many_accounts")] TooManyAccounts,
}

/// <summary>What somebody beside a call does.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SupervisionMode>))]
public enum SupervisionMode
{
    /// <summary>Hears both sides, and is not heard.</summary>
    [JsonStringEnumMemberName("listen")] Listen,

    /// <summary>Is heard by the person whom the call was transferred to, not by the other party.</summary>
    [JsonStringEnumMemberName("whisper")] Whisper,

    /// <summary>Is heard by everybody.</summary>
    [JsonStringEnumMemberName("join")] Join,
}

/// <summary>How a transfer was done.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TransferWay>))]
public enum TransferWay
{
    /// <summary>The carrier was asked to (REFER, RFC 3515).</summary>
    [JsonStringEnumMemberName("refer")] Refer,

    /// <summary>We called the number and joined the two.</summary>
    [JsonStringEnumMemberName("bridge")] Bridge,
}

/// <summary>Who ended the call.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HungUpBy>))]
public enum HungUpBy
{
    [JsonStringEnumMemberName("caller")] Caller,
    [JsonStringEnumMemberName("callee")] Callee,
    [JsonStringEnumMemberName("system")] System,
}

[JsonConverter(typeof(JsonStringEnumConverter<CallDirection>))]
public enum CallDirection
{
    [JsonStringEnumMemberName("inbound")] Inbound,
    [JsonStringEnumMemberName("outbound")] Outbound,
    [JsonStringEnumMemberName("internal")] Internal,
}

/// <summary>What a dialplan does with a call; the names are those of the seed's platform.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DialplanAction>))]
public enum DialplanAction
{
    [JsonStringEnumMemberName("START_AI_CONVERSATION")] StartAiConversation,
    [JsonStringEnumMemberName("PROCESS_GUEST_CALL")] ProcessGuestCall,
    [JsonStringEnumMemberName("PLAY_ANNOUNCEMENT")] PlayAnnouncement,
    [JsonStringEnumMemberName("ECHO_TEST")] EchoTest,
    [JsonStringEnumMemberName("BRIDGE_CALL")] BridgeCall,
    [JsonStringEnumMemberName("ENQUEUE_CALL")] EnqueueCall,
    [JsonStringEnumMemberName("REJECT")] Reject,
}

/// <summary>What happens to a caller whom the tenant does not know.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<GuestPolicy>))]
public enum GuestPolicy
{
    /// <summary>A guest user is created and the call goes on.</summary>
    [JsonStringEnumMemberName("create_guest")] CreateGuest,

    /// <summary>The call goes on without a user.</summary>
    [JsonStringEnumMemberName("stay_unknown")] StayUnknown,

    /// <summary>The call is rejected.</summary>
    [JsonStringEnumMemberName("reject")] Reject,
}

[JsonConverter(typeof(JsonStringEnumConverter<UserType>))]
public enum UserType
{
    [JsonStringEnumMemberName("admin")] Admin,
    [JsonStringEnumMemberName("agent")] Agent,
    [JsonStringEnumMemberName("supervisor")] Supervisor,
    [JsonStringEnumMemberName("caller")] Caller,
    [JsonStringEnumMemberName("guest")] Guest,
}

[JsonConverter(typeof(JsonStringEnumConverter<ContactType>))]
public enum ContactType
{
    [JsonStringEnumMemberName("phone")] Phone,
    [JsonStringEnumMemberName("email")] Email,
    [JsonStringEnumMemberName("extension")] Extension,
    [JsonStringEnumMemberName("whatsapp")] WhatsApp,
    [JsonStringEnumMemberName("telegram")] Telegram,
}

/// <summary>Who said a line of a transcript.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Speaker>))]
public enum Speaker
{
    [JsonStringEnumMemberName("caller")] Caller,
    [JsonStringEnumMemberName("agent")] Agent,
}

/// <summary>How a connector is reached.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ConnectorKind>))]
public enum ConnectorKind
{
    /// <summary>The built-in appointment calendar, kept as events.</summary>
    [JsonStringEnumMemberName("calendar")] Calendar,

    /// <summary>POSTs JSON to a customer's URL.</summary>
    [JsonStringEnumMemberName("http")] Http,
}

/// <summary>Why the agent said a line.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<UtteranceKind>))]
public enum UtteranceKind
{
    [JsonStringEnumMemberName("greeting")] Greeting,
    [JsonStringEnumMemberName("question")] Question,
    [JsonStringEnumMemberName("answer")] Answer,
    [JsonStringEnumMemberName("confirmation")] Confirmation,
    [JsonStringEnumMemberName("reprompt")] Reprompt,
    [JsonStringEnumMemberName("announcement")] Announcement,
    [JsonStringEnumMemberName("goodbye")] Goodbye,
    [JsonStringEnumMemberName("fail_safe")] FailSafe,
}
