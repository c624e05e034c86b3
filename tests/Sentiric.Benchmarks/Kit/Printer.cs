using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sentiric.Benchmarks.Kit;

/// <summary>The rows as a table for people, as Markdown for docs/benchmarks.md, or as one JSON object a line.</summary>
public static class Printer
{
    private static readonly string[] Columns = ["Benchmark", "What is measured", "Result", "Reference", "Ratio", "Target", "Met", "Notes"];
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Print(IReadOnlyList<Row> rows, BenchOptions options, TextWriter output)
    {
        switch (options.Format)
        {
            case BenchFormat.Table:
                PrintTable(rows, options, output);
                break;
            case BenchFormat.Json:
                foreach (var row in rows) output.WriteLine(Json(row));
                break;
            case BenchFormat.Markdown:
                PrintMarkdown(rows, output);
                break;
        }
    }

    private static void PrintTable(IReadOnlyList<Row> rows, BenchOptions options, TextWriter output)
    {
        string[][] lines = [Columns, .. rows.Select(Cells)];
        var widths = Columns.Select((_, i) => lines.Max(line => line[i].Length)).ToArray();
        foreach (var line in lines) output.WriteLine(string.Join("  ", line.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
        output.WriteLine();
        output.WriteLine(Machine.Describe());
        if (options.IsQuick) output.WriteLine("A quick run: it shows that everything works, its figures are noise.");
        output.WriteLine(Verdict(rows));
    }

    private static void PrintMarkdown(IReadOnlyList<Row> rows, TextWriter output)
    {
        output.WriteLine(Machine.Describe());
        output.WriteLine();
        foreach (var line in new[] { Columns, [.. Columns.Select(_ => "---")] }.Concat(rows.Select(Cells)))
            output.WriteLine($"| {string.Join(" | ", line.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |");
        output.WriteLine();
        output.WriteLine(Verdict(rows));
    }

    private static string[] Cells(Row row) =>
    [
        row.Name,
        row.Skipped is { } why ? $"skipped: {why}" : row.What,
        row.Value is { } value ? $"{Figure.Of(value)} {row.Unit}" : "",
        row.Reference is { } reference ? $"{Figure.Of(reference.Value)} ({reference.Name})" : "",
        row.Ratio is { } ratio ? Figure.Of(ratio) : "",
        row.Target?.Text ?? "",
        row.Met switch { true => "yes", false => "MISSED", null => "" },
        row.Detail ?? "",
    ];

    private static string Verdict(IReadOnlyList<Row> rows)
    {
        var (met, missed, skipped) = (rows.Count(r => r.Met == true), rows.Count(r => r.Met == false), rows.Count(r => r.Skipped is not null));
        return $"{met} targets met, {missed} missed, {skipped} skipped";
    }

    private static string Json(Row row)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Writing))
        {
            json.WriteStartObject();
            json.WriteString("name", row.Name);
            Number(json, "value", row.Value);
            json.WriteString("unit", row.Unit);
            Number(json, "reference", row.Reference?.Value);
            json.WriteString("reference_name", row.Reference?.Name);
            Number(json, "ratio", row.Ratio);
            json.WriteString("target", row.Target?.Text);
            if (row.Met is { } met) json.WriteBoolean("met", met);
            else json.WriteNull("met");
            json.WriteString("what", row.What);
            json.WriteString("detail", row.Detail);
            json.WriteString("skipped", row.Skipped);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void Number(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number)) json.WriteNumber(name, Math.Round(number, 6));
        else json.WriteNull(name);
    }
}
