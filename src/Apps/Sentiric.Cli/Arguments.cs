using System.Globalization;

namespace Sentiric.Cli;

/// <summary>A command line, split into words and options. An option may be given as "--to N" or "--to=N"; words after "--" are words.</summary>
internal sealed class Arguments
{
    private readonly List<string> words = [];
    private readonly List<(string Name, string Value)> options = [];
    private readonly HashSet<string> flags = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Words => words;

    /// <summary>Throws <see cref="UsageException"/> for what no command knows.</summary>
    public static Arguments Parse(IReadOnlyList<string> args, IReadOnlyList<string> valueOptions, IReadOnlyList<string> flags)
    {
        var parsed = new Arguments();
        for (var at = 0; at < args.Count; at++)
        {
            var arg = args[at];
            var mark = arg.StartsWith("--", StringComparison.Ordinal) ? arg.IndexOf('=', StringComparison.Ordinal) : -1;
            var name = mark < 0 ? arg : arg[..mark];
            if (arg == "--")
            {
                parsed.words.AddRange(args.Skip(at + 1));
                break;
            }

            if (!IsOption(arg)) parsed.words.Add(arg);
            else if (flags.Contains(name) && mark < 0) parsed.flags.Add(name);
            else if (!valueOptions.Contains(name)) throw new UsageException($"There is no option {name} here.");
            else if (mark >= 0) parsed.options.Add((name, arg[(mark + 1)..]));
            else if (at + 1 < args.Count) parsed.options.Add((name, args[++at]));
            else throw new UsageException($"{name} takes a value.");
        }

        return parsed;
    }

    public bool Has(string flag) => flags.Contains(flag);

    /// <summary>The last value given; null when there is none.</summary>
    public string? Option(string name) => options.LastOrDefault(o => o.Name == name).Value;

    public IReadOnlyList<string> All(string name) => [.. options.Where(o => o.Name == name).Select(o => o.Value)];

    public string Needed(string name) => Option(name) ?? throw new UsageException($"{name} is missing.");

    public string Word(int at, string what) => at < words.Count ? words[at] : throw new UsageException($"{what} is missing.");

    public Guid Id(int at, string what) =>
        Guid.TryParse(Word(at, what), out var id) ? id : throw new UsageException($"{Word(at, what)} is no {what}: an id looks like 01980000-0000-7000-8000-000000000001.");

    public int Number(string name, int usual, int low, int high) =>
        Option(name) is not { } text ? usual
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= low && number <= high ? number
        : throw new UsageException($"{name} is a number within {low} and {high}.");

    /// <summary>A version or position, as the API takes it; null when the option is not given.</summary>
    public string? Position(string name) =>
        Option(name) is not { } text ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? text
        : throw new UsageException($"{name} is a whole number, 0 or more.");

    /// <summary>Refuses options that another verb of the same command has, but not this one. What every command has is always known.</summary>
    public void OnlyKnows(IReadOnlyList<string> known, string verb)
    {
        if (options.Select(o => o.Name).Concat(flags).Except([.. known, .. Command.Everywhere]).FirstOrDefault() is { } other)
            throw new UsageException($"{verb} has no option {other}.");
    }

    public void NoMoreThan(int count)
    {
        if (words.Count > count) throw new UsageException($"{words[count]} is one word too many.");
    }

    // "-o" is one, "-" and numbers such as -5 are words.
    private static bool IsOption(string arg) => arg.Length > 1 && arg[0] == '-' && !char.IsAsciiDigit(arg[1]);
}
