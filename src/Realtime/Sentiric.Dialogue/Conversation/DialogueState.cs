using System.Text.Json.Serialization;
using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>
/// All that the next decision of a conversation needs, and nothing else. It is written to the call state after every step, so another process
/// can go on in the middle of a form.
/// </summary>
public sealed record DialogueState
{
    public static DialogueState New { get; } = new();

    /// <summary>What the conversation was started with; null before <see cref="Started"/>.</summary>
    public Setup? Setup { get; init; }

    public Phase Phase { get; init; } = Phase.New;

    /// <summary>Number of the turn: the caller's words and the answer to them carry the same one. 0 is the greeting.</summary>
    public int Turn { get; init; }

    /// <summary>What the agent is in the middle of.</summary>
    public Mind Mind { get; init; } = new();

    /// <summary>The turn that may still grow: the caller spoke and has hardly heard anything of the answer.</summary>
    public OpenTurn? Open { get; init; }

    /// <summary>What is being said or waits to be said, in order.</summary>
    public IReadOnlyList<Utterance> Speaking { get; init; } = [];

    /// <summary>When the caller heard the first sound of what is being said or was just cut off; null before that sound.</summary>
    public DateTimeOffset? SpeakingSince { get; init; }

    /// <summary>What a caller cut off and has not heard, in order.</summary>
    public IReadOnlyList<Utterance> CutOff { get; init; } = [];

    public bool CallerSpeaking { get; init; }

    /// <summary>What both sides have said, the agent's part as far as it was heard; the last <see cref="MaxHistory"/> lines.</summary>
    public IReadOnlyList<HistoryLine> History { get; init; } = [];

    public int NextUtterance { get; init; } = 1;

    public int NextWork { get; init; } = 1;

    /// <summary>Set with the good-bye: why the call ends once it was heard.</summary>
    public CallEndReason? EndWith { get; init; }

    /// <summary>An engine failed and the fail-safe is being said.</summary>
    public bool Failed { get; init; }

    /// <summary>The plan only connects the other party with somebody; there is no conversation to go on with.</summary>
    public bool OnlyConnects { get; init; }

    /// <summary>Failures of the LLM in a row; the built-in engine answers alone from <see cref="Setup.MaxLlmFailures"/> on.</summary>
    public int LlmFailures { get; init; }

    public const int MaxHistory = 60;
}

[JsonConverter(typeof(JsonStringEnumConverter<Phase>))]
public enum Phase
{
    New,
    Talking,

    /// <summary>The last words are being said; the call ends when they were heard.</summary>
    Closing,
    Echo,
    Ended,

    /// <summary>Somebody else is being called for the other party; the agent is silent and waits.</summary>
    Transferring,
}

/// <summary>What a conversation starts from; it does not change.</summary>
/// <param name="Contact">The caller's number; given to connectors.</param>
/// <param name="IsText">A chat: what is said counts as heard at once, and there are no timers.</param>
/// <param name="Recorded">The caller is told that the call is recorded.</param>
/// <param name="Prompts">Own wording by the name of the prompt (<see cref="PlatformPrompts.Names"/>); empty: the built-in wording.</param>
public sealed record Setup(
    Guid CallId, string Tenant, string Language, AssistantDefinition? Assistant, string? CallerName, string? Contact, bool IsText, bool Recorded,
    bool UseLlm, DialogueLimits Limits, IReadOnlyDictionary<string, string> Prompts)
{
    public const int MaxLlmFailures = 2;

    /// <summary>Whom the plan lets calls be connected with, a number or a telephone that registers here; null: nobody.</summary>
    public string? Person { get; init; }
}

/// <summary>Numbers of the conversation that a tenant may want otherwise. Milliseconds.</summary>
/// <param name="NoInputMs">Silence of the caller after which the question is asked again.</param>
/// <param name="MaxFailures">Misunderstandings or silences in a row that end the call.</param>
/// <param name="ThinkingMs">Work that takes longer is announced ("one moment").</param>
/// <param name="MergeHeardMs">A caller who goes on before having heard this much of the answer is still in the same turn.</param>
/// <param name="EchoMs">Length of an echo test.</param>
public sealed record DialogueLimits(int NoInputMs = 4_000, int MaxFailures = 3, int ThinkingMs = 1_500, int MergeHeardMs = 600, int EchoMs = 60_000);

/// <summary>What the agent is in the middle of: the part that a merged turn goes back to.</summary>
public sealed record Mind
{
    public Awaiting Awaiting { get; init; } = Awaiting.Anything;

    public string? TaskId { get; init; }

    /// <summary>Slot that was asked for, with <see cref="Awaiting.Slot"/>.</summary>
    public string? SlotName { get; init; }

    /// <summary>Filled slots in their canonical form ("salı", "10:00").</summary>
    public IReadOnlyDictionary<string, string> Slots { get; init; } = new Dictionary<string, string>();

    /// <summary>Misunderstandings in a row.</summary>
    public int Failures { get; init; }

    /// <summary>Silences in a row.</summary>
    public int Silences { get; init; }

    /// <summary>Work under way whose answer decides what is said next.</summary>
    public Pending? Pending { get; init; }

    /// <summary>Digits pressed so far for a number slot.</summary>
    public string Digits { get; init; } = "";

    /// <summary>Tools called in this turn: part of the idempotency key.</summary>
    public int ToolsCalled { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<Awaiting>))]
public enum Awaiting
{
    Anything,
    Slot,
    Confirmation,

    /// <summary>The caller refused the confirmation: which value is wrong?</summary>
    Correction,

    /// <summary>"Anything else?" was asked.</summary>
    AnythingElse,
}

[JsonConverter(typeof(JsonStringEnumConverter<WorkKind>))]
public enum WorkKind
{
    Knowledge,
    Tool,
    Llm,
}

/// <param name="Id">An answer with another id is late and not looked at.</param>
/// <param name="Tool">The call itself, for <see cref="WorkKind.Tool"/>: it is made again after a crash, with the same key.</param>
/// <param name="Rounds">For the LLM: what its tools have answered in this turn.</param>
/// <param name="ToolCallId">For a tool that the LLM asked for: the id that its answer carries.</param>
public sealed record Pending(
    int Id, WorkKind Kind, string Query, CallTool? Tool = null, IReadOnlyList<LlmMessage>? Rounds = null, string? ToolCallId = null, bool SaidSomething = false);

/// <param name="Before">The mind before the caller spoke.</param>
/// <param name="SideEffect">A tool was called: it cannot be taken back.</param>
public sealed record OpenTurn(Mind Before, string Heard, double Confidence, long HeardMs, bool SideEffect, string Answered);

/// <param name="Id">Unique in the conversation; also the playback's id.</param>
/// <param name="Abandoned">Stopped because something else is to be said: what is cut off of it is not said later.</param>
public sealed record Utterance(string Id, int Turn, string Text, UtteranceKind Kind, bool Interruptible, bool Abandoned = false);

/// <param name="FullText">What the agent meant to say, when it was cut off; else null.</param>
public sealed record HistoryLine(Speaker Speaker, string Text, string? FullText);
