using System.Net;
using Sentiric.Host.Settings;
using Sentiric.Host.Tests.Kit;
using Sentiric.Sip;

namespace Sentiric.Host.Tests.Settings;

public sealed class ReadingTrunks
{
    [Fact]
    public void A_trunk_is_read_with_all_that_it_says()
    {
        var trunk = Assert.Single(Read(
            ("Name", "carrier"), ("Sources", "203.0.113.0/24, 198.51.100.7"), ("Target", "sip:carrier.example;transport=tcp"), ("User", "100"), ("Password", "gizli"),
            ("Register", "true"), ("ExpiresSeconds", "600"), ("InboundUser", "them"), ("InboundPassword", "theirs"), ("Trusted", "true"), ("Priority", "2"), ("Weight", "5"),
            ("OptionsSeconds", "30"), ("Codecs", "PCMA,PCMU"), ("TelephoneEvent", "false"), ("RecordRoute", "false"), ("Identity", "ppi")).All);
        Assert.Equal(("carrier", true, 2, 5, TimeSpan.FromSeconds(30)), (trunk.Name, trunk.IsTrusted, trunk.Priority, trunk.Weight, trunk.OptionsEvery));
        Assert.Equal([IPNetwork.Parse("203.0.113.0/24"), IPNetwork.Parse("198.51.100.7/32")], trunk.Sources);
        Assert.Equal(("sip:100@carrier.example", TimeSpan.FromMinutes(10)), (trunk.Registration?.AddressOfRecord.ToString(), trunk.Registration!.Expires));
        Assert.Equal((false, false, TrunkIdentityHeader.PPreferredIdentity, 2), (trunk.Profile.TelephoneEvent, trunk.Profile.EchoesRecordRoute, trunk.Profile.Identity, trunk.Profile.Codecs.Count));
        Assert.Equal("them", trunk.Inbound?.UserName);
    }

    [Fact]
    public void Without_trunks_there_are_none() => Assert.Empty(Given.Settings("sip").Sip.Trunks.All);

    [Theory]
    [InlineData("Sources", "10.0.0.0/40")]
    [InlineData("Sources", "carrier.example")]
    [InlineData("Target", "carrier.example")]
    [InlineData("Target", "tel:+90")]
    [InlineData("User", "100", "Sip__Trunks__0__Password")]
    [InlineData("Register", "true")]
    [InlineData("Register", "yes")]
    [InlineData("InboundUser", "them", "Sip__Trunks__0__InboundPassword")]
    [InlineData("Weight", "-1")]
    [InlineData("OptionsSeconds", "99999")]
    [InlineData("Identity", "from")]
    [InlineData("Codecs", "PCMA,G729")]
    [InlineData("Name", "")]
    [InlineData("Colour", "red")]
    public void A_wrong_value_names_its_setting(string key, string value, string? named = null)
    {
        var refused = Assert.Throws<SettingsException>(() => Read(("Name", "carrier"), (key, value)));
        Assert.Contains(named ?? $"Sip__Trunks__0__{key}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_is_never_repeated()
    {
        var refused = Assert.Throws<SettingsException>(() => Read(("Name", "carrier"), ("Password", "gizli"), ("Register", "true")));
        Assert.DoesNotContain("gizli", refused.Message, StringComparison.Ordinal);
    }

    private static TrunkTable Read(params (string Key, string Value)[] values) => Given.Settings("sip", [.. values.Select(v => ("Sip:Trunks:0:" + v.Key, (string?)v.Value))]).Sip.Trunks;
}
