using Sentiric.Phone;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.Scenarios.Phones;

public sealed class CallerScriptTests
{
    public static TheoryData<string> Shipped =>
        [.. Directory.EnumerateFiles(Repository.PathOf("src", "Apps", "Sentiric.Phone", "scripts"), "*.json").Select(f => Path.GetFileName(f)).Order()];

    [Theory]
    [MemberData(nameof(Shipped))]
    public void Every_script_that_is_shipped_can_be_played(string file) =>
        Assert.NotEmpty(CallerScript.Parse(File.ReadAllText(Repository.PathOf("src", "Apps", "Sentiric.Phone", "scripts", file))).Filled());

    [Fact]
    public void Words_in_braces_are_filled_and_may_be_replaced()
    {
        var script = CallerScript.Parse("""{ "values": { "day": "salı" }, "steps": [ { "say": "{day} günü" }, { "hang_up": true } ] }""");
        Assert.Equal("salı günü", script.Filled()[0].Say);
        var other = script.With(new Dictionary<string, string> { ["day"] = "cuma" }).Filled()[0];
        Assert.Equal(("cuma günü", "cuma günü"), (other.Say, other.ExpectHeard));
    }

    [Theory]
    [InlineData("A script has 1 to 100 steps.", """{ "steps": [] }""")]
    [InlineData("\"{day}\": there is no value for the word in braces.", """{ "steps": [ { "say": "{day}" } ] }""")]
    [InlineData("Step 2: a step does one thing: say, dtmf, hang_up, abandon or wait_for_hang_up_ms.", """{ "steps": [ { "dtmf": "1" }, { } ] }""")]
    [InlineData("Step 1: a step has one moment: agent_silent, after_ms or while_agent_speaks_ms.", """{ "steps": [ { "say": "a", "silent_ms": 1, "after_ms": 1 } ] }""")]
    [InlineData("Step 1: times are within 0 and 300000 ms.", """{ "steps": [ { "wait_for_hang_up_ms": -1 } ] }""")]
    [InlineData("patience_ms must be within 1000 and 120000.", """{ "patience_ms": 5, "steps": [ { "hang_up": true } ] }""")]
    public void What_makes_no_sense_is_told_with_its_place(string said, string json) =>
        Assert.Equal(said, Assert.Throws<InvalidDataException>(() => CallerScript.Parse(json)).Message);

    [Fact]
    public void A_misspelt_word_is_not_overlooked() =>
        Assert.Contains("sya", Assert.Throws<InvalidDataException>(() => CallerScript.Parse("""{ "steps": [ { "sya": "a" } ] }""")).Message, StringComparison.Ordinal);
}
