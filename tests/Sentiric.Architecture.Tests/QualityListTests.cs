using System.Text.RegularExpressions;
using Sentiric.Testing;

namespace Sentiric.Architecture.Tests;

/// <summary>docs/quality.md names the test of each quality line: every class and method that it names is there.</summary>
public sealed partial class QualityListTests
{
    private const int FewestRows = 30;

    [Fact]
    public void Every_test_that_the_quality_list_names_exists()
    {
        var rows = File.ReadLines(Path.Combine(Repository.Root, "docs", "quality.md")).Where(line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| line", StringComparison.Ordinal))
            .Select(line => line.Split(" | ")[^1]).ToList();
        Assert.True(rows.Count >= FewestRows, $"The list has only {rows.Count} rows.");
        var tests = string.Join('\n', Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal)).Select(File.ReadAllText));
        var missing = rows.SelectMany(Claims).Distinct().Where(claim => !claim.IsIn(tests)).Select(claim => claim.Name).ToList();
        Assert.True(missing.Count == 0, $"docs/quality.md names what is in no test: {string.Join(", ", missing)}.");
    }

    private static IEnumerable<Claim> Claims(string cell) =>
        Methods().Matches(cell).Select(m => new Claim(m.Value, m.Value.EndsWith('*') ? $" {m.Value[..^1]}" : $" {m.Value}("))
            .Concat(Classes().Matches(cell).Select(m => new Claim(m.Value, $"class {m.Value}")));

    [GeneratedRegex(@"\b[A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\*?|\bD\d+_\*")]
    private static partial Regex Methods();

    // "S IncomingCallTests.D1_..." or a class alone behind the letter of its project.
    [GeneratedRegex(@"(?<=\b[A-Z] )[A-Z][a-z][A-Za-z0-9]+\b")]
    private static partial Regex Classes();

    private sealed record Claim(string Name, string Text)
    {
        public bool IsIn(string tests) => tests.Contains(Text, StringComparison.Ordinal);
    }
}
