using System.Net;
using Sentiric.Contracts.Events;
using Sentiric.Write.Connectors;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests.Connectors;

public sealed class ConnectorDecisions
{
    private static readonly Dictionary<string, string> Settings = Calendars.Settings;
    private static readonly ConnectorRegistered Registered = new(Given.Earlier, "takvim", ConnectorKind.Calendar, Settings);

    private static Connector None => Given.Nothing<Connector>();

    private static Connector Takvim => Given.Facts<Connector>(Registered);

    [Fact]
    public void A_connector_is_registered() =>
        new RegisterConnector("takvim", ConnectorKind.Calendar, Settings).Decide(None, Given.Now).Says(Registered with { At = Given.Now });

    [Fact]
    public void Registering_it_again_is_quiet() => new RegisterConnector("takvim", ConnectorKind.Calendar, Settings).Decide(Takvim, Given.Now).IsQuiet();

    [Theory]
    [InlineData("open_from", "9")]
    [InlineData("open_to", "08:00")]
    [InlineData("slot_minutes", "0")]
    [InlineData("slot_minutes", "600")]
    [InlineData("slot_minutes", "-30")]
    [InlineData("time_zone", "Istanbul")]
    [InlineData("open_days", "mon-someday")]
    [InlineData("open_days", "")]
    [InlineData("language", "de")]
    public void A_calendar_with_a_wrong_setting_is_refused(string name, string value)
    {
        var settings = new Dictionary<string, string>(Settings) { [name] = value };
        var decision = new RegisterConnector("takvim", ConnectorKind.Calendar, settings).Decide(None, Given.Now);
        decision.Refuses(value.Length == 0 ? "connector.invalid" : "connector.bad_setting");
    }

    [Theory]
    [InlineData("http://user:pass@example.org/")]
    [InlineData("ftp://example.org/")]
    [InlineData("/relative")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://[::1]/")]
    [InlineData("http://2130706433/")]
    public void An_address_that_a_connector_may_not_have_is_refused(string url) =>
        new RegisterConnector("crm", ConnectorKind.Http, new Dictionary<string, string> { ["url"] = url }).Decide(None, Given.Now).Refuses("connector.bad_setting");

    [Fact]
    public void A_private_address_is_taken_when_it_is_meant() => Assert.True(
        HttpSettings.Parse(new Dictionary<string, string> { ["url"] = "http://127.0.0.1:8080/hook", ["allow_private"] = "true" }).Ok);

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("172.15.0.1", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("192.168.0.1", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("::", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("2002:a00:1::", false)]
    public void Only_the_public_internet_is_public(string address, bool isPublic) => Assert.Equal(isPublic, PublicAddress.Is(IPAddress.Parse(address)));

    [Fact]
    public void A_connector_is_removed() => new RemoveConnector("takvim").Decide(Takvim, Given.Now).Says(new ConnectorRemoved(Given.Now, "takvim"));

    [Fact]
    public void Removing_it_again_is_quiet() =>
        new RemoveConnector("takvim").Decide(Given.Facts<Connector>(Registered, new ConnectorRemoved(Given.Earlier, "takvim")), Given.Now).IsQuiet();

    [Fact]
    public void An_unknown_connector_is_not_removed() => new RemoveConnector("takvim").Decide(None, Given.Now).Refuses("connector.unknown");
}
