namespace Sentiric.Cli;

internal enum Colour
{
    Grey,
    Red,
    Green,
    Yellow,
    Cyan,
    Bold,
}

/// <summary>Where a command reads and writes. Colours only where somebody looks at them.</summary>
internal sealed class Terminal(TextReader input, TextWriter output, TextWriter error, bool colours, bool interactive, bool live = false)
{
    public TextReader In { get; } = input;

    public TextWriter Out { get; } = output;

    public TextWriter Error { get; } = error;

    /// <summary>A person types, so a prompt is worth showing.</summary>
    public bool Interactive { get; } = interactive;

    /// <summary>Somebody watches standard error, so a line may be drawn over itself there.</summary>
    public bool Live { get; } = live;

    public static Terminal OfProcess()
    {
        var plain = Console.IsOutputRedirected || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 };
        return new(Console.In, Console.Out, Console.Error, !plain, !Console.IsInputRedirected, !Console.IsErrorRedirected);
    }

    public string Paint(string text, Colour colour) => colours ? $"\e[{Code(colour)}m{text}\e[0m" : text;

    public void Line(string text = "") => Out.WriteLine(text);

    private static string Code(Colour colour) => colour switch
    {
        Colour.Grey => "90",
        Colour.Red => "31",
        Colour.Green => "32",
        Colour.Yellow => "33",
        Colour.Cyan => "36",
        Colour.Bold => "1",
    };
}
