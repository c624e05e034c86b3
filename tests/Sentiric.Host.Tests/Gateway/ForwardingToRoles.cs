using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Sentiric.Host.Gateway;
using Sentiric.Host.Settings;
using Sentiric.Host.Tests.Kit;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Gateway;

/// <summary>A gateway alone in its process, before a write and a read role that answer with what they were asked.</summary>
public sealed class ForwardingToRoles : IAsyncLifetime
{
    private readonly TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LoopbackApp _write = null!;
    private LoopbackApp _read = null!;
    private LoopbackApp _gateway = null!;

    public async Task InitializeAsync()
    {
        _write = await StartRoleAsync("write");
        _read = await StartRoleAsync("read");
        _gateway = await StartGatewayAsync(("Services:Write", _write.Address.ToString()), ("Services:Read", _read.Address.ToString()));
    }

    public async Task DisposeAsync()
    {
        _more.TrySetResult();
        await _gateway.DisposeAsync();
        await _write.DisposeAsync();
        await _read.DisposeAsync();
    }

    [Fact]
    public async Task A_question_goes_to_read_with_its_query_and_who_asks()
    {
        using var response = await _gateway.Client.GetAsync("/v1/calls?from=%2B905&limit=3");
        Assert.Equal("read GET /v1/calls ?from=%2B905&limit=3 acme by key:x, service key right, body ''", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("POST", "/v1/users", "write")]
    [InlineData("PUT", "/v1/routes/1001", "write")]
    [InlineData("DELETE", "/v1/users/1", "write")]
    [InlineData("POST", "/v1/projections/CallRecords/rebuild", "read")]
    public async Task A_command_goes_with_its_body_to_the_role_that_has_it(string method, string path, string role)
    {
        using var response = await _gateway.Client.SendAsync(new(new(method), path) { Content = new StringContent("{\"name\":\"Ayşe\"}", Encoding.UTF8, "application/json") });
        Assert.Equal($"{role} {method} {path}  acme by key:x, service key right, body '{{\"name\":\"Ayşe\"}}'", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Status_type_and_place_of_the_answer_come_back()
    {
        using var response = await _gateway.Client.PostAsJsonAsync("/v1/problem", new { });
        Assert.Equal((409, "application/problem+json", "/v1/elsewhere"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, response.Headers.Location?.ToString()));
        Assert.Equal("{\"code\":\"x.y\"}", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_part_of_a_recording_may_be_asked_for()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/file") { Headers = { Range = new(2, 4) } };
        using var response = await _gateway.Client.SendAsync(request);
        Assert.Equal((206, "bytes 2-4/10", "cde"), ((int)response.StatusCode, response.Content.Headers.ContentRange?.ToString(), await response.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task An_event_stream_passes_through_as_it_comes()
    {
        using var response = await _gateway.Client.GetAsync("/v1/stream", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("event: hello", await Soon.Within(lines.ReadLineAsync(), "the first event while the stream is open"));
        _more.SetResult();
        Assert.Equal("event: second", await Soon.Within(lines.ReadLineAsync(), "the second event"));
        Assert.Null(await Soon.Within(lines.ReadLineAsync(), "the end of the stream"));
    }

    [Theory]
    [InlineData("v1/media/sessions/s/audio")]
    [InlineData("v1/calls/01930000-0000-7000-8000-000000000001/listen?mode=join")]
    public async Task A_websocket_of_the_media_role_passes_through_both_ways(string path)
    {
        await using var media = await LoopbackApp.StartAsync(app =>
        {
            app.UseWebSockets();
            app.Map("/{**rest}", async (HttpContext http) =>
            {
                using var near = await http.WebSockets.AcceptWebSocketAsync();
                var r = http.Request;
                await near.SendAsync(Encoding.UTF8.GetBytes($"{r.Path}{r.QueryString} {r.Headers["X-Sentiric-Tenant"]} by {r.Headers["X-Sentiric-Actor"]}"), WebSocketMessageType.Text, true, default);
                var buffer = new byte[64 * 1024];
                var heard = await near.ReceiveAsync(buffer, default);
                await near.SendAsync(buffer.AsMemory(0, heard.Count), heard.MessageType, heard.EndOfMessage, default);
                await near.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "over", default);
            });
        });
        await using var gateway = await StartGatewayAsync(("Services:Write", _write.Address.ToString()), ("Services:Read", _read.Address.ToString()), ("Services:Media", media.Address.ToString()));
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(new Uri(gateway.Address, path)) { Scheme = "ws" }.Uri, default);
        var buffer = new byte[1_024];
        var first = await Soon.Within(socket.ReceiveAsync(buffer, default), "what the media role was asked");
        Assert.Equal($"/{path} acme by key:x", Encoding.UTF8.GetString(buffer, 0, first.Count));
        await socket.SendAsync(new byte[] { 1, 2, 3 }, WebSocketMessageType.Binary, true, default);
        var second = await Soon.Within(socket.ReceiveAsync(buffer, default), "what was sent to come back");
        Assert.Equal((WebSocketMessageType.Binary, 3, true, (byte)2), (second.MessageType, second.Count, second.EndOfMessage, buffer[1]));
        Assert.Equal(WebSocketMessageType.Close, (await Soon.Within(socket.ReceiveAsync(buffer, default), "the end")).MessageType);
        Assert.Equal("over", socket.CloseStatusDescription);
    }

    [Fact]
    public async Task A_websocket_that_the_media_role_refuses_is_refused_with_its_words()
    {
        await using var media = await StartRoleAsync("media");
        await using var gateway = await StartGatewayAsync(("Services:Write", _write.Address.ToString()), ("Services:Read", _read.Address.ToString()), ("Services:Media", media.Address.ToString()));
        using var socket = new ClientWebSocket { Options = { CollectHttpResponseDetails = true } };
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(new UriBuilder(new Uri(gateway.Address, "v1/media/problem")) { Scheme = "ws" }.Uri, default));
        Assert.Equal(System.Net.HttpStatusCode.Conflict, socket.HttpStatusCode);
    }

    [Fact]
    public async Task A_role_that_is_down_is_503_with_a_code()
    {
        await using var gateway = await StartGatewayAsync(("Services:Write", "http://127.0.0.1:1"), ("Services:Read", "http://127.0.0.1:1"));
        using var response = await gateway.Client.GetAsync("/v1/calls");
        Assert.Equal((503, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        Assert.Contains("service.unavailable", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_gateway_that_does_not_know_where_the_others_are_does_not_start()
    {
        var refused = await Assert.ThrowsAsync<SettingsException>(() => StartGatewayAsync());
        Assert.Contains("Services__Write", refused.Message);
    }

    private static Task<LoopbackApp> StartGatewayAsync(params (string, string?)[] where)
    {
        var settings = Given.Settings("gateway", where);
        return LoopbackApp.StartAsync(app =>
        {
            app.UseProblems();
            app.Use((http, next) =>
            {
                (http.Items[CallerGate.TenantItem], http.Items[CallerGate.ActorItem]) = ("acme", "key:x");
                return next(http);
            });
            app.UseWebSockets();
            Forwarder.Map(app, settings);
        });
    }

    private Task<LoopbackApp> StartRoleAsync(string name) => LoopbackApp.StartAsync(app =>
    {
        app.MapGet("/v1/file", () => Results.Bytes("abcdefghij"u8.ToArray(), "audio/wav", enableRangeProcessing: true));
        app.MapPost("/v1/problem", (HttpContext http) =>
        {
            (http.Response.StatusCode, http.Response.ContentType) = (409, "application/problem+json");
            http.Response.Headers.Location = "/v1/elsewhere";
            return http.Response.WriteAsync("{\"code\":\"x.y\"}");
        });
        app.MapGet("/v1/media/problem", (HttpContext http) => http.Response.StatusCode = 409);
        app.MapGet("/v1/stream", async (HttpContext http) =>
        {
            http.Response.ContentType = "text/event-stream";
            await http.Response.WriteAsync("event: hello\n");
            await http.Response.Body.FlushAsync();
            await _more.Task;
            await http.Response.WriteAsync("event: second\n");
        });
        app.Map("/{**rest}", async (HttpContext http) =>
        {
            var r = http.Request;
            var key = r.Headers["X-Service-Key"] == Given.ServiceKey ? "right" : "wrong";
            return $"{name} {r.Method} {r.Path} {r.QueryString} {r.Headers["X-Sentiric-Tenant"]} by {r.Headers["X-Sentiric-Actor"]}, service key {key}, "
                + $"body '{await new StreamReader(r.Body).ReadToEndAsync()}'";
        });
    });
}
