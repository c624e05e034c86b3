using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sentiric.Host.Settings;
using Sentiric.Host.Tests.Kit;
using Sentiric.Testing;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Api;

/// <summary>Processes that hold some of the roles; the others are addresses.</summary>
public sealed class RolesApart
{
    private static readonly string[] All = ["write", "read", "sip", "media", "agent", "stt", "tts"];

    [Theory]
    [InlineData("gateway")]
    [InlineData("write")]
    [InlineData("read")]
    [InlineData("sip")]
    [InlineData("media")]
    [InlineData("agent")]
    [InlineData("stt")]
    [InlineData("tts")]
    [InlineData("write,read")]
    [InlineData("sip,media")]
    [InlineData("agent,stt,tts")]
    public async Task Every_role_can_be_composed_without_the_others(string roles)
    {
        await using var app = Composition.Build([], builder => Configure(builder, roles));
        Assert.NotEmpty(app.Services.GetServices<IHostedService>());
        Assert.Equal(roles, app.Services.GetRequiredService<HostSettings>().Roles.ToString());
    }

    [Theory]
    [InlineData("sip", "Services:Write")]
    [InlineData("agent", "Services:Stt")]
    [InlineData("gateway", "Services:Agent")]
    [InlineData("media", "Services:Key")]
    [InlineData("sip", "Sip:Listen")]
    public void A_process_that_lacks_an_address_does_not_start_and_names_it(string roles, string key)
    {
        var refused = Assert.Throws<SettingsException>(() => Composition.Build([], builder => Configure(builder, roles, (key, key == "Sip:Listen" ? "here" : ""))));
        Assert.Contains(key.Replace(":", "__"), refused.Message);
    }

    [Fact]
    public async Task A_gateway_alone_serves_the_approved_document_and_says_who_is_away()
    {
        await using var gateway = await LoopbackApp.StartAsync(Composition.Build([], builder => Configure(builder, "gateway")));
        Assert.Equal(
            await File.ReadAllTextAsync(Repository.PathOf("src", "Apps", "Sentiric.Host", "openapi.v1.json")), await gateway.Client.GetStringAsync("/openapi/v1.json"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/calls") { Headers = { { "X-Service-Key", Given.ServiceKey } } };
        using var response = await gateway.Client.SendAsync(request);
        Assert.Equal(503, (int)response.StatusCode);
        Assert.Contains("service.unavailable", await response.Content.ReadAsStringAsync());
    }

    private static void Configure(Microsoft.AspNetCore.Builder.WebApplicationBuilder builder, string roles, params (string, string?)[] more)
    {
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddConfiguration(Given.Whole(
        [
            ("roles", roles), ("Speech:RemoteUrl", "http://127.0.0.1:1/"), ("Sip:Listen", "udp://127.0.0.1:0"),
            .. All.Select(r => ($"Services:{r}", (string?)"http://127.0.0.1:1")), .. more,
        ]));
    }
}
