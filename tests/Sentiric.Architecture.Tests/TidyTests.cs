using System.Text.RegularExpressions;
using Sentiric.Testing;

namespace Sentiric.Architecture.Tests;

/// <summary>A test that reads the sources: words that must not be there, and what to use in their place.</summary>
public sealed partial class TidyTests
{
    private static readonly (string Banned, string Instead)[] Words =
    [
        ("DateTime.Now", "TimeProvider"),
        ("DateTime.UtcNow", "TimeProvider"),
        ("DateTimeOffset.Now", "TimeProvider"),
        ("DateTimeOffset.UtcNow", "TimeProvider"),
        ("Thread.Sleep(", "a wait for a named transition"),
        ("NotImplementedException", "the real thing, or a refusal that says what is missing"),
        ("TODO", "an issue"),
        ("FIXME", "an issue"),
        ("Environment.Exit", "a return code from Main"),
    ];

    public static TheoryData<string> Banned => [.. Words.Select(w => w.Banned)];

    [Theory]
    [MemberData(nameof(Banned))]
    public void The_sources_do_without(string word)
    {
        var instead = Words.Single(w => w.Banned == word).Instead;
        var found = Sources("src").Where(s => s.Text.Contains(word, StringComparison.Ordinal)).Select(s => s.Path).ToList();
        Assert.True(found.Count == 0, $"'{word}' stands in {string.Join(", ", found)}; use {instead}.");
    }

    [Fact]
    public void No_error_is_swallowed_by_an_empty_catch()
    {
        var found = Sources("src").Where(s => EmptyCatch().IsMatch(s.Text)).Select(s => s.Path).ToList();
        Assert.True(found.Count == 0, $"An empty catch in {string.Join(", ", found)}: say in the block why nothing is to be done, or do it.");
    }

    [Fact]
    public void Tests_do_not_sleep()
    {
        var found = Sources("tests").Where(s => Sleep().IsMatch(s.Text) && !s.Path.Contains("Sentiric.Benchmarks", StringComparison.Ordinal)).Select(s => s.Path).ToList();
        Assert.True(found.Count == 0, $"A test sleeps in {string.Join(", ", found)}; wait for a named transition or use ManualTime.");
    }

    [Fact]
    public void No_project_is_called_common()
    {
        var projects = Directory.EnumerateFiles(Repository.PathOf("src"), "*.csproj", SearchOption.AllDirectories).Select(Path.GetFileNameWithoutExtension);
        Assert.All(projects, p => Assert.DoesNotMatch("Common|Core|Shared|Utils", p));
    }

    [GeneratedRegex(@"catch\s*(\([^)]*\))?\s*(when\s*\([^{]*\))?\s*\{\s*\}")]
    private static partial Regex EmptyCatch();

    [GeneratedRegex(@"Thread\.Sleep\(|Task\.Delay\(\s*[\d_]+\s*[,)]|Task\.Delay\(TimeSpan\.From(?!Milliseconds\(1\))[A-Za-z]+\([\d._]+\)\s*\)")]
    private static partial Regex Sleep();

    private static IEnumerable<(string Path, string Text)> Sources(string folder) =>
        Directory.EnumerateFiles(Repository.PathOf(folder), "*.cs", SearchOption.AllDirectories)
            .Where(p => !p.Contains("/obj/", StringComparison.Ordinal) && !p.Contains("/bin/", StringComparison.Ordinal) && !p.EndsWith("TidyTests.cs", StringComparison.Ordinal))
            .Select(p => (Path.GetRelativePath(Repository.Root, p), File.ReadAllText(p)));
}
