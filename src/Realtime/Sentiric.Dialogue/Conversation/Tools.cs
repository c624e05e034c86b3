using System.Globalization;
using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>Calls to connectors and what is said about their outcome.</summary>
internal static class Tools
{
    /// <summary>The filled form of a task becomes a call.</summary>
    public static void Call(Draft d, AssistantTask task) => Call(d, task, Parameters(d, task, d.Mind.Slots), null, null, "");

    public static void Call(
        Draft d, AssistantTask task, IReadOnlyDictionary<string, string> parameters, IReadOnlyList<LlmMessage>? rounds, string? toolCallId, string query)
    {
        var number = d.Mind.ToolsCalled + 1;
        var id = d.NewWork();
        var call = new CallTool(id, Key(d, task, number), task.Connector, task.Action, parameters);
        d.Mind = d.Mind with { ToolsCalled = number };
        d.State = d.State with { Open = d.State.Open is { } open ? open with { SideEffect = true } : null };
        d.Await(new(id, WorkKind.Tool, query, call, rounds, toolCallId));
        d.Note(new ToolCalled(d.Now, call.IdempotencyKey, call.Connector, call.Action, call.Parameters));
        d.Do(call);
    }

    public static void Answered(Draft d, ToolAnswered answer)
    {
        if (d.Arrived(answer.WorkId, WorkKind.Tool) is not { Tool: { } call } pending)
        {
            return;
        }

        d.Note(answer.RefusalCode is { } code
            ? new ToolFailed(d.Now, call.IdempotencyKey, code, answer.RefusalWhy ?? "", answer.TookMs)
            : new ToolSucceeded(d.Now, call.IdempotencyKey, answer.Values, answer.TookMs));
        if (pending.Rounds is { } rounds)
        {
            LlmEngine.ToolResult(d, pending, rounds, LlmEngine.Describe(answer));
        }
        else if (d.Task is { } task)
        {
            Tell(d, task, answer);
        }
    }

    public static Dictionary<string, string> Parameters(Draft d, AssistantTask task, IReadOnlyDictionary<string, string> slots)
    {
        var parameters = task.Slots.Where(s => slots.ContainsKey(s.Name)).ToDictionary(s => s.Name, s => slots[s.Name], StringComparer.Ordinal);
        // A connector that speaks (the calendar's refusals are read out) speaks as the conversation does.
        parameters.TryAdd("language", d.Setup.Language);
        if (d.Setup.Contact is { Length: > 0 } contact)
        {
            parameters.TryAdd("contact", contact);
        }

        return parameters;
    }

    // The same turn of the same call makes the same key, in a replay and after a crash too.
    private static string Key(Draft d, AssistantTask task, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{d.Setup.CallId:N}-{d.State.Turn}-{task.Id}-{number}");

    private static void Tell(Draft d, AssistantTask task, ToolAnswered answer)
    {
        if (answer.RefusalCode is { } code)
        {
            TellRefusal(d, task, code, answer.RefusalWhy);
            return;
        }

        var template = task.Done.Length > 0 ? task.Done : d.Prompt(PlatformPrompts.TaskDone);
        var done = Template.Sentence(Template.Fill(template, name => Spoken(d, task, name, answer.Values)));
        Form.LeaveTask(d);
        d.Say(done, UtteranceKind.Answer, AnythingElse(d, done));
    }

    private static void TellRefusal(Draft d, AssistantTask task, string code, string? said)
    {
        // A calendar says why in words for the caller; other refusals are written for operators.
        var why = code.StartsWith("calendar.", StringComparison.Ordinal) && said is { Length: > 0 } ? said : d.Prompt(WhyFor(code));
        var template = task.Failed.Length > 0 ? task.Failed : PlatformPrompts.Text(PlatformPrompts.TaskFailed, d.Setup.Language, d.Setup.Prompts);
        var failed = Template.Sentence(Template.Fill(template, name => name == "why" ? why : Form.SpokenValue(d, task, name)));
        var hasTime = task.Slots.Any(s => s.Kind == "time" && d.Mind.Slots.ContainsKey(s.Name));
        var hasDay = task.Slots.Any(s => s.Kind == "day" && d.Mind.Slots.ContainsKey(s.Name));
        if (code == "calendar.slot_taken" && hasTime)
        {
            Form.AskAgain(d, task, failed, "time");
        }
        else if (code == "calendar.closed" && (hasTime || hasDay))
        {
            Form.AskAgain(d, task, failed, "day", "time");
        }
        else
        {
            Form.LeaveTask(d);
            d.Say(failed, UtteranceKind.Answer, AnythingElse(d, failed));
        }
    }

    // What the connector has settled ("yarın" became a weekday) goes before what the caller said.
    private static string? Spoken(Draft d, AssistantTask task, string name, IReadOnlyDictionary<string, string> values) =>
        values.TryGetValue(name, out var value) && value.Length > 0
            ? SlotParser.Spoken(task.Slots.FirstOrDefault(s => s.Name == name), value, d.Setup.Language)
            : Form.SpokenValue(d, task, name);

    // An answer that ends with a question has asked already.
    private static string AnythingElse(Draft d, string said) => said.EndsWith('?') ? "" : d.Prompt(PlatformPrompts.AnythingElse);

    private static string WhyFor(string code) => code switch
    {
        "calendar.slot_taken" => PlatformPrompts.SlotTaken,
        "calendar.closed" => PlatformPrompts.Closed,
        "connector.bad_parameter" => PlatformPrompts.BadParameter,
        _ => PlatformPrompts.Unreachable,
    };
}
