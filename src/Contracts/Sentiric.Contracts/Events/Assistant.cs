namespace Sentiric.Contracts.Events;

/// <summary>
/// What an assistant can do, as data: what it says, what it listens for, what it can get done. The built-in dialogue engine runs it as it
/// stands; an LLM engine gets it as instructions and tools. Snapshotted into <c>call_started</c>, so that a call replays years later.
/// </summary>
/// <param name="Name">How it introduces itself.</param>
/// <param name="Language">"tr" or "en".</param>
/// <param name="Greeting">First words. The AI disclosure and the recording notice are added by the platform.</param>
/// <param name="Instructions">System prompt for an LLM engine; unused by the built-in one.</param>
/// <param name="Tasks">Things it gets done by filling slots and calling a connector.</param>
/// <param name="UseKnowledge">Whether questions that no task matches go to the knowledge base.</param>
/// <param name="Phrases">More phrases that callers use: they bias the recogniser.</param>
public sealed record AssistantDefinition(
    string Name,
    string Language,
    string Greeting,
    string Instructions,
    IReadOnlyList<AssistantTask> Tasks,
    bool UseKnowledge,
    IReadOnlyList<string> Phrases,
    string? Voice = null);

/// <param name="Id">Stable id: "book_appointment".</param>
/// <param name="Triggers">Phrases that start the task.</param>
/// <param name="Connector">Name of the tenant's connector, e.g. "takvim".</param>
/// <param name="Action">Action of the connector, e.g. "book".</param>
/// <param name="Done">Said on success; {slot} and the connector's {values} are filled in.</param>
/// <param name="Failed">Said when the connector says no; {why} is filled in.</param>
/// <param name="Confirm">Asked before the connector is called; empty: not asked. {slot} is filled in.</param>
public sealed record AssistantTask(
    string Id, IReadOnlyList<string> Triggers, IReadOnlyList<AssistantSlot> Slots, string Connector, string Action,
    string Done, string Failed, string Confirm);

/// <param name="Kind">"day", "time", "name", "number", "choice" or "text".</param>
/// <param name="Prompt">The question.</param>
/// <param name="Choices">For kind "choice": the values.</param>
public sealed record AssistantSlot(string Name, string Kind, string Prompt, IReadOnlyList<string> Choices);
