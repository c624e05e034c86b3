using Sentiric.Host.Ports;
using Sentiric.Host.Tests.Kit;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Ports;

public sealed class AskingForTrunks
{
    [Fact]
    public async Task A_gateway_hears_of_the_trunks_of_a_sip_role_elsewhere()
    {
        await using var sip = await LoopbackApp.StartAsync(app => TrunksPort.Map(app, new Fakes()), Given.WireJson);
        Assert.Equal(Fakes.Trunks, await new TrunksPort(ServiceClients.ClientFor(sip.Address, Given.ServiceKey)).ListAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_sip_role_that_is_away_is_said_to_be() => await Assert.ThrowsAsync<ServiceUnavailableException>(async () =>
        await new TrunksPort(ServiceClients.ClientFor(new Uri("http://127.0.0.1:1/"), Given.ServiceKey)).ListAsync(CancellationToken.None));
}
