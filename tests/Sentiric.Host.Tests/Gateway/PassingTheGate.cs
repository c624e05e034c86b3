using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Sentiric.Contracts;
using Sentiric.Contracts.Services;
using Sentiric.Host.Gateway;
using Sentiric.Host.Settings;
using Sentiric.Host.Tests.Kit;
using Sentiric.Testing;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Gateway;

/// <summary>Who may come in at the one door of the API, as whom, and what the gateway itself answers.</summary>
public sealed class PassingTheGate : IAsyncLifetime
{
    private const string AdminKey = "the-admin-key";
    private const string ReaderKey = "the-reader-key";
    private const string BoundKey = "the-key-of-one-tenant";
    private readonly string _keyFile = Path.GetTempFileName();
    private readonly ManualTime _clock = new();
    private readonly Fakes _roles = new();
    private LoopbackApp _app = null!;

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(_keyFile, AdminKey + "\n");
        _app = await StartAsync("all");
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        File.Delete(_keyFile);
    }

    [Theory]
    [InlineData("/v1/who")]
    [InlineData("/V1/who")]
    [InlineData("/v1")]
    [InlineData("/v1/no/such/path")]
    public async Task Without_a_key_there_is_a_problem_and_nothing_else(string path)
    {
        Assert.Equal((401, "auth.key_needed"), await AskAsync(HttpMethod.Get, path));
        Assert.Equal((401, "auth.key_needed"), await AskAsync(HttpMethod.Get, path, "Bearer wrong"));
        Assert.Equal((401, "auth.key_needed"), await AskAsync(HttpMethod.Get, path, "Bearer "));
        Assert.Equal((401, "auth.key_needed"), await AskAsync(HttpMethod.Get, path, "Basic " + AdminKey));
    }

    [Theory]
    [InlineData("/internal/who")]
    [InlineData("/INTERNAL/who")]
    [InlineData("/Internal/who/")]
    public async Task The_paths_of_the_roles_are_closed_to_every_API_key(string path)
    {
        Assert.Equal((401, "auth.service_key_needed"), await AskAsync(HttpMethod.Get, path));
        Assert.Equal((401, "auth.service_key_needed"), await AskAsync(HttpMethod.Get, path, "Bearer " + AdminKey));
        Assert.Equal((401, "auth.service_key_needed"), await AskAsync(HttpMethod.Get, path, null, ("X-Service-Key", "wrong")));
        Assert.Equal((200, "acme by key:x"), await AskAsync(HttpMethod.Get, path, null, ("X-Service-Key", Given.ServiceKey), ("X-Sentiric-Tenant", "acme"), ("X-Sentiric-Actor", "key:x")));
    }

    [Fact]
    public async Task The_administrator_works_on_the_default_tenant_or_the_one_that_is_named()
    {
        Assert.Equal((200, "demo by key:admin"), await AskAsync(HttpMethod.Get, "/v1/who", "Bearer " + AdminKey));
        Assert.Equal((200, "acme by key:admin"), await AskAsync(HttpMethod.Get, "/v1/who", "bearer " + AdminKey, ("X-Tenant", "acme")));
        Assert.Equal((200, "acme by key:admin"), await AskAsync(HttpMethod.Get, "/v1/who?tenant=acme", null, ("X-Api-Key", AdminKey)));
        Assert.Equal((200, "demo by key:admin"), await AskAsync(HttpMethod.Post, "/v1/who", "Bearer " + AdminKey));
    }

    [Fact]
    public async Task What_only_roles_may_say_does_not_count_from_outside() => Assert.Equal(
        (200, "demo by key:admin"), await AskAsync(HttpMethod.Get, "/v1/who", "Bearer " + AdminKey, ("X-Sentiric-Tenant", "acme"), ("X-Sentiric-Actor", "ghost")));

    [Fact]
    public async Task A_read_only_key_reads_and_changes_nothing()
    {
        Assert.Equal((200, "demo by key:reader"), await AskAsync(HttpMethod.Get, "/v1/who", "Bearer " + ReaderKey));
        foreach (var method in new[] { HttpMethod.Post, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Patch })
        {
            Assert.Equal((403, "auth.read_only_key"), await AskAsync(method, "/v1/who", "Bearer " + ReaderKey));
        }
    }

    [Theory]
    [InlineData("/v1/calls/01930000-0000-7000-8000-000000000001/listen")]
    [InlineData("/V1/Calls/01930000-0000-7000-8000-000000000001/Listen/")]
    [InlineData("/v1/media/sessions/0193000000007000800000000000001/audio")]
    public async Task A_read_only_key_does_not_hear_a_live_call(string path)
    {
        Assert.Equal((403, "auth.admin_only"), await AskAsync(HttpMethod.Get, path, "Bearer " + ReaderKey));
        Assert.Equal(404, (await AskAsync(HttpMethod.Get, path, "Bearer " + AdminKey)).Status);
    }

    [Fact]
    public async Task D41_a_key_of_one_tenant_opens_no_other()
    {
        Assert.Equal((200, "acme by key:acme-app"), await AskAsync(HttpMethod.Get, "/v1/who", "Bearer " + BoundKey));
        Assert.Equal((403, "auth.other_tenant"), await AskAsync(HttpMethod.Get, "/v1/who", "Bearer " + BoundKey, ("X-Tenant", "demo")));
        Assert.Equal((403, "auth.other_tenant"), await AskAsync(HttpMethod.Get, "/v1/who?tenant=demo", "Bearer " + BoundKey));
    }

    [Theory]
    [InlineData("/v1/tenants")]
    [InlineData("/V1/Projections/CallRecords/rebuild")]
    [InlineData("/v1/events/streams/call-1/truncate")]
    [InlineData("/v1/events/files/archive")]
    [InlineData("/v1/erasures/master-key")]
    public async Task D41_a_key_of_one_tenant_does_nothing_to_the_platform(string path)
    {
        Assert.Equal((403, "auth.platform_only"), await AskAsync(HttpMethod.Post, path, "Bearer " + BoundKey));
        Assert.Equal(404, (await AskAsync(HttpMethod.Post, path, "Bearer " + AdminKey)).Status);
    }

    [Fact]
    public async Task D41_telephones_are_told_to_every_key_of_their_tenant_and_thrown_out_by_those_that_may_change_something()
    {
        Assert.Equal((401, "auth.key_needed"), await AskAsync(HttpMethod.Get, "/v1/registrations"));
        Assert.Equal((403, "auth.other_tenant"), await AskAsync(HttpMethod.Get, "/v1/registrations", "Bearer " + BoundKey, ("X-Tenant", "demo")));
        Assert.Equal((403, "auth.read_only_key"), await AskAsync(HttpMethod.Delete, "/v1/registrations/ayse", "Bearer " + ReaderKey));
        Assert.Equal((200, """{"items":[]}"""), await AskAsync(HttpMethod.Get, "/v1/registrations?extension=a*&state=registered&limit=7&cursor=x", "Bearer " + ReaderKey));
        Assert.Equal((200, """{"items":[]}"""), await AskAsync(HttpMethod.Get, "/v1/registrations", "Bearer " + BoundKey));
        Assert.Equal((204, ""), await AskAsync(HttpMethod.Delete, "/v1/registrations/ayse:0123456789ab", "Bearer " + BoundKey));
        Assert.Equal(
            [new RegistrationQuestion("demo", "a*", TelephoneState.Registered, 7, "x"), new RegistrationQuestion("acme", null, null, 50, null), new RemoveRegistration("acme", "ayse:0123456789ab", "key:acme-app")],
            _roles.Asked);
    }

    [Fact]
    public async Task D41_trunks_are_told_to_keys_of_the_platform_alone()
    {
        Assert.Equal((401, "auth.key_needed"), await AskAsync(HttpMethod.Get, "/v1/trunks"));
        Assert.Equal((403, "auth.platform_only"), await AskAsync(HttpMethod.Get, "/v1/trunks", "Bearer " + BoundKey));
        Assert.Equal((403, "auth.platform_only"), await AskAsync(HttpMethod.Get, "/V1/Trunks", "Bearer " + BoundKey));
        foreach (var key in new[] { AdminKey, ReaderKey })
        {
            var (status, said) = await AskAsync(HttpMethod.Get, "/v1/trunks", "Bearer " + key);
            Assert.Equal(200, status);
            Assert.Equal(
                """[{"name":"carrier","target":"sip:carrier.example","state":"down","since":"1970-01-01T00:00:00+00:00","last_options":{"at":"1970-01-01T00:00:00+00:00","status":503,"reason":"Bakımda"}"""
                + ""","registration":{"state":"registered","status":200,"reason":"OK","until":"1970-01-01T00:00:00+00:00"},"calls":3},{"name":"in-only","state":"unknown","calls":0}]""", said);
        }
    }

    [Fact]
    public async Task A_key_asks_so_often_a_minute_and_the_others_are_not_held_up()
    {
        await using var app = await StartAsync("all", ("Gateway:RequestsPerMinute", "3"));
        for (var n = 1; n <= 4; n++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/who") { Headers = { { "X-Api-Key", ReaderKey } } };
            using var response = await app.Client.SendAsync(request);
            Assert.Equal(n <= 3 ? 200 : 429, (int)response.StatusCode);
            Assert.Equal(n <= 3 ? null : TimeSpan.FromMinutes(1), response.Headers.RetryAfter?.Delta);
        }

        using var other = new HttpRequestMessage(HttpMethod.Get, "/v1/who") { Headers = { { "X-Api-Key", BoundKey } } };
        Assert.Equal(200, (int)(await app.Client.SendAsync(other)).StatusCode);
    }

    [Fact]
    public async Task A_session_cookie_stands_for_its_key_until_it_expires()
    {
        using var opened = await _app.Client.PostAsJsonAsync("/v1/session", new { key = BoundKey });
        var cookie = Assert.Single(opened.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=strict", cookie);
        var value = cookie.Split(';')[0];
        Assert.Equal((200, "acme by key:acme-app"), await AskAsync(HttpMethod.Get, "/v1/who", null, ("Cookie", value)));
        Assert.Equal((401, "auth.key_needed"), await AskAsync(HttpMethod.Get, "/v1/who", null, ("Cookie", value.Replace("acme-app", "admin"))));

        _clock.Advance(TimeSpan.FromHours(12) + TimeSpan.FromSeconds(1));
        Assert.Equal((401, "auth.key_needed"), await AskAsync(HttpMethod.Get, "/v1/who", null, ("Cookie", value)));
    }

    [Fact]
    public async Task A_wrong_key_opens_no_session()
    {
        using var response = await _app.Client.PostAsJsonAsync("/v1/session", new { key = "wrong" });
        Assert.Equal(401, (int)response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task What_is_neither_API_nor_role_needs_no_key() => Assert.Equal((200, " by "), await AskAsync(HttpMethod.Get, "/free"));

    [Fact]
    public async Task A_role_without_the_gateway_opens_to_other_roles_only()
    {
        await using var role = await StartAsync("write");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/who");
        request.Headers.Add("X-Api-Key", AdminKey);
        using var refused = await role.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Fact]
    public async Task Ending_a_call_is_a_command_on_the_bus_with_who_asked_for_it()
    {
        var call = Guid.NewGuid();
        Assert.Equal(202, (await AskAsync(HttpMethod.Post, $"/v1/calls/{call}/terminate", "Bearer " + BoundKey)).Status);
        var sent = await Soon.Within(_roles.Published.Reader.ReadAsync().AsTask(), "the command");
        Assert.Equal((BusCommands.TerminateCall, "acme", call, "key:acme-app"), (sent.Type, sent.Tenant, sent.CallId, sent.Actor));
        Assert.Equal(call, sent.Data.Deserialize<TerminateCall>(Wire.Json)!.CallId);
    }

    [Fact]
    public async Task D41_the_dry_run_of_another_tenants_number_tells_nothing()
    {
        Assert.Equal(200, (await AskAsync(HttpMethod.Get, "/v1/dialplan/resolve?to=1001", "Bearer " + AdminKey)).Status);
        Assert.Equal((404, "route.unknown"), await AskAsync(HttpMethod.Get, "/v1/dialplan/resolve?to=1001", "Bearer " + BoundKey));
    }

    [Fact]
    public async Task A_chat_with_an_unknown_assistant_is_404()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chats") { Content = JsonContent.Create(new { assistant_id = "none" }) };
        request.Headers.Add("X-Api-Key", AdminKey);
        using var response = await _app.Client.SendAsync(request);
        Assert.Equal(404, (int)response.StatusCode);
        Assert.Contains("assistant.unknown", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/v1/session")]
    [InlineData("/v1/chats/01980000-0000-7000-8000-000000000001/messages")]
    public async Task A_body_without_its_member_is_the_clients_mistake(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(new { other = 1 }) };
        request.Headers.Add("X-Api-Key", AdminKey);
        using var response = await _app.Client.SendAsync(request);
        Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal("request.invalid", JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("/v1/who?tenant=%00")]
    [InlineData("/v1/registrations?extension=a%00b")]
    public async Task A_parameter_that_no_database_takes_is_refused_at_the_gate(string path) =>
        Assert.Equal((400, "request.invalid"), await AskAsync(HttpMethod.Get, path, "Bearer " + AdminKey));

    [Theory]
    [InlineData("Sha256", "abc")]
    [InlineData("Sha256", "zz61616161616161616161616161616161616161616161616161616161616161")]
    [InlineData("Name", "a.b")]
    [InlineData("Name", "")]
    [InlineData("Scope", "7")]
    [InlineData("Scope", "owner")]
    public void A_key_that_is_written_wrong_stops_the_start(string part, string value)
    {
        var configuration = Given.Whole([.. Key(0, "good", "k", null, "read"), ($"Gateway:Keys:0:{part}", value)]);
        var refused = Assert.Throws<SettingsException>(() => new ApiKeys(new HostSettings(configuration, RoleSet.All), configuration, _clock));
        Assert.Contains("Gateway__Keys__0", refused.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    [InlineData(null)]
    public void An_empty_or_missing_key_file_stops_the_start(string? content)
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, content);
        if (content is null)
        {
            File.Delete(file);
        }

        var configuration = Given.Whole(("Gateway:AdminKeyFile", file));
        var refused = Assert.Throws<SettingsException>(() => new ApiKeys(new HostSettings(configuration, RoleSet.All), configuration, _clock));
        Assert.Contains("Gateway__AdminKeyFile", refused.Message);
        File.Delete(file);
    }

    private static (string, string?)[] Key(int n, string name, string key, string? tenant, string scope) =>
    [
        ($"Gateway:Keys:{n}:Name", name), ($"Gateway:Keys:{n}:Sha256", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))),
        ($"Gateway:Keys:{n}:Tenant", tenant), ($"Gateway:Keys:{n}:Scope", scope),
    ];

    private Task<LoopbackApp> StartAsync(string roles, params (string, string?)[] more)
    {
        var configuration = Given.Whole([("Gateway:AdminKeyFile", _keyFile), .. Key(0, "reader", ReaderKey, null, "read"), .. Key(1, "acme-app", BoundKey, "acme", "Admin"), .. more]);
        var settings = new HostSettings(configuration, RoleSet.Parse(roles));
        return LoopbackApp.StartAsync(
            app =>
            {
                app.UseMiddleware<CallerGate>();
                GatewayApi.Map(app);
                foreach (var path in new[] { "/v1/who", "/internal/who", "/free" })
                {
                    app.Map(path, (HttpContext http) => $"{http.Items[CallerGate.TenantItem]} by {http.Items[CallerGate.ActorItem]}");
                }
            },
            services =>
            {
                Given.WireJson(services);
                services.AddSingleton(settings).AddSingleton<TimeProvider>(_clock).AddSingleton(new ApiKeys(settings, configuration, _clock));
                services.AddSingleton<ITrunks>(_roles).AddSingleton<IRegistrations>(_roles).AddSingleton<IChats>(_roles).AddSingleton<IDialplans>(_roles).AddSingleton<IEventBus>(_roles);
            });
    }

    /// <summary>Status and the problem's code, or the text of an answer.</summary>
    private async Task<(int Status, string Said)> AskAsync(HttpMethod method, string path, string? authorization = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _app.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType == "application/problem+json"
            ? JsonDocument.Parse(text).RootElement.GetProperty("code").GetString()!
            : text);
    }
}
