using Sentiric.Host.Settings;
using Sentiric.Host.Tests.Kit;
using Sentiric.Media;

namespace Sentiric.Host.Tests.Settings;

public sealed class ReadingSettings
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("all")]
    [InlineData("ALL")]
    [InlineData("gateway,write,read,sip,media,agent,stt,tts")]
    public void Every_role_is_the_default_however_it_is_said(string? text)
    {
        var roles = RoleSet.Parse(text);
        Assert.True(roles.IsAll);
        Assert.Equal("gateway,write,read,sip,media,agent,stt,tts", roles.ToString());
    }

    [Fact]
    public void Roles_are_read_in_any_order_and_case()
    {
        var roles = RoleSet.Parse(" Media, sip ,MEDIA");
        Assert.Equal("sip,media", roles.ToString());
        Assert.True(roles.Has(Role.Sip));
        Assert.False(roles.Has(Role.Agent));
    }

    [Theory]
    [InlineData("sip,tea", "'tea' is not a role")]
    [InlineData("3", "'3' is not a role")]
    [InlineData(",", "names no role")]
    public void A_word_that_is_no_role_stops_the_start(string text, string says)
    {
        var refused = Assert.Throws<SettingsException>(() => RoleSet.Parse(text));
        Assert.Contains(says, refused.Message);
        Assert.Contains("gateway,write,read", refused.Message);
    }

    [Theory]
    [InlineData("tls://127.0.0.1:5061", "Sip__TlsCertificateFile")]
    [InlineData("wss://127.0.0.1:5061", "Sip__TlsCertificateFile")]
    [InlineData("http://127.0.0.1:80", "tls://address:port")]
    [InlineData("udp://somewhere:5060", "udp://address:port")]
    public void A_listener_that_cannot_be_is_told(string listen, string says) =>
        Assert.Contains(says, Assert.Throws<SettingsException>(() => Sentiric.Host.Roles.SipListenText.Parse(listen, null)).Message, StringComparison.Ordinal);

    [Fact]
    public void All_roles_named_one_by_one_need_no_broker_either() =>
        Assert.Null(Given.Settings("gateway,write,read,sip,media,agent,stt,tts", ("ConnectionStrings:Rabbit", null)).Rabbit);

    [Theory]
    [InlineData("ConnectionStrings:Postgres", "")]
    [InlineData("ConnectionStrings:Postgres", "Host")]
    [InlineData("ConnectionStrings:Rabbit", "http://127.0.0.1")]
    [InlineData("ConnectionStrings:Rabbit", "rabbit")]
    [InlineData("Sip:MaxCalls", "0")]
    [InlineData("Sip:MaxCalls", "many")]
    [InlineData("Sip:MaxCalls", "1.5")]
    [InlineData("Sip:AllowedSources", "10.0.0.0/8,home")]
    [InlineData("Sip:WebSocketOrigins", "phone.example")]
    [InlineData("Sip:WebSocketOrigins", "https://phone.example/")]
    [InlineData("Sip:NameServers", "10.0.0.2,dns.example")]
    [InlineData("Media:Address", "localhost")]
    [InlineData("Media:Address", "0.0.0.0")]
    [InlineData("Media:PortRange", "30000")]
    [InlineData("Media:PortRange", "80-90")]
    [InlineData("Media:PortRange", "40000-30000")]
    [InlineData("Media:PortRange", "30000-70000")]
    [InlineData("Media:TimeoutSeconds", "-1")]
    [InlineData("Media:Codecs", "PCMA,G729")]
    [InlineData("Sip:TlsCertificateFile", "/no/such/file.pem")]
    [InlineData("Store:Schema", "Tele-phony")]
    [InlineData("Store:Marten", "7")]
    [InlineData("Store:ForeignWriters", "perhaps")]
    [InlineData("Speech:RemoteUrl", "speech.local")]
    [InlineData("Llm:Url", "ftp://llm")]
    [InlineData("Gateway:RequestsPerMinute", "0")]
    [InlineData("Demo:Seed", "maybe")]
    public void A_wrong_value_stops_the_start_with_a_message_that_names_it(string key, string value)
    {
        var refused = Assert.Throws<SettingsException>(() => Given.Settings("all", (key, value)));
        Assert.Contains(key.Replace(":", "__"), refused.Message);
    }

    [Fact]
    public void A_wrong_connection_string_does_not_show_its_password()
    {
        var refused = Assert.Throws<SettingsException>(() => Given.Settings("all", ("ConnectionStrings:Postgres", "Host=x;Password=s3cret;Port=many")));
        Assert.DoesNotContain("s3cret", refused.Message);
    }

    [Fact]
    public void Roles_in_separate_processes_need_a_broker()
    {
        foreach (var role in new[] { "gateway", "write", "read", "sip", "agent" })
        {
            var refused = Assert.Throws<SettingsException>(() => Given.Settings(role, ("ConnectionStrings:Rabbit", null)));
            Assert.Contains("ConnectionStrings__Rabbit", refused.Message);
        }

        Assert.Null(Given.Settings("media,stt", ("ConnectionStrings:Rabbit", null), ("ConnectionStrings:Postgres", null)).Rabbit);
    }

    [Fact]
    public void The_address_of_another_role_is_needed_when_it_is_asked_for()
    {
        var settings = Given.Settings("sip", ("Services:Media", "http://127.0.0.1:8083"));
        Assert.Equal(new Uri("http://127.0.0.1:8083/"), settings.Service(Role.Media));
        Assert.Null(settings.Service(Role.Sip));
        Assert.Contains("Services__Write", Assert.Throws<SettingsException>(() => settings.Service(Role.Write)).Message);
    }

    [Fact]
    public void Codecs_are_read_in_their_order_each_once_and_Opus_only_where_it_is_named()
    {
        Assert.Equal([AudioCodec.Pcma, AudioCodec.Pcmu, AudioCodec.G722], Given.Settings("all").Codecs);
        Assert.Equal([AudioCodec.Opus, AudioCodec.Pcmu], Given.Settings("all", ("Media:Codecs", "OPUS, pcmu,opus")).Codecs);
        Assert.Contains("PCMA, PCMU, G722, opus", Assert.Throws<SettingsException>(() => Given.Settings("all", ("Media:Codecs", "speex"))).Message);
    }

    [Fact]
    public void The_defaults_suit_one_machine()
    {
        var settings = Given.Settings("all");
        Assert.Equal(((30_000, 31_999), 20, 500, false), (settings.MediaPorts, settings.MediaTimeoutSeconds, settings.SipMaxCalls, settings.SeedDemo));
        Assert.Equal(["127.0.0.0/8", "::1/128"], settings.SipAllowedSources.Select(n => n.ToString()));
        Assert.Equal((0, 0), Given.Settings("all", ("Media:PortRange", "0")).MediaPorts);
        Assert.Equal("10.1.2.3/32", Assert.Single(Given.Settings("all", ("Sip:AllowedSources", "10.1.2.3")).SipAllowedSources).ToString());
    }
}
