namespace Sentiric.Benchmarks.Kit;

/// <summary>One measured figure. <paramref name="What"/> says in a few words what was measured; no value means that it was skipped.</summary>
public sealed record Row(string Name, string What, double? Value, string Unit)
{
    /// <summary>The same figure of a floor or of a peer, from the same run, and its name.</summary>
    public (string Name, double Value)? Reference { get; init; }

    public Target? Target { get; init; }

    /// <summary>Further figures of the same measurement, for people.</summary>
    public string? Detail { get; init; }

    public string? Skipped { get; init; }

    /// <summary>Value over reference.</summary>
    public double? Ratio => Value / Reference?.Value;

    public bool? Met => Target is { } target && Value is { } value ? target.IsMet(value, Ratio) : null;
}

/// <summary>A figure to reach. Missing it is said in the table and is no failure: the machine decides too.</summary>
public sealed record Target(string Text, Func<double, double?, bool> IsMet)
{
    public static Target AtMost(double limit) => new($"<= {Figure.Of(limit)}", (value, _) => value <= limit);

    public static Target AtLeast(double limit) => new($">= {Figure.Of(limit)}", (value, _) => value >= limit);

    public static Target RatioAtMost(double limit) => new($"<= {Figure.Of(limit)} x", (_, ratio) => ratio <= limit);

    public static Target RatioAtLeast(double limit) => new($">= {Figure.Of(limit)} x", (_, ratio) => ratio >= limit);

    public Target And(Target other) =>
        new($"{Text}, {other.Text}", (value, ratio) => IsMet(value, ratio) && other.IsMet(value, ratio));
}
