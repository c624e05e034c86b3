using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sentiric.Phone;

/// <summary>
/// What a caller does on a call, step by step. Words in braces ("{day} günü") are filled from <see cref="Values"/>.
/// </summary>
/// <param name="Voice">A voice of espeak-ng: "tr+f2".</param>
/// <param name="Values">Defaults of the words in braces; who starts the call may put others in place.</param>
/// <param name="PatienceMs">How long the caller waits for the agent before it gives up, for each step.</param>
public sealed record CallerScript(
    IReadOnlyList<CallerStep> Steps, string Language = "tr", string? Voice = null, IReadOnlyDictionary<string, string>? Values = null,
    int PatienceMs = CallerScript.UsualPatienceMs)
{
    public const int MaxSteps = 100;
    public const int MaxSentence = 500;
    public const int UsualPatienceMs = 20_000;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Reads a script. Throws <see cref="InvalidDataException"/> with a sentence that says what is wrong.</summary>
    public static CallerScript Parse(string json)
    {
        try
        {
            var script = JsonSerializer.Deserialize<CallerScript>(json, Json) ?? throw new InvalidDataException("The script is empty.");
            return script.Fault() is { } fault ? throw new InvalidDataException(fault) : script;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The script is not what was expected: {e.Message}", e);
        }
    }

    /// <summary>The script with these words in place of its own values.</summary>
    public CallerScript With(IReadOnlyDictionary<string, string> values)
    {
        var all = new Dictionary<string, string>(Values ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        foreach (var (name, value) in values) all[name] = value;
        return this with { Values = all };
    }

    /// <summary>The steps with every word filled in.</summary>
    public IReadOnlyList<CallerStep> Filled() =>
        [.. Steps.Select(s => s with { Say = Fill(s.Say), ExpectHeard = Fill(s.ExpectHeard ?? s.Say) })];

    private string? Fill(string? text)
    {
        if (text is null) return null;
        foreach (var (name, value) in Values ?? new Dictionary<string, string>()) text = text.Replace("{" + name + "}", value, StringComparison.Ordinal);
        return text;
    }

    private string? Fault()
    {
        if (Steps.Count is 0 or > MaxSteps) return $"A script has 1 to {MaxSteps} steps.";
        if (PatienceMs is < 1_000 or > 120_000) return "patience_ms must be within 1000 and 120000.";
        var open = Filled().FirstOrDefault(s => s.Say?.Contains('{', StringComparison.Ordinal) == true);
        if (open is not null) return $"\"{open.Say}\": there is no value for the word in braces.";
        return Steps.Select((s, at) => s.Fault() is { } fault ? $"Step {at + 1}: {fault}" : null).FirstOrDefault(f => f is not null);
    }
}

/// <summary>One step: what to do, and when.</summary>
/// <param name="Say">A sentence to speak.</param>
/// <param name="Dtmf">Keys to press.</param>
/// <param name="HangUp">End the call with BYE.</param>
/// <param name="Abandon">Vanish without a BYE.</param>
/// <param name="WaitForHangUpMs">Wait so long for the other side to hang up.</param>
/// <param name="SilentMs">When: the agent has spoken since the last step and been silent for so long. The usual moment.</param>
/// <param name="AfterMs">When: so long after the last step (or the answer of the call).</param>
/// <param name="WhileAgentSpeaksMs">When: into the agent's words, so long after they began.</param>
/// <param name="ExpectHeard">What a recogniser should make of it, where that differs from <paramref name="Say"/>.</param>
public sealed record CallerStep(
    string? Say = null, string? Dtmf = null, bool HangUp = false, bool Abandon = false, int? WaitForHangUpMs = null,
    string? When = null, int? SilentMs = null, int? AfterMs = null, int? WhileAgentSpeaksMs = null, string? ExpectHeard = null)
{
    public const string AgentSilent = "agent_silent";
    public const int UsualSilenceMs = 700;
    private const int LongestMs = 300_000;

    [JsonIgnore]
    public string Kind => Say is not null ? "say" : Dtmf is not null ? "dtmf" : HangUp ? "hang_up" : Abandon ? "abandon" : "wait_for_hang_up";

    internal string? Fault()
    {
        var deeds = new[] { Say is not null, Dtmf is not null, HangUp, Abandon, WaitForHangUpMs is not null }.Count(d => d);
        if (deeds != 1) return "a step does one thing: say, dtmf, hang_up, abandon or wait_for_hang_up_ms.";
        if (Say is { } say && (say.Trim().Length == 0 || say.Length > CallerScript.MaxSentence)) return $"say takes 1 to {CallerScript.MaxSentence} characters.";
        if (When is not (null or AgentSilent)) return $"when is \"{AgentSilent}\", or left out beside after_ms and while_agent_speaks_ms.";
        if (new[] { When is not null || SilentMs is not null, AfterMs is not null, WhileAgentSpeaksMs is not null }.Count(m => m) > 1)
        {
            return "a step has one moment: agent_silent, after_ms or while_agent_speaks_ms.";
        }

        return new[] { SilentMs, AfterMs, WhileAgentSpeaksMs, WaitForHangUpMs }.Any(ms => ms is < 0 or > LongestMs)
            ? $"times are within 0 and {LongestMs} ms."
            : null;
    }
}
