using System.Text.RegularExpressions;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;

namespace Sentiric.Write.Dialplans;

/// <summary>What an assistant must be, so that no call finds out that it is not.</summary>
public static partial class AssistantRules
{
    public const int MaxTasks = 20;
    public const int MaxSlots = 12;
    public const int MaxPhrases = 500;
    private static readonly string[] SlotKinds = ["day", "time", "name", "number", "choice", "text"];

    /// <param name="connectors">Those of the tenant that the tasks name, with the kind of each.</param>
    public static Refusal? Check(AssistantDefinition assistant, IReadOnlyDictionary<string, ConnectorKind> connectors)
    {
        if (!Valid.Text(assistant.Name, Valid.MaxName) || !Valid.Language(assistant.Language) || !Valid.Text(assistant.Greeting))
        {
            return No("it needs a name, a language ('tr' or 'en') and a greeting");
        }

        if (assistant.Tasks.Count > MaxTasks || !Phrases(assistant.Phrases) || assistant.Instructions.Length > 10 * Valid.MaxText)
        {
            return No($"it has at most {MaxTasks} tasks and {MaxPhrases} phrases, none of them empty");
        }

        if (assistant.Tasks.DistinctBy(t => t.Id).Count() != assistant.Tasks.Count)
        {
            return No("two tasks have the same id");
        }

        return assistant.Tasks.Select(t => Task(t, connectors)).FirstOrDefault(r => r is not null);
    }

    private static Refusal? Task(AssistantTask task, IReadOnlyDictionary<string, ConnectorKind> connectors)
    {
        if (!Valid.Id(task.Id) || task.Triggers.Count == 0 || !Phrases(task.Triggers))
        {
            return No($"task '{task.Id}' needs an id of lower-case letters, digits, dashes and underscores, and phrases that start it");
        }

        if (!Valid.Text(task.Done) || !Valid.Text(task.Failed))
        {
            return No($"task '{task.Id}' needs words for success and for failure");
        }

        if (task.Slots.Count > MaxSlots || task.Slots.DistinctBy(s => s.Name).Count() != task.Slots.Count)
        {
            return No($"task '{task.Id}' has more than {MaxSlots} slots or two of one name");
        }

        return task.Slots.Select(s => Slot(task, s)).FirstOrDefault(r => r is not null) ?? Confirmation(task) ?? Connector(task, connectors);
    }

    private static Refusal? Slot(AssistantTask task, AssistantSlot slot)
    {
        if (!Valid.Id(slot.Name) || !Valid.Text(slot.Prompt) || !SlotKinds.Contains(slot.Kind, StringComparer.Ordinal))
        {
            return No($"slot '{slot.Name}' of task '{task.Id}' needs an id, a question and one of the kinds {string.Join(", ", SlotKinds)}");
        }

        return (slot.Kind == "choice") == (slot.Choices.Count > 0) && Phrases(slot.Choices)
            ? null
            : No($"slot '{slot.Name}' of task '{task.Id}': choices belong to the kind 'choice', which needs at least one");
    }

    // Only the slots are known when the question is asked; {done} values come later.
    private static Refusal? Confirmation(AssistantTask task) =>
        Placeholder().Matches(task.Confirm).Select(m => m.Groups[1].Value).FirstOrDefault(name => task.Slots.All(s => s.Name != name)) is { } unknown
            ? No($"the confirmation of task '{task.Id}' names {{{unknown}}}, which is not one of its slots")
            : null;

    private static Refusal? Connector(AssistantTask task, IReadOnlyDictionary<string, ConnectorKind> connectors)
    {
        if (!connectors.TryGetValue(task.Connector, out var kind))
        {
            return new("assistant.connector_unknown", $"Task '{task.Id}' names the connector '{task.Connector}', which is not registered.");
        }

        return kind switch
        {
            ConnectorKind.Calendar when task.Action is not ("book" or "cancel" or "free") =>
                No($"task '{task.Id}': a calendar knows the actions book, cancel and free, not '{task.Action}'"),
            ConnectorKind.Calendar or ConnectorKind.Http => Valid.Id(task.Action) ? null : No($"task '{task.Id}' needs an action"),
        };
    }

    private static bool Phrases(IReadOnlyList<string> phrases) => phrases.Count <= MaxPhrases && phrases.All(p => Valid.Text(p, Valid.MaxName));

    private static Refusal No(string why) => new("assistant.invalid", $"The assistant cannot be used: {why}.");

    [GeneratedRegex(@"\{([^{}]*)\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}
