namespace Sentiric.Dialogue;

/// <summary>Settings of the agent role. Every one has a default and a range; a wrong value stops the start.</summary>
public sealed record DialogueOptions
{
    /// <summary>Calls that one process talks to at a time; 1..10000. One more hears that all lines are busy.</summary>
    public int MaxCalls { get; init; } = 200;

    public DialogueLimits Limits { get; init; } = new();

    public TurnTakingOptions Turns { get; init; } = new();

    /// <summary>An agent ends a call after this long; 1..240 minutes.</summary>
    public TimeSpan MaxCall { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>IANA zone in which "today" and "tomorrow" are reckoned.</summary>
    public string TimeZone { get; init; } = "Europe/Istanbul";

    /// <summary>"host:port" of Redis; null: the state stays in the process.</summary>
    public string? Redis { get; init; }

    /// <summary>How long a call belongs to a process that does not answer; 3..300 seconds.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a call's or chat's state is kept after its last step; 1..168 hours.</summary>
    public TimeSpan KeepState { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Longest text of one chat message in characters; 10..10000.</summary>
    public int MaxChatText { get; init; } = 2_000;

    /// <summary>An OpenAI-compatible server; null: the built-in engine alone answers.</summary>
    public LlmOptions? Llm { get; init; }

    /// <summary>Own wording of the platform's prompts: language, then prompt name (see <see cref="PlatformPrompts.Names"/>), then text.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Prompts { get; init; } = new Dictionary<string, IReadOnlyDictionary<string, string>>();

    /// <summary>What is wrong, one sentence each; empty when all is well.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>(Turns.Faults());
        Range(faults, nameof(MaxCalls), MaxCalls, 1, 10_000);
        Range(faults, "Limits.NoInputMs", Limits.NoInputMs, 1_000, 15_000);
        Range(faults, "Limits.MaxFailures", Limits.MaxFailures, 1, 10);
        Range(faults, "Limits.ThinkingMs", Limits.ThinkingMs, 300, 4_000);
        Range(faults, "Limits.MergeHeardMs", Limits.MergeHeardMs, 0, 3_000);
        Range(faults, "Limits.EchoMs", Limits.EchoMs, 1_000, 300_000);
        Range(faults, "MaxCall (minutes)", MaxCall.TotalMinutes, 1, 240);
        Range(faults, "Lease (seconds)", Lease.TotalSeconds, 3, 300);
        Range(faults, "KeepState (hours)", KeepState.TotalHours, 1, 168);
        Range(faults, nameof(MaxChatText), MaxChatText, 10, 10_000);
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone, out _))
        {
            faults.Add($"TimeZone \"{TimeZone}\" is not known; give an IANA name such as Europe/Istanbul.");
        }

        faults.AddRange(Prompts.Values.SelectMany(p => p.Keys).Where(name => !PlatformPrompts.Names.Contains(name)).Distinct().Select(name => $"Prompts: there is no prompt \"{name}\"."));
        faults.AddRange(Llm?.Faults() ?? []);
        return faults;
    }

    internal IReadOnlyDictionary<string, string> PromptsIn(string language) =>
        Prompts.TryGetValue(language, out var own) ? own : new Dictionary<string, string>();

    private static void Range(List<string> faults, string name, double value, double low, double high)
    {
        if (value < low || value > high)
        {
            faults.Add(FormattableString.Invariant($"{name} is {value}, but must be within {low} and {high}."));
        }
    }
}

/// <summary>An OpenAI-compatible chat server.</summary>
public sealed record LlmOptions
{
    /// <summary>Up to and with "/v1".</summary>
    public required string BaseUrl { get; init; }

    public required string Model { get; init; }

    public string? ApiKey { get; init; }

    /// <summary>For the whole answer, a second attempt included; 1..60 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(8);

    public double Temperature { get; init; } = 0.3;

    public int MaxTokens { get; init; } = 300;

    internal IEnumerable<string> Faults()
    {
        if (!Uri.TryCreate(BaseUrl, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            yield return $"Llm.BaseUrl \"{BaseUrl}\" is no http or https address.";
        }

        if (string.IsNullOrWhiteSpace(Model))
        {
            yield return "Llm.Model is empty.";
        }

        if (Timeout.TotalSeconds is < 1 or > 60)
        {
            yield return "Llm.Timeout must be within 1 and 60 seconds.";
        }

        if (Temperature is < 0 or > 2 || MaxTokens is < 16 or > 4_096)
        {
            yield return "Llm.Temperature must be within 0 and 2, Llm.MaxTokens within 16 and 4096.";
        }
    }
}
