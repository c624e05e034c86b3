using Sentiric.Host.Settings;
using Sentiric.Host.Tests.Kit;
using Sentiric.Sip;

namespace Sentiric.Host.Tests.Settings;

public sealed class ReadingSight
{
    [Fact]
    public void Nothing_is_kept_and_nothing_is_mirrored_unless_somebody_says_so()
    {
        var sip = Given.Settings("sip").Sip;
        Assert.Equal((false, null), (sip.KeepsMessages, sip.Hep));
        Assert.True(Given.Settings("sip", ("Sip:KeepMessages", "true")).Sip.KeepsMessages);
    }

    [Theory]
    [InlineData("10.0.0.9:9060", "10.0.0.9", 9060)]
    [InlineData("[2001:db8::9]:9060", "2001:db8::9", 9060)]
    [InlineData("homer.example:9", "homer.example", 9)]
    public void A_capture_server_is_read_with_all_that_it_asks_for(string text, string host, int port) =>
        Assert.Equal(
            new HepOptions(host, port) { CaptureId = 4_294_967_295, Password = "gizli" },
            Given.Settings("sip", ("Sip:HepServer", text), ("Sip:HepCaptureId", "4294967295"), ("Sip:HepPassword", "gizli")).Sip.Hep);

    [Theory]
    [InlineData("Sip__HepServer", "Sip:HepServer", "10.0.0.9")]
    [InlineData("Sip__HepServer", "Sip:HepServer", "10.0.0.9:0")]
    [InlineData("Sip__HepServer", "Sip:HepServer", "10.0.0.9:70000")]
    [InlineData("Sip__HepServer", "Sip:HepServer", "2001:db8::9:9060")]
    [InlineData("Sip__HepServer", "Sip:HepServer", ":9060")]
    [InlineData("Sip__HepServer", "Sip:HepServer", "udp://10.0.0.9:9060")]
    [InlineData("Sip__HepServer", "Sip:HepCaptureId", "7")]
    [InlineData("Sip__HepServer", "Sip:HepPassword", "gizli")]
    [InlineData("Sip__HepCaptureId", "Sip:HepCaptureId", "-1", "10.0.0.9:9060")]
    [InlineData("Sip__HepCaptureId", "Sip:HepCaptureId", "4294967296", "10.0.0.9:9060")]
    [InlineData("Sip__KeepMessages", "Sip:KeepMessages", "yes")]
    public void A_wrong_value_stops_the_start_and_names_its_setting(string named, string key, string value, string? server = null)
    {
        var refused = Assert.Throws<SettingsException>(() => Given.Settings("sip", ("Sip:HepServer", server), (key, value)));
        Assert.StartsWith(named, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("gizli", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_that_is_too_long_is_refused_without_being_told()
    {
        var refused = Assert.Throws<SettingsException>(() => Given.Settings("sip", ("Sip:HepServer", "10.0.0.9:9060"), ("Sip:HepPassword", new string('p', 256))));
        Assert.StartsWith("Sip__HepPassword is longer", refused.Message, StringComparison.Ordinal);
    }
}
