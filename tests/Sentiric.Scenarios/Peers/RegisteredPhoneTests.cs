using System.Net;
using System.Net.Http.Json;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Services;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Peers;

/// <summary>A foreign telephone in the list of registrations of the whole platform.</summary>
[Collection(Lanes.Calls)]
[Trait("Category", "Slow")]
public sealed class RegisteredPhoneTests(SharedPlatform shared) : IAsyncLifetime
{
    private const string Password = "sesli-harfler-8";
    private static readonly TimeSpan Microphone = TimeSpan.FromSeconds(1);
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-listed-").FullName;
    private readonly string name = "desk-" + Guid.NewGuid().ToString("N")[..8];

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return Task.CompletedTask;
    }

    [PlatformFact("linphonec")]
    public async Task Linphone_is_listed_while_it_is_registered_and_gone_when_it_goes_or_is_thrown_out()
    {
        var platform = await shared.GetAsync();
        var api = platform.Api.Http;
        var id = Guid.CreateVersion7();
        Assert.Equal(HttpStatusCode.Created, (await api.PostAsJsonAsync("v1/users", new { user_id = id, name = "Masa", type = "agent" })).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await api.PutAsJsonAsync($"v1/users/{id}/sip-credentials/sentiric/{name}", new { password = Password })).StatusCode);
        await RowAsync(platform, TelephoneState.NotRegistered);

        await using var linphone = await LinphonePeer.StartAsync(folder, Melody.Repeated(1, Microphone));
        var row = await RegisteredAsync(linphone, platform);
        Assert.Equal(("Masa", "udp", "127.0.0.1", linphone.Port), (row.UserName, row.Transport, row.SourceAddress, row.SourcePort));
        Assert.Contains("linphone", row.UserAgent ?? "", StringComparison.OrdinalIgnoreCase);
        Assert.InRange(row.ExpiresInSeconds ?? 0, 1, 24 * 3600);
        Assert.NotNull(row.RegisteredAt);

        await linphone.TypeAsync("unregister");
        await RowAsync(platform, TelephoneState.NotRegistered, linphone);
        row = await RegisteredAsync(linphone, platform);
        Assert.Equal(HttpStatusCode.NoContent, (await api.DeleteAsync("v1/registrations/" + Uri.EscapeDataString(row.Id ?? ""))).StatusCode);
        await RowAsync(platform, TelephoneState.NotRegistered);
    }

    private async Task<RegistrationRow> RegisteredAsync(LinphonePeer linphone, RunningPlatform platform)
    {
        await linphone.TypeAsync($"register sip:{name}@sentiric sip:127.0.0.1:{platform.SipPort} {Password}");
        return await RowAsync(platform, TelephoneState.Registered, linphone);
    }

    /// <summary>The one row of the extension, once it is in this state. linphonec goes on when it is asked something.</summary>
    private Task<RegistrationRow> RowAsync(RunningPlatform platform, TelephoneState state, LinphonePeer? linphone = null) => Until.AsksAsync(
        $"{name} to be {state}",
        async () =>
        {
            await (linphone?.TypeAsync("status register") ?? Task.CompletedTask);
            return (await platform.Api.GetAsync<Page<RegistrationRow>>($"registrations?extension={name}")).Items is [var row] && row.State == state ? row : null;
        },
        Calling.Patience, () => linphone?.Said ?? "");
}
