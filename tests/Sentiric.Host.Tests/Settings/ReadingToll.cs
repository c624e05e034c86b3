using Sentiric.Host.Settings;
using Sentiric.Host.Tests.Kit;
using Sentiric.Sip;

namespace Sentiric.Host.Tests.Settings;

public sealed class ReadingToll
{
    [Fact]
    public void The_rules_for_all_calls_and_those_of_one_trunk_are_read()
    {
        var sip = Read(
            ("Sip:Toll:Allow", "+90, 49"), ("Sip:Toll:Deny", "90900"), ("Sip:Toll:MaxConcurrent", "3"), ("Sip:Toll:MinutesPerDay", "90"), ("Sip:Toll:MinutesPerCall", "15"),
            ("Sip:Toll:TimeZone", "Europe/Istanbul"), ("Sip:Trunks:0:Name", "carrier"), ("Sip:Trunks:0:Toll:Deny", "49"), ("Sip:Trunks:0:Toll:MaxConcurrent", "1"));
        Assert.Equal(["90", "49"], sip.Toll.Allow);
        Assert.Equal(["90900"], sip.Toll.Deny);
        Assert.Equal((3, TimeSpan.FromMinutes(90), TimeSpan.FromMinutes(15), "Europe/Istanbul"), (sip.Toll.MaxConcurrent, sip.Toll.MaxPerDay, sip.Toll.MaxCall, sip.Toll.Zone.Id));
        var own = sip.Trunks.All[0].Toll ?? throw new InvalidOperationException("The trunk has no rules of its own.");
        Assert.Equal([""], own.Allow);
        Assert.Equal(["49"], own.Deny);
        Assert.Equal(1, own.MaxConcurrent);
    }

    [Fact]
    public void Without_rules_nothing_may_be_called()
    {
        var sip = Read(("Sip:Trunks:0:Name", "carrier"));
        Assert.Equal(TollRefusal.Prefix, new TollPolicy(sip.Toll, TimeProvider.System).Check("+905321112233"));
        Assert.Null(sip.Trunks.All[0].Toll);
    }

    [Fact]
    public void A_star_allows_every_number() =>
        Assert.Equal(TollRefusal.None, new TollPolicy(Read(("Sip:Toll:Allow", "*")).Toll, TimeProvider.System).Check("+15550001122"));

    [Theory]
    [InlineData("Sip:Toll:Allow", "Almanya")]
    [InlineData("Sip:Toll:Allow", "+")]
    [InlineData("Sip:Toll:Deny", "90-900")]
    [InlineData("Sip:Toll:MaxConcurrent", "-1")]
    [InlineData("Sip:Toll:MinutesPerDay", "viel")]
    [InlineData("Sip:Toll:MinutesPerCall", "0")]
    [InlineData("Sip:Toll:TimeZone", "Ankara")]
    [InlineData("Sip:Toll:Minutes", "5")]
    [InlineData("Sip:Trunks:0:Toll:Allow", "x")]
    [InlineData("Sip:Trunks:0:Toll:Colour", "red")]
    [InlineData("Sip:Trunks:0:Refer", "maybe")]
    public void A_wrong_value_names_its_setting(string key, string value)
    {
        var refused = Assert.Throws<SettingsException>(() => Read(("Sip:Trunks:0:Name", "carrier"), (key, value)));
        Assert.Contains(key.Replace(":", "__", StringComparison.Ordinal), refused.Message, StringComparison.Ordinal);
    }

    private static SipSettings Read(params (string Key, string? Value)[] values) => Given.Settings("sip", values).Sip;
}
