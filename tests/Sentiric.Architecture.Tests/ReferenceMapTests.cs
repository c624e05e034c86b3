using System.Xml.Linq;
using Sentiric.Testing;

namespace Sentiric.Architecture.Tests;

/// <summary>Who may know whom, read off the project files (docs/ARCHITECTURE.md).</summary>
public sealed class ReferenceMapTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Sentiric.Contracts"] = [],
        ["Sentiric.EventStore.Proofs"] = [],
        ["Sentiric.EventStore"] = ["Sentiric.Contracts", "Sentiric.EventStore.Proofs"],
        ["Sentiric.Sip"] = [],
        ["Sentiric.Media"] = [],
        ["Sentiric.Speech"] = [],
        ["Sentiric.Write"] = ["Sentiric.Contracts", "Sentiric.EventStore"],
        ["Sentiric.Read"] = ["Sentiric.Contracts", "Sentiric.EventStore"],
        ["Sentiric.Dialogue"] = ["Sentiric.Contracts", "Sentiric.Speech"],
        ["Sentiric.Calls"] = ["Sentiric.Contracts", "Sentiric.Sip", "Sentiric.Media", "Sentiric.Speech", "Sentiric.Dialogue"],
        ["Sentiric.Dashboard"] = ["Sentiric.Contracts"],
        ["Sentiric.Cli"] = ["Sentiric.Contracts", "Sentiric.EventStore.Proofs"],
        ["Sentiric.Phone"] = ["Sentiric.Sip", "Sentiric.Media", "Sentiric.Speech"],
        ["Sentiric.Host"] =
        [
            "Sentiric.Contracts", "Sentiric.EventStore", "Sentiric.EventStore.Proofs", "Sentiric.Write", "Sentiric.Read", "Sentiric.Sip", "Sentiric.Media", "Sentiric.Speech",
            "Sentiric.Dialogue", "Sentiric.Calls", "Sentiric.Dashboard",
        ],
    };

    public static TheoryData<string> Projects => [.. ProjectFiles().Select(p => Path.GetFileNameWithoutExtension(p))];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_knows_only_whom_it_may(string project)
    {
        Assert.True(Allowed.ContainsKey(project), $"{project} is not on the map: add it to docs/ARCHITECTURE.md and to this test.");
        var known = References(ProjectFiles().Single(p => Path.GetFileNameWithoutExtension(p) == project));
        Assert.Empty(known.Except(Allowed[project]));
    }

    [Fact]
    public void Every_project_on_the_map_exists() =>
        Assert.Empty(Allowed.Keys.Except(ProjectFiles().Select(p => Path.GetFileNameWithoutExtension(p)!)));

    [Fact]
    public void Contracts_need_nothing_but_the_base_class_library() =>
        Assert.DoesNotContain("FrameworkReference", File.ReadAllText(Repository.PathOf("src", "Contracts", "Sentiric.Contracts", "Sentiric.Contracts.csproj")), StringComparison.Ordinal);

    [Fact]
    public void Every_source_project_has_a_test_project()
    {
        var tested = Directory.GetDirectories(Repository.PathOf("tests")).Select(Path.GetFileName).ToHashSet();
        string[] seenByScenarios = ["Sentiric.Phone", "Sentiric.Dashboard"];
        Assert.All(Allowed.Keys.Except(seenByScenarios), project => Assert.Contains(project + ".Tests", tested));
    }

    private static IEnumerable<string> ProjectFiles() => Directory.EnumerateFiles(Repository.PathOf("src"), "*.csproj", SearchOption.AllDirectories);

    private static IEnumerable<string> References(string projectFile) => XDocument.Load(projectFile)
        .Descendants("ProjectReference")
        .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));
}
