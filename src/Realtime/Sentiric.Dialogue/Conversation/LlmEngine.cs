using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>
/// Answers by an LLM: the assistant's instructions and the history become messages, its tasks and the knowledge base become tools.
/// When the LLM fails, the built-in engine answers the same words.
/// </summary>
internal static class LlmEngine
{
    public const string SearchTool = "search_knowledge";
    public const string EndTool = "end_conversation";

    /// <summary>Tool rounds in one turn; after that the built-in engine answers.</summary>
    public const int MaxRounds = 4;

    public static void Ask(Draft d, string heard, IReadOnlyList<LlmMessage> rounds)
    {
        var id = d.NewWork();
        var messages = Messages(d, heard, rounds);
        d.Await(new(id, WorkKind.Llm, heard, Rounds: rounds));
        d.Do(new AskLlm(id, messages, ToolsOf(d)));
    }

    /// <summary>A whole sentence of the answer: it is spoken while the rest is still being written.</summary>
    public static void Said(Draft d, LlmSaid said)
    {
        if (d.Mind.Pending is { Kind: WorkKind.Llm } pending && pending.Id == said.WorkId && said.Text.Trim() is { Length: > 0 } text)
        {
            d.Mind = d.Mind with { Pending = pending with { SaidSomething = true } };
            d.Do(new StopTimer(DialogueTimer.Thinking));
            d.Say(text, UtteranceKind.Answer);
        }
    }

    public static void Answered(Draft d, LlmAnswered answer)
    {
        if (d.Arrived(answer.WorkId, WorkKind.Llm) is not { } pending)
        {
            return;
        }

        d.Note(new LlmCompleted(d.Now, answer.Model, answer.PromptTokens, answer.CompletionTokens, answer.FirstTokenMs, answer.TookMs));
        d.State = d.State with { LlmFailures = 0 };
        if (answer.ToolCalls.Count > 0)
        {
            RunTool(d, pending, answer);
        }
        else if (!pending.SaidSomething)
        {
            // An empty answer is no answer.
            BuiltInEngine.Answer(d, pending.Query, 1);
        }
    }

    public static void GaveUp(Draft d, LlmGaveUp gaveUp)
    {
        if (d.Arrived(gaveUp.WorkId, WorkKind.Llm) is not { } pending)
        {
            return;
        }

        d.Note(new LlmFailed(d.Now, gaveUp.Model, gaveUp.Why));
        d.State = d.State with { LlmFailures = d.State.LlmFailures + 1 };
        if (pending.SaidSomething)
        {
            BuiltInEngine.NotUnderstood(d);
            return;
        }

        BuiltInEngine.Answer(d, pending.Query, 1);
    }

    /// <summary>A tool's answer goes back to the LLM.</summary>
    public static void ToolResult(Draft d, Pending pending, IReadOnlyList<LlmMessage> rounds, string result) =>
        Ask(d, pending.Query, [.. rounds, new LlmMessage(LlmRole.Tool, result, null, pending.ToolCallId)]);

    public static string Describe(ToolAnswered answer) => answer.RefusalCode is { } code
        ? $"failed: {code}: {answer.RefusalWhy}"
        : "done: " + string.Join(", ", answer.Values.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value}"));

    private static void RunTool(Draft d, Pending pending, LlmAnswered answer)
    {
        // One tool at a time: the answer to the first tells whether the next is still wanted.
        var call = answer.ToolCalls[0];
        LlmMessage[] rounds = [.. pending.Rounds ?? [], new(LlmRole.Assistant, answer.Text, [call])];
        if (rounds.Length > MaxRounds * 2)
        {
            BuiltInEngine.Answer(d, pending.Query, 1);
        }
        else if (call.Name == EndTool)
        {
            Closing.SayGoodbye(d);
        }
        else if (call.Name == SearchTool)
        {
            var query = Arguments(call).GetValueOrDefault("query", pending.Query);
            var id = d.NewWork();
            d.Await(new(id, WorkKind.Knowledge, query, null, rounds, call.Id));
            d.Do(new SearchTheKnowledge(id, query, d.Setup.Language));
        }
        else if (d.Assistant?.Tasks.FirstOrDefault(t => t.Id == call.Name) is { } task)
        {
            RunTask(d, pending, task, call, rounds);
        }
        else
        {
            ToolResult(d, pending with { ToolCallId = call.Id }, rounds, $"there is no tool {call.Name}");
        }
    }

    private static void RunTask(Draft d, Pending pending, AssistantTask task, LlmToolCall call, IReadOnlyList<LlmMessage> rounds)
    {
        var slots = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in Arguments(call))
        {
            // The model writes values as people do ("saat on"); a connector wants the canonical form.
            var slot = task.Slots.FirstOrDefault(s => s.Name == name);
            slots[name] = slot is null ? value : SlotParser.Find(slot, Words.Of(value), true, d.Today, d.Setup.Language)?.Value ?? value;
        }

        var missing = task.Slots.Where(s => !slots.TryGetValue(s.Name, out var value) || value.Length == 0).Select(s => s.Name).ToArray();
        if (missing.Length > 0)
        {
            ToolResult(d, pending with { ToolCallId = call.Id }, rounds, "ask the caller for: " + string.Join(", ", missing));
            return;
        }

        Tools.Call(d, task, Tools.Parameters(d, task, slots), rounds, call.Id, pending.Query);
    }

    private static Dictionary<string, string> Arguments(LlmToolCall call)
    {
        var arguments = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            if (JsonNode.Parse(call.Arguments.Length == 0 ? "{}" : call.Arguments) is JsonObject json)
            {
                foreach (var (name, value) in json)
                {
                    arguments[name] = value?.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value?.ToJsonString() ?? "";
                }
            }
        }
        catch (JsonException)
        {
            // A model that writes broken JSON has given no arguments; it is asked for the missing ones.
            arguments.Clear();
        }

        return arguments;
    }

    private static IReadOnlyList<LlmMessage> Messages(Draft d, string heard, IReadOnlyList<LlmMessage> rounds)
    {
        var messages = new List<LlmMessage> { new(LlmRole.System, SystemPrompt(d)) };
        messages.AddRange(History(d).Select(l => new LlmMessage(l.Speaker == Speaker.Caller ? LlmRole.User : LlmRole.Assistant, l.Text)));
        messages.Add(new(LlmRole.User, heard));
        messages.AddRange(rounds);
        return messages;
    }

    // The caller's lines of the open turn come as one message after the history.
    private static IEnumerable<HistoryLine> History(Draft d)
    {
        var lines = d.State.History.ToList();
        while (lines.Count > 0 && lines[^1].Speaker == Speaker.Caller)
        {
            lines.RemoveAt(lines.Count - 1);
        }

        return lines;
    }

    private static string SystemPrompt(Draft d)
    {
        var prompt = new StringBuilder();
        prompt.Append(d.Assistant?.Instructions).Append('\n');
        prompt.Append(CultureInfo.InvariantCulture, $"You are {d.Assistant?.Name}, an assistant on the telephone. Answer in {(d.Setup.Language == "en" ? "English" : "Turkish")}, ");
        prompt.Append("in one or two short spoken sentences without lists or markup. ");
        prompt.Append(CultureInfo.InvariantCulture, $"Today is {d.Today.ToString("dddd yyyy-MM-dd", CultureInfo.InvariantCulture)}. ");
        prompt.Append("Use the tools to get things done and to look things up; invent nothing. Before a tool changes something, have the caller confirm it. ");
        prompt.Append(CultureInfo.InvariantCulture, $"When the caller says good-bye, call {EndTool}.");
        if (d.Setup.CallerName is { Length: > 0 } name)
        {
            prompt.Append(CultureInfo.InvariantCulture, $" The caller is {name}.");
        }

        return prompt.ToString().Trim();
    }

    private static IReadOnlyList<LlmTool> ToolsOf(Draft d)
    {
        var tools = d.Assistant?.Tasks.Select(t => new LlmTool(t.Id, "For callers who say: " + string.Join("; ", t.Triggers), Schema(t.Slots))).ToList() ?? [];
        if (d.Assistant?.UseKnowledge == true)
        {
            tools.Add(new(SearchTool, "Searches the knowledge base for facts.", Schema([new("query", "text", "What to look for", [])])));
        }

        tools.Add(new(EndTool, "Says good-bye and ends the conversation.", Schema([])));
        return tools;
    }

    private static string Schema(IReadOnlyList<AssistantSlot> slots)
    {
        var properties = new JsonObject();
        foreach (var slot in slots)
        {
            var property = new JsonObject { ["type"] = "string", ["description"] = slot.Prompt + FormOf(slot.Kind) };
            if (slot.Choices.Count > 0)
            {
                property["enum"] = new JsonArray(slot.Choices.Select(c => (JsonNode)c).ToArray());
            }

            properties[slot.Name] = property;
        }

        var required = new JsonArray(slots.Select(s => (JsonNode)s.Name).ToArray());
        return new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = required }.ToJsonString();
    }

    private static string FormOf(string kind) => kind switch
    {
        "day" => " (weekday, \"bugün\", \"yarın\" or yyyy-MM-dd)",
        "time" => " (HH:mm)",
        _ => "",
    };
}
