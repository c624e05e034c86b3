using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>What is to be done. Whoever runs the conversation does it and reports back with a <see cref="DialogueInput"/>.</summary>
public abstract record DialogueEffect;

/// <summary>Speak, after what is being spoken already.</summary>
public sealed record Say(Utterance Utterance) : DialogueEffect;

/// <summary>Stop at once and forget what waits to be spoken; every utterance concerned is reported as interrupted.</summary>
public sealed record StopTalking : DialogueEffect;

public sealed record SearchTheKnowledge(int WorkId, string Query, string Language) : DialogueEffect;

/// <param name="IdempotencyKey">Made of the call, the turn and the task: a repeated call does the thing once.</param>
public sealed record CallTool(
    int WorkId, string IdempotencyKey, string Connector, string Action, IReadOnlyDictionary<string, string> Parameters) : DialogueEffect;

public sealed record AskLlm(int WorkId, IReadOnlyList<LlmMessage> Messages, IReadOnlyList<LlmTool> Tools) : DialogueEffect;

/// <summary>Sets a timer anew; one of each kind runs.</summary>
public sealed record SetTimer(DialogueTimer Timer, int Milliseconds) : DialogueEffect;

public sealed record StopTimer(DialogueTimer Timer) : DialogueEffect;

public sealed record StartEcho : DialogueEffect;

/// <summary>The last words were heard: end the call.</summary>
public sealed record HangUp(CallEndReason Reason) : DialogueEffect;

/// <summary>A question has its answer, and both are known as they were heard. The runner adds the latencies.</summary>
public sealed record CompleteTurn(int Turn, string Heard, string Answered, double Confidence) : DialogueEffect;

/// <summary>A fact for the journal: one of the events of Contracts.</summary>
public sealed record Note(object Event) : DialogueEffect;
