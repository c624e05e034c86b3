using System.Collections.Frozen;
using System.Text.Json.Serialization.Metadata;

namespace Sentiric.Contracts.Events;

/// <summary>One kind of event: its CLR type, the name under which it is stored for ever, and its routing key on the bus.</summary>
/// <param name="StoredName">Never changes; a new meaning gets a new name.</param>
/// <param name="RoutingKey">Topic on the exchange <c>sentiric_events</c>.</param>
public sealed record EventKind(Type Type, string StoredName, string RoutingKey, int Version);

/// <summary>Every event that Sentiric stores, on one page.</summary>
public static class EventCatalog
{
    public static readonly IReadOnlyList<EventKind> All =
    [
        new(typeof(TenantCreated), "tenant_created", "tenant.created", 1),
        new(typeof(NumberClaimed), "number_claimed", "number.claimed", 1),
        new(typeof(NumberReleased), "number_released", "number.released", 1),
        new(typeof(UserCreated), "user_created", "user.created", 1),
        new(typeof(UserRenamed), "user_renamed", "user.renamed", 1),
        new(typeof(UserLanguageChanged), "user_language_changed", "user.language_changed", 1),
        new(typeof(UserDisabled), "user_disabled", "user.disabled", 1),
        new(typeof(UserEnabled), "user_enabled", "user.enabled", 1),
        new(typeof(ContactAdded), "contact_added", "contact.added", 1),
        new(typeof(ContactRemoved), "contact_removed", "contact.removed", 1),
        new(typeof(SipCredentialSet), "sip_credential_set", "sip.credential.set", 1),
        new(typeof(SipCredentialRemoved), "sip_credential_removed", "sip.credential.removed", 1),
        new(typeof(ContactClaimed), "contact_claimed", "contact.claimed", 1),
        new(typeof(ContactReleased), "contact_released", "contact.released", 1),
        new(typeof(SipUsernameClaimed), "sip_username_claimed", "sip.username.claimed", 1),
        new(typeof(SipUsernameReleased), "sip_username_released", "sip.username.released", 1),
        new(typeof(ScheduleDefined), "schedule_defined", "schedule.defined", 1),
        new(typeof(AnnouncementDefined), "announcement_defined", "announcement.defined", 1),
        new(typeof(AssistantDefined), "assistant_defined", "assistant.defined", 1),
        new(typeof(DialplanPublished), "dialplan_published", "dialplan.published", 1),
        new(typeof(DialplanRetired), "dialplan_retired", "dialplan.retired", 1),
        new(typeof(RouteCreated), "route_created", "route.created", 1),
        new(typeof(RouteChanged), "route_changed", "route.changed", 1),
        new(typeof(RouteRemoved), "route_removed", "route.removed", 1),
        new(typeof(MaintenanceSwitched), "maintenance_switched", "maintenance.switched", 1),
        new(typeof(ArticlePublished), "article_published", "article.published", 1),
        new(typeof(ArticleRevised), "article_revised", "article.revised", 1),
        new(typeof(ArticleWithdrawn), "article_withdrawn", "article.withdrawn", 1),
        new(typeof(ConnectorRegistered), "connector_registered", "connector.registered", 1),
        new(typeof(ConnectorRemoved), "connector_removed", "connector.removed", 1),
        new(typeof(AppointmentBooked), "appointment_booked", "appointment.booked", 1),
        new(typeof(AppointmentCancelled), "appointment_cancelled", "appointment.cancelled", 1),
        new(typeof(CallReceived), "call_received", "call.received", 1),
        new(typeof(CallRequested), "call_requested", "call.requested", 1),
        new(typeof(CallDialled), "call_dialled", "call.dialled", 1),
        new(typeof(CallTollRefused), "call_toll_refused", "call.toll.refused", 1),
        new(typeof(SipMessageLogged), "sip_message_logged", "sip.message.logged", 1),
        new(typeof(UserIdentifiedForCall), "user_identified_for_call", "user.identified.for_call", 1),
        new(typeof(UserCreatedForCall), "user_created_for_call", "user.created.for_call", 1),
        new(typeof(CallRouteResolved), "call_route_resolved", "call.route.resolved", 1),
        new(typeof(MediaStarted), "media_started", "call.media.started", 1),
        new(typeof(CallRinging), "call_ringing", "call.ringing", 1),
        new(typeof(CallStarted), "call_started", "call.started", 1),
        new(typeof(CallAnswered), "call_answered", "call.answered", 1),
        new(typeof(TransferRequested), "transfer_requested", "call.transfer.requested", 1),
        new(typeof(TransferCompleted), "transfer_completed", "call.transfer.completed", 1),
        new(typeof(TransferFailed), "transfer_failed", "call.transfer.failed", 1),
        new(typeof(CallHeld), "call_held", "call.held", 1),
        new(typeof(CallResumed), "call_resumed", "call.resumed", 1),
        new(typeof(CallSupervised), "call_supervised", "call.supervised", 1),
        new(typeof(SupervisionEnded), "supervision_ended", "call.supervision.ended", 1),
        new(typeof(DtmfReceived), "dtmf_received", "dtmf.received", 1),
        new(typeof(AgentTookOver), "agent_took_over", "agent.took_over", 1),
        new(typeof(AgentFailed), "agent_failed", "agent.failed", 1),
        new(typeof(SpeechStarted), "speech_started", "speech.started", 1),
        new(typeof(SpeechEnded), "speech_ended", "speech.ended", 1),
        new(typeof(TranscriptFinal), "transcript_final", "transcript.final", 1),
        new(typeof(DialogTurnCompleted), "dialog_turn_completed", "dialog.turn.completed", 1),
        new(typeof(KnowledgeSearched), "knowledge_searched", "knowledge.searched", 1),
        new(typeof(ToolCalled), "tool_called", "tool.called", 1),
        new(typeof(ToolSucceeded), "tool_succeeded", "tool.succeeded", 1),
        new(typeof(ToolFailed), "tool_failed", "tool.failed", 1),
        new(typeof(LlmRequested), "llm_requested", "llm.requested", 1),
        new(typeof(LlmCompleted), "llm_completed", "llm.completed", 1),
        new(typeof(LlmFailed), "llm_failed", "llm.failed", 1),
        new(typeof(PlaybackStarted), "playback_started", "call.media.playback.started", 1),
        new(typeof(PlaybackFinished), "playback_finished", "call.media.playback.finished", 1),
        new(typeof(PlaybackInterrupted), "playback_interrupted", "call.media.playback.interrupted", 1),
        new(typeof(RecordingStarted), "recording_started", "call.recording.started", 1),
        new(typeof(RecordingSegmentStored), "recording_segment_stored", "call.recording.segment.stored", 1),
        new(typeof(RecordingAvailable), "recording_available", "call.recording.available", 1),
        new(typeof(MediaQualityMeasured), "media_quality", "media.quality", 1),
        new(typeof(MediaTimedOut), "media_timeout", "media.timeout", 1),
        new(typeof(CallEnded), "call_ended", "call.ended", 1),
        new(typeof(ChatStarted), "chat_started", "chat.started", 1),
        new(typeof(ChatEnded), "chat_ended", "chat.ended", 1),
        new(typeof(SipRegistered), "sip_registered", "sip.registered", 1),
        new(typeof(SipUnregistered), "sip_unregistered", "sip.unregistered", 1),
        new(typeof(SipAuthFailed), "sip_auth_failed", "sip.auth_failed", 1),
        new(typeof(PersonalDataErased), "personal_data_erased", "privacy.personal_data_erased", 1),
    ];

    private static readonly FrozenDictionary<Type, EventKind> ByType = All.ToFrozenDictionary(k => k.Type);
    private static readonly FrozenDictionary<string, EventKind> ByStoredName = All.ToFrozenDictionary(k => k.StoredName, StringComparer.Ordinal);
    private static readonly FrozenDictionary<string, EventKind> ByRoutingKey = All.ToFrozenDictionary(k => k.RoutingKey, StringComparer.Ordinal);

    public static EventKind Of(Type type) =>
        ByType.TryGetValue(type, out var kind) ? kind : throw new ArgumentException($"{type.Name} is not in the event catalog", nameof(type));

    public static EventKind? ForStoredName(string storedName) => ByStoredName.GetValueOrDefault(storedName);

    public static EventKind? ForRoutingKey(string routingKey) => ByRoutingKey.GetValueOrDefault(routingKey);

    /// <summary>How an event is written in the store: PascalCase members, closed lists by name.</summary>
    public static JsonTypeInfo StoredJson(Type type) =>
        StoredEventJson.Default.GetTypeInfo(type) ?? throw new ArgumentException($"{type.Name} has no JSON contract", nameof(type));

    /// <summary>How the same event is written on the bus and in the API: snake_case members.</summary>
    public static JsonTypeInfo WireJson(Type type) =>
        WireEventJson.Default.GetTypeInfo(type) ?? throw new ArgumentException($"{type.Name} has no JSON contract", nameof(type));
}
