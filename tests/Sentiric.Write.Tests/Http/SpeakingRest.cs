using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Sentiric.Contracts.Events;
using Sentiric.EventStore;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests.Http;

/// <summary>The write side over HTTP, as the host mounts it.</summary>
public sealed class SpeakingRest
{
    private static readonly Guid Id = Guid.Parse("01980000-0000-7000-8000-0000000000aa");
    private const string Ayse = """{"user_id":"01980000-0000-7000-8000-0000000000aa","name":"Ayşe","type":"caller","contacts":[{"type":"phone","value":"0532 111 22 33"}]}""";

    [Fact]
    public async Task A_user_is_created_and_stays_one_user()
    {
        await using var rest = await Rest.StartAsync();
        for (var i = 0; i < 2; i++)
        {
            var (status, body, location) = await rest.SendAsync("POST", "/v1/users", Ayse);
            Assert.Equal((201, Id.ToString("D"), $"/v1/users/{Id:D}"), (status, body.GetProperty("user_id").GetString(), location));
        }

        Assert.Equal(["user_created", "contact_added"], await rest.World.StreamAsync(Streams.User(Id)));
        Assert.Equal("key-1", (await rest.World.LogAsync()).Single(e => e.EventType == "user_created").Metadata.Actor);
    }

    [Fact]
    public async Task Every_kind_of_command_has_its_answer()
    {
        await using var rest = await Rest.StartAsync();
        await rest.SendAsync("POST", "/v1/users", Ayse);
        (string Method, string Path, string? Body, int Status)[] requests =
        [
            ("PUT", $"/v1/users/{Id}/name", """{"name":"Ayşe Kaya"}""", 204),
            ("PUT", $"/v1/users/{Id}/language", """{"language":"en"}""", 204),
            ("POST", $"/v1/users/{Id}/contacts", """{"type":"email","value":"a@b.tr"}""", 204),
            ("DELETE", $"/v1/users/{Id}/contacts/email/a@b.tr", null, 204),
            ("PUT", $"/v1/users/{Id}/sip-credentials/sentiric/ayse", """{"password":"correct horse"}""", 204),
            ("DELETE", $"/v1/users/{Id}/sip-credentials/sentiric/ayse", null, 204),
            ("POST", $"/v1/users/{Id}/disable", """{"why":"left"}""", 204),
            ("POST", $"/v1/users/{Id}/enable", null, 204),
            ("PUT", "/v1/schedules/office", """{"name":"Office","time_zone":"Europe/Istanbul","hours":[{"day":1,"from_minute":540,"to_minute":1080}],"holidays":["2026-10-29"]}""", 204),
            ("PUT", "/v1/announcements/news", """{"texts":{"tr":"Merhaba."}}""", 204),
            ("PUT", "/v1/assistants/clinic", """{"name":"Clinic","language":"tr","greeting":"Merhaba.","instructions":"","tasks":[],"use_knowledge":true,"phrases":[]}""", 204),
            ("PUT", "/v1/dialplans/welcome", """{"name":"Welcome","action":"START_AI_CONVERSATION","data":{"assistant_id":"clinic"}}""", 204),
            ("POST", "/v1/routes", """{"number":"1001","settings":{"active_dialplan":"welcome","language":"tr","block_anonymous":false,"guest_policy":"create_guest"}}""", 201),
            ("PUT", "/v1/routes/1001", """{"active_dialplan":"welcome","schedule_id":"office","language":"tr","block_anonymous":true,"guest_policy":"reject"}""", 204),
            ("PUT", "/v1/routes/1001/maintenance", """{"on":true}""", 204),
            ("POST", "/v1/calls", """{"call_id":"01980000-0000-7000-8000-0000000000cc","to":"0532 111 22 33","from":"1001","dialplan_id":"welcome"}""", 201),
            ("POST", "/v1/calls", """{"to":"0532 111 22 33","from":"1009","dialplan_id":"welcome"}""", 422),
            ("POST", "/v1/calls/01980000-0000-7000-8000-0000000000cc/transfer", """{"to":"+902129998877"}""", 409),
            ("POST", "/v1/calls/01980000-0000-7000-8000-0000000000cd/transfer", """{"to":"+902129998877"}""", 404),
            ("DELETE", "/v1/routes/1001", null, 204),
            ("DELETE", "/v1/dialplans/welcome", null, 204),
            ("POST", "/v1/articles", """{"article_id":"hours","title":"Hours","questions":["when"],"answer":"Nine."}""", 201),
            ("PUT", "/v1/articles/hours", """{"title":"Hours","questions":["when"],"answer":"Ten."}""", 204),
            ("DELETE", "/v1/articles/hours", null, 204),
            ("PUT", "/v1/connectors/takvim", """{"kind":"calendar","settings":{"open_from":"09:00","open_to":"18:00","slot_minutes":"30","time_zone":"Europe/Istanbul"}}""", 204),
            ("DELETE", "/v1/connectors/takvim", null, 204),
        ];
        foreach (var (method, path, body, status) in requests)
        {
            var (got, answer, _) = await rest.SendAsync(method, path, body);
            Assert.True(got == status, $"{method} {path} answered {got}: {answer}");
        }
    }

    [Theory]
    [InlineData("POST", "/v1/users", "{", "request.invalid_json", 400, "line 1, byte 2")]
    [InlineData("POST", "/v1/users", "", "request.invalid_json", 400, "line 1")]
    [InlineData("POST", "/v1/users", "null", "request.invalid_json", 400, "JSON object")]
    [InlineData("POST", "/v1/users", """{"type":"caller"}""", "request.invalid_json", 400, "name")]
    [InlineData("POST", "/v1/users", """{"name":null,"type":"caller"}""", "request.invalid_json", 400, "name")]
    [InlineData("POST", "/v1/users", """{"name":"A","type":"king"}""", "request.invalid_json", 400, "$.type")]
    [InlineData("POST", "/v1/users", """{"name":"A","type":"caller","contacts":[{"type":"phone","value":7}]}""", "request.invalid_json", 400, "$.contacts[0].value")]
    [InlineData("POST", "/v1/users", """{"name":"a\u0000b","type":"caller"}""", "user.invalid", 422, "name")]
    [InlineData("PUT", "/v1/users/01980000-0000-7000-8000-0000000000bb/name", """{"name":"A"}""", "user.unknown", 404, "01980000")]
    [InlineData("PUT", "/v1/dialplans/x", """{"name":"X","action":"ENQUEUE_CALL"}""", "dialplan.action_not_available", 422, "queue")]
    [InlineData("PUT", "/v1/dialplans/x", """{"name":"X","action":"BRIDGE_CALL","data":{"target":"0212 999"}}""", "dialplan.bad_target", 422, "0212 999")]
    [InlineData("PUT", "/v1/dialplans/x", """{"name":"X","action":"START_AI_CONVERSATION","data":{"assistant_id":"a","target":"0212 999"}}""", "dialplan.bad_target", 422, "0212 999")]
    [InlineData("PUT", "/v1/schedules/x", """{"name":"X","time_zone":"Mars/Base","hours":[]}""", "schedule.bad_time_zone", 422, "Mars/Base")]
    public async Task A_no_says_what_is_wrong(string method, string path, string body, string code, int status, string part)
    {
        await using var rest = await Rest.StartAsync();
        var (got, problem, _) = await rest.SendAsync(method, path, body);
        Assert.Equal((status, code, status), (got, problem.GetProperty("code").GetString(), problem.GetProperty("status").GetInt32()));
        Assert.Equal("urn:sentiric:problem:" + code, problem.GetProperty("type").GetString());
        Assert.Contains(part, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.NotEmpty(problem.GetProperty("title").GetString() ?? "");
    }

    [Fact]
    public async Task A_contact_that_is_taken_is_a_conflict()
    {
        await using var rest = await Rest.StartAsync();
        await rest.SendAsync("POST", "/v1/users", Ayse);
        var (status, problem, _) = await rest.SendAsync("POST", "/v1/users", Ayse.Replace("aa\"", "bb\"", StringComparison.Ordinal));
        Assert.Equal((409, "contact.taken"), (status, problem.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_not_read()
    {
        await using var rest = await Rest.StartAsync();
        var (status, problem, _) = await rest.SendAsync("POST", "/v1/users", "{\"name\":\"" + new string('a', 600 * 1024) + "\"}");
        Assert.Equal((413, "request.too_large"), (status, problem.GetProperty("code").GetString()));
    }

    [Theory]
    [InlineData("POST", "/v1/users")]
    [InlineData("DELETE", "/v1/routes/1001")]
    public async Task A_request_without_a_tenant_is_not_let_in(string method, string path)
    {
        await using var rest = await Rest.StartAsync();
        var (status, problem, _) = await rest.SendAsync(method, path, Ayse, tenant: null);
        Assert.Equal((401, "auth.missing_tenant"), (status, problem.GetProperty("code").GetString()));
    }

    [Theory]
    [InlineData("POST", "/v1/users")]
    [InlineData("DELETE", "/v1/routes/1001")]
    public async Task A_store_that_is_away_is_said(string method, string path)
    {
        await using var rest = await Rest.StartAsync(new AwayStore());
        var (status, problem, _) = await rest.SendAsync(method, path, Ayse);
        Assert.Equal((503, "store.unavailable", "PostgreSQL does not answer."),
            (status, problem.GetProperty("code").GetString(), problem.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task A_type_of_contact_that_is_none_is_refused()
    {
        await using var rest = await Rest.StartAsync();
        var (status, problem, _) = await rest.SendAsync("DELETE", $"/v1/users/{Id}/contacts/pigeon/7", null);
        Assert.Equal((422, "contact.invalid"), (status, problem.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_tenant_reaches_its_own_users_only()
    {
        await using var rest = await Rest.StartAsync();
        await rest.SendAsync("POST", "/v1/users", Ayse);
        var (status, problem, _) = await rest.SendAsync("PUT", $"/v1/users/{Id}/name", """{"name":"X"}""", World.Other);
        Assert.Equal((404, "user.unknown"), (status, problem.GetProperty("code").GetString()));
    }

    private sealed class Rest(World world, LoopbackServer server) : IAsyncDisposable
    {
        private readonly HttpClient _client = new() { BaseAddress = server.Address };

        public World World { get; } = world;

        public static async Task<Rest> StartAsync(IEventStore? store = null)
        {
            var world = await World.WithTenantsAsync();
            var server = await LoopbackServer.StartAsync(
                app =>
                {
                    app.Use((http, next) =>
                    {
                        // The host's key check, as small as it gets.
                        (http.Items["tenant"], http.Items["actor"]) = (http.Request.Headers["X-Test-Tenant"].FirstOrDefault(), "key-1");
                        return next();
                    });
                    app.MapGroup("/v1").MapWriteSide();
                },
                services => services.AddSingleton<TimeProvider>(world.Time).AddSingleton(store ?? world.Store).AddWriteSide());
            return new Rest(world, server);
        }

        public async Task<(int Status, JsonElement Body, string? Location)> SendAsync(string method, string path, string? body, string? tenant = World.Demo)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
            if (tenant is not null)
            {
                request.Headers.Add("X-Test-Tenant", tenant);
            }

            using var response = await _client.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            var expected = (int)response.StatusCode < 400 ? "application/json" : "application/problem+json";
            if (response.StatusCode != HttpStatusCode.NoContent)
            {
                Assert.Equal(expected, response.Content.Headers.ContentType?.MediaType);
            }

            return ((int)response.StatusCode, text.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(text), response.Headers.Location?.ToString());
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await server.DisposeAsync();
            World.Dispose();
        }
    }
}
