using System.Text.Json.Serialization;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Dialogue;

/// <summary>Something that happened. The time comes in with it; a conversation never asks a clock.</summary>
/// <param name="At">When, in the tenant's time zone: "tomorrow" is reckoned from its date.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "input")]
[JsonDerivedType(typeof(Started), "started")]
[JsonDerivedType(typeof(Resumed), "resumed")]
[JsonDerivedType(typeof(CallerStartedSpeaking), "caller_started_speaking")]
[JsonDerivedType(typeof(CallerBargedIn), "caller_barged_in")]
[JsonDerivedType(typeof(CallerFellSilent), "caller_fell_silent")]
[JsonDerivedType(typeof(CallerSaid), "caller_said")]
[JsonDerivedType(typeof(DtmfPressed), "dtmf_pressed")]
[JsonDerivedType(typeof(UtteranceStarted), "utterance_started")]
[JsonDerivedType(typeof(UtteranceFinished), "utterance_finished")]
[JsonDerivedType(typeof(UtteranceInterrupted), "utterance_interrupted")]
[JsonDerivedType(typeof(KnowledgeAnswered), "knowledge_answered")]
[JsonDerivedType(typeof(ToolAnswered), "tool_answered")]
[JsonDerivedType(typeof(LlmSaid), "llm_said")]
[JsonDerivedType(typeof(LlmAnswered), "llm_answered")]
[JsonDerivedType(typeof(LlmGaveUp), "llm_gave_up")]
[JsonDerivedType(typeof(EngineFailed), "engine_failed")]
[JsonDerivedType(typeof(TimerElapsed), "timer_elapsed")]
[JsonDerivedType(typeof(TransferBegan), "transfer_began")]
[JsonDerivedType(typeof(TransferGaveUp), "transfer_gave_up")]
public abstract record DialogueInput(DateTimeOffset At);

/// <param name="Why">The resolution's reason: off_hours, maintenance and so on.</param>
public sealed record Started(DateTimeOffset At, Setup Setup, DialplanAction Action, string Why, string? AnnouncementText) : DialogueInput(At)
{
    private const string UsualLanguage = "tr";

    /// <summary>How the conversation of a call starts: live, and when it is replayed.</summary>
    internal static Started Of(DateTimeOffset at, Guid callId, string tenant, CallStarted call, bool useLlm, DialogueOptions options)
    {
        var plan = call.DialplanResolution;
        var language = LanguageOf(call);
        var other = call.Direction == CallDirection.Outbound ? call.To : call.From;
        var setup = new Setup(callId, tenant, language, plan.Assistant, call.CallerName, other, false, plan.Data.Record, useLlm, options.Limits, options.PromptsIn(language))
        {
            Person = plan.Data.Target,
        };
        return new(at, setup, plan.Action, plan.Why, plan.AnnouncementText);
    }

    internal static string LanguageOf(CallStarted call) => call.DialplanResolution.Language is { Length: > 0 } language ? language : UsualLanguage;
}

/// <summary>Another process took the conversation over after a crash.</summary>
public sealed record Resumed(DateTimeOffset At) : DialogueInput(At);

public sealed record CallerStartedSpeaking(DateTimeOffset At) : DialogueInput(At);

/// <summary>The caller speaks into the agent's words and means it.</summary>
public sealed record CallerBargedIn(DateTimeOffset At) : DialogueInput(At);

/// <summary>The sound was too short to be words.</summary>
public sealed record CallerFellSilent(DateTimeOffset At) : DialogueInput(At);

/// <summary>A final text of the recogniser, or a line of a chat. Empty: there was speech, but nothing was understood.</summary>
public sealed record CallerSaid(DateTimeOffset At, string Text, double Confidence, long OffsetMs, long DurationMs) : DialogueInput(At);

public sealed record DtmfPressed(DateTimeOffset At, string Digit) : DialogueInput(At);

public sealed record UtteranceStarted(DateTimeOffset At, string UtteranceId) : DialogueInput(At);

public sealed record UtteranceFinished(DateTimeOffset At, string UtteranceId, long OffsetMs, long PlayedMs) : DialogueInput(At);

/// <param name="TotalMs">How long the whole utterance would have been; 0 when that is not known.</param>
public sealed record UtteranceInterrupted(DateTimeOffset At, string UtteranceId, long OffsetMs, long HeardMs, long TotalMs) : DialogueInput(At);

public sealed record KnowledgeAnswered(DateTimeOffset At, int WorkId, IReadOnlyList<KnowledgeHit> Hits) : DialogueInput(At);

/// <param name="RefusalCode">Null when the tool did it.</param>
public sealed record ToolAnswered(
    DateTimeOffset At, int WorkId, IReadOnlyDictionary<string, string> Values, string? RefusalCode, string? RefusalWhy, long TookMs) : DialogueInput(At);

/// <summary>A sentence of the LLM's answer, as soon as it is whole.</summary>
public sealed record LlmSaid(DateTimeOffset At, int WorkId, string Text) : DialogueInput(At);

/// <summary>The LLM's answer is complete; its text came in <see cref="LlmSaid"/> before.</summary>
public sealed record LlmAnswered(
    DateTimeOffset At, int WorkId, string Text, IReadOnlyList<LlmToolCall> ToolCalls, string Model, int PromptTokens, int CompletionTokens,
    long FirstTokenMs, long TookMs) : DialogueInput(At);

public sealed record LlmGaveUp(DateTimeOffset At, int WorkId, string Model, string Why) : DialogueInput(At);

/// <param name="Stage">recognizer, synthesizer, media, assistant or dialogue.</param>
public sealed record EngineFailed(DateTimeOffset At, string Stage, string Why) : DialogueInput(At);

/// <summary>The other party is to be connected with somebody, whoever wished it: the number is being called.</summary>
public sealed record TransferBegan(DateTimeOffset At) : DialogueInput(At);

/// <summary>The number was not reached; the conversation is ours again.</summary>
public sealed record TransferGaveUp(DateTimeOffset At, CallEndReason Reason = CallEndReason.Failed) : DialogueInput(At);

public sealed record TimerElapsed(DateTimeOffset At, DialogueTimer Timer) : DialogueInput(At);

[JsonConverter(typeof(JsonStringEnumConverter<DialogueTimer>))]
public enum DialogueTimer
{
    /// <summary>The caller says nothing.</summary>
    NoInput,

    /// <summary>Work takes long.</summary>
    Thinking,

    /// <summary>The echo test is over.</summary>
    Echo,

    /// <summary>The call has reached its longest length. Set by the runner.</summary>
    MaxCall,
}
