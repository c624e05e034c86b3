using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Sentiric.Calls;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Services;
using Sentiric.Sip;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Api;

/// <summary>Telephones that register over SIP, seen and thrown out over HTTP.</summary>
public sealed class RegisteredPhones(Unbounded platform) : IClassFixture<Unbounded>
{
    private const string Password = "sesli-harfler-8";

    private HttpClient Client => platform.App.Client;

    [Fact]
    public async Task A_telephone_is_listed_while_it_is_registered_and_its_extension_afterwards()
    {
        var name = await ExtensionAsync();
        Assert.Equal(("not_registered", null), StateOf(await RowAsync(name, TelephoneState.NotRegistered)));
        await using var phone = await PhoneAsync("Deneme Telefonu/1.0");
        var before = TimeProvider.System.GetUtcNow();
        Assert.Equal(200, await RegisterAsync(phone, name, 600));
        var row = await RowAsync(name, TelephoneState.Registered);
        Assert.Equal(("Deneme Telefonu/1.0", "udp", "127.0.0.1", phone.Bindings[0].Address.Port), (row.UserAgent, row.Transport, row.SourceAddress, row.SourcePort));
        Assert.Equal(("sip:" + name + "@sentiric", $"sip:{name}@{phone.Bindings[0].Address}"), (row.AddressOfRecord, row.Contact));
        Assert.InRange(row.ExpiresInSeconds ?? 0, 540, 600);
        Assert.InRange(row.RegisteredAt ?? default, before, TimeProvider.System.GetUtcNow());
        Assert.False(string.IsNullOrEmpty(row.CallId));

        Assert.Equal(200, await RegisterAsync(phone, name, 0));
        Assert.Equal(("not_registered", null), StateOf(await RowAsync(name, TelephoneState.NotRegistered)));
    }

    [Fact]
    public async Task A_telephone_that_is_thrown_out_is_gone_at_once_comes_back_and_the_log_names_who_did_it()
    {
        var name = await ExtensionAsync();
        await using var phone = await PhoneAsync("x");
        Assert.Equal(200, await RegisterAsync(phone, name, 600));
        var id = (await RowAsync(name, TelephoneState.Registered)).Id!;
        Assert.Equal(HttpStatusCode.NoContent, (await Client.DeleteAsync("/v1/registrations/" + Uri.EscapeDataString(id))).StatusCode);
        Assert.Equal(TelephoneState.NotRegistered, Assert.Single((await ListAsync($"?extension={name}")).Items).State);
        Assert.Equal(HttpStatusCode.NoContent, (await Client.DeleteAsync("/v1/registrations/" + name)).StatusCode);
        Assert.Equal(200, await RegisterAsync(phone, name, 600));
        Assert.Equal(id, (await RowAsync(name, TelephoneState.Registered)).Id);

        using var limit = new CancellationTokenSource(Soon.Patience);
        string log;
        do
        {
            Assert.False(limit.IsCancellationRequested, "Waited for the removal in the log.");
            log = await Client.GetStringAsync("/v1/events/tail?tenant=*&type=sip.unregistered&after=0&follow=false");
        }
        while (!log.Contains(name, StringComparison.Ordinal));
        Assert.Contains("\"actor\":\"key:admin\"", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_comes_in_pages_filtered_and_only_for_its_tenant()
    {
        var names = new[] { await ExtensionAsync(), await ExtensionAsync(), await ExtensionAsync() }.Order(StringComparer.Ordinal).ToList();
        foreach (var name in names)
        {
            await RowAsync(name, TelephoneState.NotRegistered);
        }

        var (told, path) = (new List<string>(), "?extension=ext-*&limit=1");
        for (var page = await ListAsync(path); ; page = await ListAsync($"{path}&cursor={Uri.EscapeDataString(page.Next)}"))
        {
            told.AddRange(page.Items.Select(row => row.Extension));
            if (page.Next is null)
            {
                break;
            }
        }

        Assert.Equal(names, told.Where(names.Contains));
        Assert.Equal(told, told.Distinct());
        Assert.DoesNotContain((await ListAsync("?state=registered")).Items, row => names.Contains(row.Extension));
        Assert.Empty((await ListAsync("?extension=nobody")).Items);
        Assert.Empty((await ListAsync("?tenant=another")).Items);
        Assert.Equal((HttpStatusCode.NotFound, "registration.unknown"), await ProblemAsync(await Client.DeleteAsync($"/v1/registrations/{names[0]}?tenant=another")));
        Assert.Equal((HttpStatusCode.NotFound, "registration.unknown"), await ProblemAsync(await Client.DeleteAsync("/v1/registrations/nobody")));
        Assert.Equal((HttpStatusCode.BadRequest, "request.invalid"), await ProblemAsync(await Client.GetAsync("/v1/registrations?state=lost")));
        Assert.Equal((HttpStatusCode.BadRequest, "request.invalid"), await ProblemAsync(await Client.GetAsync("/v1/registrations?limit=many")));
    }

    /// <summary>A user with a name and a password for a telephone; the name.</summary>
    private async Task<string> ExtensionAsync()
    {
        var (id, name) = (Guid.CreateVersion7(), "ext-" + Guid.NewGuid().ToString("N")[..8]);
        Assert.Equal(HttpStatusCode.Created, (await Client.PostAsJsonAsync("/v1/users", new { user_id = id, name, type = "agent" })).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await Client.PutAsJsonAsync($"/v1/users/{id}/sip-credentials/sentiric/{name}", new { password = Password })).StatusCode);
        return name;
    }

    private static Task<SipEndpoint> PhoneAsync(string userAgent) => SipEndpoint.StartAsync(new SipEndpointOptions { Listen = [SipListen.Udp("127.0.0.1")], UserAgentName = userAgent }, new Nobody());

    private async Task<int> RegisterAsync(SipEndpoint phone, string name, int seconds)
    {
        var there = platform.App.Services.GetRequiredService<SipRole>().Bindings.First(b => b.Transport == SipTransportKind.Udp).Address;
        var user = NameAddr.Create(null, SipUri.Create(name, "sentiric"));
        return (await Soon.Within(phone.RequestAsync(new OutgoingRequest
        {
            Method = SipMethod.Register, Target = SipUri.Parse($"sip:{there}"), From = user, To = user, Headers = [new("Expires", $"{seconds}")], WithContact = true,
            Credentials = new SipCredentials(name, Password),
        }), "the answer to the REGISTER")).StatusCode;
    }

    /// <summary>The one row of the extension, once the directory has read of it and it is in this state.</summary>
    private async Task<RegistrationRow> RowAsync(string name, TelephoneState state)
    {
        using var limit = new CancellationTokenSource(Soon.Patience);
        while (true)
        {
            var rows = (await ListAsync($"?extension={name}")).Items;
            if (rows is [var row] && row.State == state)
            {
                return row;
            }

            Assert.False(limit.IsCancellationRequested, $"Waited for {name} to be {state}: {string.Join('\n', rows)}");
        }
    }

    private async Task<Page<RegistrationRow>> ListAsync(string query) => (await Client.GetFromJsonAsync<Page<RegistrationRow>>("/v1/registrations" + query, Wire.Json))!;

    private static (string, string?) StateOf(RegistrationRow row) => (JsonSerializer.Serialize(row.State, Wire.Json).Trim('"'), row.Id);

    private static async Task<(HttpStatusCode, string?)> ProblemAsync(HttpResponseMessage response) =>
        (response.StatusCode, (await response.Content.ReadFromJsonAsync<ProblemBody>(Wire.Json))?.Code);

    private sealed class Nobody : ISipApplication
    {
        public Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping) => invite.RejectAsync(486);
    }
}
