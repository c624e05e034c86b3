using Xunit;

namespace Sentiric.Cli.Tests;

public sealed class ArgumentsTests
{
    [Fact]
    public void Words_options_and_flags_are_told_apart()
    {
        var told = Parse("resolve", "--to", "+90212", "--at=2026-03-01T09:30:00+03:00", "--json", "--", "--to");
        Assert.Equal(["resolve", "--to"], told.Words);
        Assert.Equal("+90212", told.Option("--to"));
        Assert.Equal("2026-03-01T09:30:00+03:00", told.Option("--at"));
        Assert.True(told.Has("--json"));
        Assert.Null(told.Option("--say"));
    }

    [Fact]
    public void An_option_may_come_several_times() => Assert.Equal(["a", "b"], Parse("--say", "a", "--say", "b").All("--say"));

    [Fact]
    public void A_value_may_begin_with_a_minus() => Assert.Equal("-5", Parse("--to", "-5").Option("--to"));

    [Theory]
    [InlineData("There is no option --nope here.", "--nope")]
    [InlineData("--to takes a value.", "--to")]
    [InlineData("There is no option --json here.", "--json=yes")]
    public void What_cannot_be_understood_is_named(string said, params string[] args) =>
        Assert.Equal(said, Assert.Throws<UsageException>(() => Parse(args)).Message);

    [Fact]
    public void Numbers_and_ids_are_checked()
    {
        Assert.Equal(7, Parse("--to", "7").Number("--to", 1, 1, 10));
        Assert.Throws<UsageException>(() => Parse("--to", "11").Number("--to", 1, 1, 10));
        Assert.Throws<UsageException>(() => Parse("x").Id(0, "call id"));
        Assert.Equal("the assistant is missing.", Assert.Throws<UsageException>(() => Parse().Word(0, "the assistant")).Message);
    }

    private static Arguments Parse(params string[] args) => Arguments.Parse(args, ["--to", "--at", "--say"], ["--json"]);
}
