using System.Text.Json.Serialization;

namespace Sentiric.Contracts.Events;

// Stream call-{id}. The call's id and tenant stand in the envelope, not in the data. Times: At is when it happened at its source.

/// <summary>An INVITE came in: the first event of every call, answered or not.</summary>
/// <param name="Source">Remote "ip:port".</param>
public sealed record CallReceived(
    DateTimeOffset At, string SipCallId, string From, string FromDisplay, string To, CallDirection Direction, string Transport, string Source) : IFact;

/// <summary>One message of the SIP ladder. Nothing that could hold a secret is kept.</summary>
/// <param name="Inbound">True: from the peer to us.</param>
/// <param name="Summary">"INVITE sip:100@host", "200 OK (INVITE)".</param>
/// <param name="Bytes">Length of the message on the wire.</param>
/// <param name="Local">Our side "ip:port" as it was bound; given with <paramref name="Text"/>.</param>
/// <param name="Text">The message itself where it is kept, credentials and media keys masked by as many stars; as UTF-8 it is <paramref name="Bytes"/> long, or shorter when it was cut.</param>
public sealed record SipMessageLogged(
    DateTimeOffset At,
    bool Inbound,
    string Transport,
    string Remote,
    string Summary,
    int Bytes,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Local = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Text = null) : IFact;

public sealed record UserIdentifiedForCall(DateTimeOffset At, Guid UserId, string Name, UserType Type, string Language, string Contact) : IFact;

public sealed record UserCreatedForCall(DateTimeOffset At, Guid UserId, string Name, UserType Type, string Language, string Contact) : IFact;

public sealed record CallRouteResolved(DateTimeOffset At, DialplanResolution Resolution) : IFact;

/// <summary>Which plan answers a call and why.</summary>
/// <param name="Trace">One line per rule that was asked, in order: the reason that a person can read.</param>
/// <param name="Why">normal, off_hours, maintenance, anonymous_blocked, unknown_caller, fail_safe, unknown_number.</param>
public sealed record DialplanResolution(
    string Tenant,
    string DialplanId,
    int Revision,
    DialplanAction Action,
    DialplanActionData Data,
    string? MatchedRoute,
    Guid? MatchedUser,
    string Language,
    string Why,
    IReadOnlyList<string> Trace,
    AssistantDefinition? Assistant,
    string? AnnouncementText);

public sealed record MediaStarted(DateTimeOffset At, string SessionId, string LocalAddress, string RemoteAddress, string Codec) : IFact;

public sealed record CallRinging(DateTimeOffset At) : IFact;

/// <summary>The call is set up and may be taken over: what the agent needs to know is all here.</summary>
public sealed record CallStarted(
    DateTimeOffset At, string From, string To, CallDirection Direction, DialplanResolution DialplanResolution, string? CallerName, MediaInfo MediaInfo) : IFact;

public sealed record MediaInfo(string SessionId, string LocalAddress, string RemoteAddress, string Codec);

/// <param name="RingMs">From the INVITE to the ACK.</param>
public sealed record CallAnswered(DateTimeOffset At, long RingMs) : IFact;

/// <summary>Who hears the other no more, and hears music where there is any.</summary>
/// <param name="By">Who holds, once two are joined by a transfer; absent: the other party of the call.</param>
public sealed record CallHeld(DateTimeOffset At, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] HungUpBy? By = null) : IFact;

public sealed record CallResumed(DateTimeOffset At, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] HungUpBy? By = null) : IFact;

/// <summary>Somebody who is no party hears the call; again when he begins to be heard himself, or stops.</summary>
/// <param name="By">Whose API key: "key:name".</param>
public sealed record CallSupervised(DateTimeOffset At, string By, SupervisionMode Mode) : IFact;

/// <summary>He is gone.</summary>
public sealed record SupervisionEnded(DateTimeOffset At, string By, long DurationMs) : IFact;

public sealed record DtmfReceived(DateTimeOffset At, string Digit, int DurationMs) : IFact;

public sealed record AgentTookOver(DateTimeOffset At, string Engine, string Recognizer, string Synthesizer) : IFact;

public sealed record AgentFailed(DateTimeOffset At, string Stage, string Why) : IFact;

public sealed record SpeechStarted(DateTimeOffset At, long OffsetMs) : IFact;

public sealed record SpeechEnded(DateTimeOffset At, long OffsetMs, long SpeechMs) : IFact;

/// <summary>One line of the transcript. For the agent: what the caller heard of it; <paramref name="FullText"/> is what it meant to say.</summary>
/// <param name="OffsetMs">From the answer of the call.</param>
/// <param name="Confidence">0..1; 1 for the agent's own words.</param>
public sealed record TranscriptFinal(
    DateTimeOffset At, int Turn, Speaker Speaker, string Text, double Confidence, long OffsetMs, long DurationMs, UtteranceKind? Kind, string? FullText) : IFact;

/// <summary>One question and its answer with the time that each stage took.</summary>
public sealed record DialogTurnCompleted(DateTimeOffset At, int Turn, string Heard, string Answered, double Confidence, TurnLatency Latency) : IFact;

/// <param name="EndOfSpeechMs">From the last voiced sample to the decision that the turn is over.</param>
/// <param name="RecognizeMs">From that decision to the final text.</param>
/// <param name="ThinkMs">Dialogue, knowledge, tools and LLM.</param>
/// <param name="SpeakMs">From the text to the first audio handed to the media engine.</param>
/// <param name="TotalMs">From the last voiced sample to the first audio packet of the answer.</param>
public sealed record TurnLatency(long EndOfSpeechMs, long RecognizeMs, long ThinkMs, long SpeakMs, long TotalMs);

public sealed record KnowledgeSearched(DateTimeOffset At, string Query, IReadOnlyList<KnowledgeHitNoted> Hits) : IFact;

public sealed record KnowledgeHitNoted(string ArticleId, string Title, double Score);

public sealed record ToolCalled(DateTimeOffset At, string CallKey, string Connector, string Action, IReadOnlyDictionary<string, string> Parameters) : IFact;

public sealed record ToolSucceeded(DateTimeOffset At, string CallKey, IReadOnlyDictionary<string, string> Values, long TookMs) : IFact;

public sealed record ToolFailed(DateTimeOffset At, string CallKey, string Code, string Why, long TookMs) : IFact;

public sealed record LlmRequested(DateTimeOffset At, string Model, int Messages) : IFact;

public sealed record LlmCompleted(DateTimeOffset At, string Model, int PromptTokens, int CompletionTokens, long FirstTokenMs, long TookMs) : IFact;

public sealed record LlmFailed(DateTimeOffset At, string Model, string Why) : IFact;

public sealed record PlaybackStarted(DateTimeOffset At, string PlaybackId, UtteranceKind Kind, string Text) : IFact;

public sealed record PlaybackFinished(DateTimeOffset At, string PlaybackId, long PlayedMs) : IFact;

public sealed record PlaybackInterrupted(DateTimeOffset At, string PlaybackId, long HeardMs, string HeardText) : IFact;

public sealed record RecordingStarted(DateTimeOffset At, string Uri) : IFact;

/// <summary>A stretch of a recording lies on disk and will not change any more. The stretches of a recording follow each other without gaps.</summary>
/// <param name="Offset">Of its first byte in the file.</param>
/// <param name="Sha256">Of those bytes of the file as it lies there, sealed or not, lower-case hex: it can be checked without a key.</param>
public sealed record RecordingSegmentStored(
    DateTimeOffset At, string Uri, int Number, long FromMs, long DurationMs, long Offset, long Bytes, string Sha256) : IFact;

/// <param name="Sha256">Of the audio file as it is handed out, lower-case hex.</param>
public sealed record RecordingAvailable(DateTimeOffset At, string Uri, string Format, long DurationMs, long Bytes, string Sha256) : IFact;

/// <summary>Speech quality of the media stream as we received it.</summary>
/// <param name="Summary">False: an interval of 5 s; true: the whole call.</param>
/// <param name="Mos">ITU-T G.107 E-model estimate, 1..4.5.</param>
public sealed record MediaQualityMeasured(
    DateTimeOffset At, bool Summary, string Codec, uint Ssrc, long Sent, long Received, long Lost, long Late, long Duplicates,
    double JitterMs, double RoundTripMs, double Mos, long MaxGapMs) : IFact;

public sealed record MediaTimedOut(DateTimeOffset At, int SilentSeconds) : IFact;

/// <param name="SipCode">Final response or 200 for a BYE.</param>
/// <param name="Q850Cause">ITU-T Q.850 cause value.</param>
/// <param name="BillableMs">Talk time of an answered call; 0 when it was not answered.</param>
public sealed record CallEnded(
    DateTimeOffset At, CallEndReason Reason, HungUpBy HungUpBy, int SipCode, int Q850Cause, bool Answered, long RingMs, long TalkMs, long BillableMs) : IFact;

/// <summary>Stream chat-{id}: the same dialogue over text.</summary>
public sealed record ChatStarted(DateTimeOffset At, string AssistantId, AssistantDefinition Assistant, string Language, string? Contact) : IFact;

public sealed record ChatEnded(DateTimeOffset At, CallEndReason Reason) : IFact;
