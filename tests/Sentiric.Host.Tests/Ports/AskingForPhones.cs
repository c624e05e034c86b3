using Sentiric.Contracts;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Services;
using Sentiric.Host.Ports;
using Sentiric.Host.Tests.Kit;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Ports;

/// <summary>A gateway, a sip role and a read role apart.</summary>
public sealed class AskingForPhones : IRegistrations, IExtensions
{
    private static readonly RegistrationRow Away = new("mehmet", "elsewhere", Guid.Empty, "Mehmet", TelephoneState.NotRegistered, true, true);

    private static readonly RegistrationRow There = new(
        "ayse", "sentiric", Guid.Empty, "Ayşe", TelephoneState.Registered, false, false, "ayse:0123456789ab", "sip:ayse@sentiric", "sip:ayse@10.0.0.7:5066", "tls", "2001:db8::7", 5061,
        "Yealink \"T46\"", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddHours(1), 3600, 0.5, "call@phone");

    private static readonly Extension Ayse = new("ayse", "sentiric", Guid.Empty, "Ayşe", false);
    private readonly List<object> _asked = [];

    [Fact]
    public async Task A_gateway_hears_of_the_telephones_of_a_sip_role_elsewhere()
    {
        await using var sip = await LoopbackApp.StartAsync(app => RegistrationsPort.Map(app, this), Given.WireJson);
        var port = new RegistrationsPort(ServiceClients.ClientFor(sip.Address, Given.ServiceKey));
        var question = new RegistrationQuestion("demo", "a*", TelephoneState.NotRegistered, 7, "ayse@sentiric");
        var page = await port.ListAsync(question, default);
        Assert.Equal([There, Away], page.Items);
        Assert.Equal("next", page.Next);
        Assert.True((await port.RemoveAsync(new("demo", "ayse:0123456789ab", "key:admin"), default)).Ok);
        Assert.Equal("registration.unknown", (await port.RemoveAsync(new("demo", "nobody", "key:admin"), default)).Refusal?.Code);
        Assert.Equal([question, new RemoveRegistration("demo", "ayse:0123456789ab", "key:admin"), new RemoveRegistration("demo", "nobody", "key:admin")], _asked);
    }

    [Fact]
    public async Task A_sip_role_hears_of_the_extensions_of_a_read_role_elsewhere()
    {
        await using var read = await LoopbackApp.StartAsync(app => ExtensionsPort.Map(app, this), Given.WireJson);
        var question = new ExtensionQuestion("demo", "a*", "ali", "sentiric", 7);
        Assert.Equal([Ayse], await new ExtensionsPort(ServiceClients.ClientFor(read.Address, Given.ServiceKey)).ListAsync(question, default));
        Assert.Equal(question, Assert.Single(_asked));
    }

    [Fact]
    public async Task A_role_that_is_away_is_said_to_be() => await Assert.ThrowsAsync<ServiceUnavailableException>(async () =>
        await new RegistrationsPort(ServiceClients.ClientFor(new Uri("http://127.0.0.1:1/"), Given.ServiceKey)).ListAsync(new("demo", null, null, 1, null), default));

    public ValueTask<Page<RegistrationRow>> ListAsync(RegistrationQuestion question, CancellationToken ct)
    {
        _asked.Add(question);
        return ValueTask.FromResult(new Page<RegistrationRow>([There, Away], "next"));
    }

    public ValueTask<Result<Done>> RemoveAsync(RemoveRegistration request, CancellationToken ct)
    {
        _asked.Add(request);
        return ValueTask.FromResult<Result<Done>>(request.Which == "nobody" ? new Refusal("registration.unknown", "No.") : Done.It);
    }

    public ValueTask<IReadOnlyList<Extension>> ListAsync(ExtensionQuestion question, CancellationToken ct)
    {
        _asked.Add(question);
        return ValueTask.FromResult<IReadOnlyList<Extension>>([Ayse]);
    }
}
