using System.Text.RegularExpressions;
using Sentiric.Testing;

namespace Sentiric.Architecture.Tests;

/// <summary>docs/marten.md names the test of each fact of Marten's storage: every class and method that it names is there.</summary>
public sealed partial class MartenListTests
{
    private const int FewestFacts = 50;

    [Fact]
    public void Every_test_that_the_list_of_Marten_names_exists()
    {
        var facts = File.ReadLines(Path.Combine(Repository.Root, "docs", "marten.md")).SkipWhile(line => !line.StartsWith("| fact", StringComparison.Ordinal)).Skip(2)
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Select(line => line.TrimEnd(' ', '|').Split(" | ")[^1]).ToList();
        Assert.True(facts.Count >= FewestFacts, $"The list has only {facts.Count} facts.");
        var without = facts.Where(cell => !Names().IsMatch(cell)).ToList();
        Assert.True(without.Count == 0, $"Facts without a test: {string.Join("; ", without)}.");

        var tests = string.Join('\n', Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests", "Sentiric.EventStore.Tests"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal)).Select(File.ReadAllText));
        var missing = facts.SelectMany(cell => Names().Matches(cell)).Where(named => !IsIn(tests, named)).Select(named => named.Value).Distinct().ToList();
        Assert.True(missing.Count == 0, $"docs/marten.md names what is in no test: {string.Join(", ", missing)}.");
    }

    private static bool IsIn(string tests, Match named)
    {
        var method = named.Groups["method"];
        return tests.Contains($"class {named.Groups["class"].Value}", StringComparison.Ordinal)
            && (!method.Success || tests.Contains($" {method.Value}(", StringComparison.Ordinal));
    }

    [GeneratedRegex("`(?<class>[A-Z][A-Za-z0-9]*(?:Tests|Contract))(?:\\.(?<method>[A-Za-z0-9_]+))?`")]
    private static partial Regex Names();
}
