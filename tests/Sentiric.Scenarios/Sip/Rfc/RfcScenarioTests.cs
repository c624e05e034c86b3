using Sentiric.Scenarios.Peers;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.Scenarios.Sip.Rfc;

/// <summary>Our stack against scenarios of sipp that are named by what the RFCs ask; one file, one test.</summary>
[Trait("Category", "Slow")]
public sealed class RfcScenarioTests(SippStage stage) : IClassFixture<SippStage>
{
    public static TheoryData<string> Files { get; } = [.. RfcScenarios.All.Select(row => row.File)];

    [PeerTheory("sipp")]
    [MemberData(nameof(Files))]
    public async Task Sipp_sees_what_the_RFC_says(string scenario)
    {
        var fault = await stage.RunAsync(scenario);
        Assert.True(fault is null, fault);
    }

    [Fact]
    public void Every_scenario_file_is_in_the_table()
    {
        var files = Directory.GetFiles(Repository.PathOf("tests", "Sentiric.Scenarios", "sipp"), "rfc*.xml").Select(file => Path.GetFileNameWithoutExtension(file));
        Assert.Equal(files.Order(StringComparer.Ordinal), RfcScenarios.All.Select(row => row.File).Concat(RfcScenarios.OfTheProduct).Order(StringComparer.Ordinal));
    }
}
