using System.Text.Json;
using Sentiric.Testing;

namespace Sentiric.Architecture.Tests;

/// <summary>scripts/fast.slnf is what `./sentiric test --fast` builds: everything but the whole calls and the benchmarks, so that no product project escapes the gate.</summary>
public sealed class FastGateTests
{
    private static readonly string[] LeftOut = ["tests/Sentiric.Benchmarks/Sentiric.Benchmarks.csproj", "tests/Sentiric.Scenarios/Sentiric.Scenarios.csproj"];

    [Fact]
    public void The_fast_gate_builds_every_project_but_the_benchmarks_and_the_whole_calls()
    {
        using var filter = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("scripts", "fast.slnf")));
        var built = filter.RootElement.GetProperty("solution").GetProperty("projects").EnumerateArray().Select(p => p.GetString()!).ToList();
        var all = new[] { "src", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Repository.PathOf(folder), "*.csproj", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(Repository.Root, path));
        Assert.Equal(all.Except(LeftOut).Order(StringComparer.Ordinal), built.Order(StringComparer.Ordinal));
    }
}
