using System.Collections.Concurrent;
using Sentiric.Scenarios.Kit;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Peers;

/// <summary>Foreign telephones at our registrar.</summary>
[Trait("Category", "Slow")]
public sealed class RegistrationTests : IAsyncLifetime
{
    private const string Realm = "sentiric", User = "ayse", Password = "sesli-harfler-8", Address = "sip:ayse@sentiric";
    private static readonly TimeSpan Microphone = TimeSpan.FromSeconds(1);
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-registering-").FullName;
    private readonly MemoryCredentialStore accounts = new();
    private readonly MemoryLocationStore locations = new();
    private readonly ConcurrentQueue<SipRegistration> told = new();
    private LinphonePeer linphone = null!;

    public async Task InitializeAsync()
    {
        accounts.Put(SipAccount.Create(Realm, User, Password, Address));
        linphone = await LinphonePeer.StartAsync(folder, Melody.Repeated(1, Microphone));
    }

    public async Task DisposeAsync()
    {
        await linphone.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>By a registrar that offers nothing else, so that its 200 is the proof.</summary>
    [PeerTheory("linphonec")]
    [InlineData(DigestAlgorithm.Sha256)]
    [InlineData(DigestAlgorithm.Md5)]
    public async Task Linphone_registers_by_digest_and_goes_again(DigestAlgorithm algorithm)
    {
        await using var registrar = await StartAsync(algorithm);
        await RegisterAsync(registrar, Password);
        await ToldAsync(200);
        Assert.Equal(linphone.Port, Assert.Single(await locations.FindAsync(Address, CancellationToken.None)).Contact.Port);
        Assert.Equal(401, told.First().StatusCode);
        await linphone.TypeAsync("unregister");
        await Until.TrueAsync("the contact to be gone", async () => (await locations.FindAsync(Address, CancellationToken.None)).Count == 0, Calling.Patience, () => linphone.Said);
    }

    [PeerFact("linphonec")]
    public async Task Linphone_with_a_wrong_password_stays_outside()
    {
        await using var registrar = await StartAsync(DigestAlgorithm.Sha256);
        await RegisterAsync(registrar, "another one");
        await Until.TrueAsync("the wrong password to be refused", () => Task.FromResult(told.Count(r => r.UserName == User) > 0), Calling.Patience, () => linphone.Said);
        Assert.All(told, r => Assert.NotEqual(200, r.StatusCode));
        Assert.Empty(await locations.FindAsync(Address, CancellationToken.None));
    }

    private Task RegisterAsync(SipEndpoint registrar, string password) => linphone.TypeAsync($"register {Address} sip:{registrar.Binding(SipTransportKind.Udp).Address} {password}");

    private Task ToldAsync(int status) => Until.TrueAsync(
        $"a REGISTER that is answered with {status}", () => Task.FromResult(told.Any(r => r.StatusCode == status)), Calling.Patience,
        () => $"{string.Join('\n', told)}\n{linphone.Said}");

    private Task<SipEndpoint> StartAsync(DigestAlgorithm algorithm) => SipEndpoint.StartAsync(
        new SipEndpointOptions
        {
            Listen = [SipListen.Udp("127.0.0.1")],
            Registrar = new Registrar(new DigestServer(Realm, accounts, TimeProvider.System, null, [algorithm]), locations, TimeProvider.System, told: told.Enqueue),
        },
        new Nobody());

    private sealed class Nobody : ISipApplication
    {
        public Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping) => invite.RejectAsync(486);
    }
}
