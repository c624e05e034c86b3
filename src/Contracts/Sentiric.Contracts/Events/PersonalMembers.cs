namespace Sentiric.Contracts.Events;

/// <summary>The texts of one kind of event: which of them tell of a person and which do not.</summary>
/// <param name="Personal">Paths of members: "From", "Resolution.Trace[]" (each of a list), "Parameters.*" (each value).</param>
/// <param name="Optional">Those of <paramref name="Personal"/> that become null when the person is forgotten; the others become "[erased]".</param>
/// <param name="Harmless">Texts that tell of no person: ids, names of codecs, the tenant's own words and numbers.</param>
public sealed record EventPrivacy(Type Type, IReadOnlyList<string> Personal, IReadOnlyList<string> Optional, IReadOnlyList<string> Harmless);

/// <summary>
/// Every event that holds a text, on one page, with what of it is personal. A test walks the events and demands that no text is missing here.
/// What a caller or the assistant said counts as personal as a whole: it is about the caller, whatever the words are.
/// </summary>
public static class PersonalMembers
{
    private static readonly string[] Assistant =
    [
        "Name", "Language", "Greeting", "Instructions", "Tasks[].Id", "Tasks[].Triggers[]", "Tasks[].Slots[].Name", "Tasks[].Slots[].Kind",
        "Tasks[].Slots[].Prompt", "Tasks[].Slots[].Choices[]", "Tasks[].Connector", "Tasks[].Action", "Tasks[].Done", "Tasks[].Failed", "Tasks[].Confirm",
        "Phrases[]", "Voice",
    ];

    // Trace lines quote the calling number; the rest of a resolution is the tenant's configuration.
    private static readonly string[] Resolution =
    [
        "Tenant", "DialplanId", "Data.AssistantId", "Data.AnnouncementId", "Data.Target", "MatchedRoute", "Language", "Why", "AnnouncementText",
        .. Assistant.Select(path => "Assistant." + path),
    ];

    private static readonly string[] Route = ["Number", .. Under("Settings", "ActiveDialplan", "OffHoursDialplan", "FailSafeDialplan", "GuestDialplan", "ScheduleId", "Language")];

    private static readonly string[] Article = ["ArticleId", "Title", "Questions[]", "Answer", "Language", "Tags[]"];

    public static readonly IReadOnlyList<EventPrivacy> All =
    [
        None<TenantCreated>("Tenant", "Name", "Language"),
        None<NumberClaimed>("Number", "Tenant"),
        None<NumberReleased>("Number", "Tenant"),

        Of<UserCreated>(["Name"], [], ["Language"]),
        Of<UserRenamed>(["Name"]),
        None<UserLanguageChanged>("Language"),
        Of<UserDisabled>(["Why"]),
        Of<ContactAdded>(["Value"]),
        Of<ContactRemoved>(["Value"]),
        Of<SipCredentialSet>(["Username", "Ha1Md5", "Ha1Sha256"], [], ["Realm"]),
        Of<SipCredentialRemoved>(["Username"], [], ["Realm"]),
        Of<ContactClaimed>(["Value"]),
        Of<ContactReleased>(["Value"]),
        Of<SipUsernameClaimed>(["Username"], [], ["Realm", "Tenant"]),
        Of<SipUsernameReleased>(["Username"], [], ["Realm", "Tenant"]),

        None<ScheduleDefined>("ScheduleId", "Name", "TimeZone"),
        None<AnnouncementDefined>("AnnouncementId", "Texts.*"),
        None<AssistantDefined>(["AssistantId", .. Assistant.Select(path => "Definition." + path)]),
        None<DialplanPublished>(["DialplanId", "Name", .. Under("Data", "AssistantId", "AnnouncementId", "Target")]),
        None<DialplanRetired>("DialplanId"),
        None<RouteCreated>(Route),
        None<RouteChanged>(Route),
        None<RouteRemoved>("Number"),
        None<MaintenanceSwitched>("Number"),
        None<ArticlePublished>(Article),
        None<ArticleRevised>(Article),
        None<ArticleWithdrawn>("ArticleId"),
        None<ConnectorRegistered>("Name", "Settings.*"),
        None<ConnectorRemoved>("Name"),
        Of<AppointmentBooked>(["Person", "Contact"], [], ["Connector", "IdempotencyKey"]),
        Of<AppointmentCancelled>(["Why"], [], ["Connector"]),

        // The called number is the tenant's own; the SIP Call-ID is random (RFC 3261 8.1.1.4).
        Of<CallReceived>(["From", "FromDisplay", "Source"], [], ["SipCallId", "To", "Transport"]),
        // Here the number called is the person, and the calling one the tenant's.
        Of<CallRequested>(["To", "Resolution.Trace[]"], [], ["From", .. Under("Resolution", Resolution)]),
        None<CallDialled>("SipCallId", "Trunk"),
        Of<TransferRequested>(["To"]),
        Of<TransferCompleted>(["To"], [], ["Trunk"]),
        Of<TransferFailed>(["To"]),
        // An operator's key, not a caller.
        None<CallSupervised>("By"),
        None<SupervisionEnded>("By"),
        Of<SipMessageLogged>(["Remote", "Summary"], ["Text"], ["Transport", "Local"]),
        Of<UserIdentifiedForCall>(["Name", "Contact"], [], ["Language"]),
        Of<UserCreatedForCall>(["Name", "Contact"], [], ["Language"]),
        Of<CallRouteResolved>(["Resolution.Trace[]"], [], Under("Resolution", Resolution)),
        Of<MediaStarted>(["RemoteAddress"], [], ["SessionId", "LocalAddress", "Codec"]),
        // Which of the two numbers is the tenant's depends on who called whom.
        Of<CallStarted>(
            ["From", "To", "DialplanResolution.Trace[]", "MediaInfo.RemoteAddress"], ["CallerName"],
            ["MediaInfo.SessionId", "MediaInfo.LocalAddress", "MediaInfo.Codec", .. Under("DialplanResolution", Resolution)]),
        Of<DtmfReceived>(["Digit"]),
        None<AgentTookOver>("Engine", "Recognizer", "Synthesizer"),
        // An error may quote what it choked on.
        Of<AgentFailed>(["Why"], [], ["Stage"]),
        Of<TranscriptFinal>(["Text"], ["FullText"]),
        Of<DialogTurnCompleted>(["Heard", "Answered"]),
        Of<KnowledgeSearched>(["Query"], [], ["Hits[].ArticleId", "Hits[].Title"]),
        Of<ToolCalled>(["Parameters.*"], [], ["CallKey", "Connector", "Action"]),
        Of<ToolSucceeded>(["Values.*"], [], ["CallKey"]),
        Of<ToolFailed>(["Why"], [], ["CallKey", "Code"]),
        None<LlmRequested>("Model"),
        None<LlmCompleted>("Model"),
        Of<LlmFailed>(["Why"], [], ["Model"]),
        Of<PlaybackStarted>(["Text"], [], ["PlaybackId"]),
        None<PlaybackFinished>("PlaybackId"),
        Of<PlaybackInterrupted>(["HeardText"], [], ["PlaybackId"]),
        None<RecordingStarted>("Uri"),
        None<RecordingSegmentStored>("Uri", "Sha256"),
        None<RecordingAvailable>("Uri", "Format", "Sha256"),
        None<MediaQualityMeasured>("Codec"),
        Of<ChatStarted>([], ["Contact"], ["AssistantId", "Language", .. Under("Assistant", Assistant)]),

        Of<SipRegistered>(["AddressOfRecord", "Contact", "UserAgent"]),
        Of<SipUnregistered>(["AddressOfRecord", "Contact"]),
        Of<SipAuthFailed>(["Username", "Source"], [], ["Why"]),
        None<PersonalDataErased>("SubjectHash", "Streams[].Tenant", "Streams[].Stream"),
    ];

    private static EventPrivacy Of<T>(string[] personal, string[]? optional = null, string[]? harmless = null)
        where T : IFact => new(typeof(T), [.. personal, .. optional ?? []], optional ?? [], harmless ?? []);

    private static EventPrivacy None<T>(params string[] harmless)
        where T : IFact => new(typeof(T), [], [], harmless);

    private static string[] Under(string member, params string[] paths) => [.. paths.Select(path => member + "." + path)];
}
