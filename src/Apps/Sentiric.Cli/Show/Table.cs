namespace Sentiric.Cli.Show;

/// <summary>Columns under their titles, as wide as their longest cell.</summary>
internal static class Table
{
    private const int Gap = 2;

    public static IEnumerable<string> Lines(IReadOnlyList<string> titles, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var widths = titles.Select((t, column) => rows.Select(r => r[column].Length).Append(t.Length).Max()).ToList();
        string Line(IReadOnlyList<string> cells) => string.Concat(cells.Select((c, column) => c.PadRight(widths[column] + Gap))).TrimEnd();
        return rows.Select(Line).Prepend(Line(titles));
    }

    /// <summary>Names on the left, values on the right.</summary>
    public static IEnumerable<string> Pairs(IReadOnlyList<(string Name, string Value)> pairs)
    {
        var width = pairs.Max(p => p.Name.Length) + Gap;
        return pairs.Select(p => p.Name.PadRight(width) + p.Value);
    }

    public static void Print(Terminal terminal, IReadOnlyList<string> titles, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var lines = Lines(titles, rows).ToList();
        terminal.Line(terminal.Paint(lines[0], Colour.Grey));
        foreach (var line in lines.Skip(1)) terminal.Line(line);
    }
}
