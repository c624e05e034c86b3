using System.Globalization;

namespace Sentiric.Benchmarks.Kit;

public enum BenchFormat
{
    Table,
    Json,
    Markdown,
}

/// <summary>What was asked for on the command line.</summary>
/// <param name="Name">A benchmark or a group; null runs all.</param>
/// <param name="IsQuick">A fifth of the time: shows that everything works, its figures are noise.</param>
/// <param name="Events">How large the event store is filled before it is read; null: as the benchmark says. Takes the time it takes.</param>
public sealed record BenchOptions(BenchFormat Format, bool IsQuick, string? Name, int? Events = null)
{
    private const string Usage = "bench [--json | --markdown] [--quick] [--events=N] [--scale=1,10 [--keep]] [NAME]";
    private const string EventsSwitch = "--events=", ScaleSwitch = "--scale=";
    private const int MaxMillions = 1_000;

    /// <summary>Sizes of the store in millions of events, smallest first, for the benchmarks that take minutes; empty leaves these out.</summary>
    public IReadOnlyList<int> Scale { get; init; } = [];

    /// <summary>What was generated for <see cref="Scale"/> stays for the next run.</summary>
    public bool KeepsData { get; init; }

    public static BenchOptions? Parse(IReadOnlyList<string> arguments, out string complaint)
    {
        complaint = "";
        var options = new BenchOptions(BenchFormat.Table, IsQuick: false, Name: null);
        foreach (var argument in arguments)
        {
            var next = argument switch
            {
                "--json" => options with { Format = BenchFormat.Json },
                "--markdown" => options with { Format = BenchFormat.Markdown },
                "--quick" => options with { IsQuick = true },
                _ when argument.StartsWith(EventsSwitch, StringComparison.Ordinal) =>
                    int.TryParse(argument.AsSpan(EventsSwitch.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var events) ? options with { Events = events } : null,
                "--keep" => options with { KeepsData = true },
                _ when argument.StartsWith(ScaleSwitch, StringComparison.Ordinal) => Sizes(argument[ScaleSwitch.Length..]) is { } sizes ? options with { Scale = sizes } : null,
                _ when argument.StartsWith('-') || options.Name is not null => null,
                _ => options with { Name = argument },
            };
            if (next is null)
            {
                complaint = $"'{argument}' is not understood: {Usage}";
                return null;
            }
            options = next;
        }
        if (AllBenchmarks.List.Any(b => b.IsNamed(options.Name))) return options;
        complaint = $"There is no benchmark '{options.Name}'. There are: {string.Join(", ", AllBenchmarks.List.Select(b => b.Name))}.";
        return null;
    }

    private static List<int>? Sizes(string list)
    {
        var sizes = list.Split(',').Select(part => int.TryParse(part, CultureInfo.InvariantCulture, out var millions) ? millions : 0).Order().ToList();
        return sizes.TrueForAll(millions => millions is > 0 and <= MaxMillions) ? sizes : null;
    }
}
