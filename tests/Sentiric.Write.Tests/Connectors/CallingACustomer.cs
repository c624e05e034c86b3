using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Connectors;
using Sentiric.Write.Tests.Http;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests.Connectors;

/// <summary>The http connector against a customer's server on 127.0.0.1.</summary>
public sealed class CallingACustomer
{
    [Fact]
    public async Task An_action_is_posted_with_its_key_and_secret()
    {
        JsonElement body = default;
        string? key = null, secret = null;
        await using var server = await LoopbackServer.StartAsync(app => app.MapPost("/hook", async (HttpRequest request) =>
        {
            (key, secret) = (request.Headers["Idempotency-Key"], request.Headers["X-Api-Key"]);
            body = await JsonSerializer.DeserializeAsync<JsonElement>(request.Body);
            return Results.Json(new { ticket = 42, open = true, list = new[] { 1 }, name = "Ayşe" });
        }));
        var outcome = await CallAsync(server, ("secret_header", "X-Api-Key"));
        Assert.Equal(new Dictionary<string, string> { ["ticket"] = "42", ["open"] = "true", ["name"] = "Ayşe" }, outcome.Value.Values);
        Assert.Equal(("call-1:1", "s3cret"), (key, secret));
        Assert.Equal(("open_ticket", "kırık"), (body.GetProperty("action").GetString(), body.GetProperty("parameters").GetProperty("subject").GetString()));
    }

    [Fact]
    public async Task A_private_address_is_not_called()
    {
        var called = false;
        await using var server = await LoopbackServer.StartAsync(app => app.MapPost("/hook", () => called = true));
        var outcome = await CallAsync(server, ("allow_private", "false"), ("url", $"http://localhost:{server.Address.Port}/hook"));
        Assert.Equal(("connector.failed", "The connector failed: its address is not public."), (outcome.Refusal?.Code, outcome.Refusal?.Why));
        Assert.False(called);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        var followed = false;
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapPost("/hook", () => Results.Redirect("/inside", preserveMethod: true));
            app.MapPost("/inside", () => followed = true);
        });
        var outcome = await CallAsync(server);
        Assert.Equal("The connector failed: it answered with status 307.", outcome.Refusal?.Why);
        Assert.False(followed);
    }

    [Fact]
    public async Task The_customer_s_own_reason_is_told()
    {
        await using var server = await LoopbackServer.StartAsync(app => app.MapPost("/hook", () => Results.Json(new { why = "Stok kalmadı." }, statusCode: 409)));
        var outcome = await CallAsync(server);
        Assert.Equal(("connector.failed", "Stok kalmadı."), (outcome.Refusal?.Code, outcome.Refusal?.Why));
    }

    [Fact]
    public async Task An_answer_that_is_too_large_is_refused()
    {
        await using var server = await LoopbackServer.StartAsync(app => app.MapPost("/hook", () => Results.Text(new string(' ', HttpConnector.MaxResponseBytes + 1))));
        Assert.Equal("The connector failed: its answer is larger than 64 KiB.", (await CallAsync(server)).Refusal?.Why);
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("[1]")]
    public async Task An_answer_that_is_no_json_object_is_refused(string answer)
    {
        await using var server = await LoopbackServer.StartAsync(app => app.MapPost("/hook", () => Results.Text(answer)));
        Assert.Equal("The connector failed: its answer is not a JSON object.", (await CallAsync(server)).Refusal?.Why);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up()
    {
        var held = new TaskCompletionSource();
        await using var server = await LoopbackServer.StartAsync(app => app.MapPost("/hook", () => held.Task));
        var outcome = await CallAsync(server, ("timeout_seconds", "1"));
        held.SetResult();
        Assert.Equal("connector.timeout", outcome.Refusal?.Code);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_failure()
    {
        LoopbackServer gone;
        await using (gone = await LoopbackServer.StartAsync(_ => { }))
        {
        }

        Assert.Equal("The connector failed: it cannot be reached.", (await CallAsync(gone)).Refusal?.Why);
    }

    private static async Task<Result<ConnectorOutcome>> CallAsync(LoopbackServer server, params (string Name, string Value)[] settings)
    {
        using var world = await World.WithTenantsAsync();
        var all = new Dictionary<string, string> { ["url"] = new Uri(server.Address, "/hook").ToString(), ["allow_private"] = "true" };
        foreach (var (name, value) in settings)
        {
            all[name] = value;
        }

        await world.DoAsync(new RegisterConnector("crm", ConnectorKind.Http, all));
        return await world.Connectors.ExecuteAsync(
            new ExecuteConnector(World.Demo, "crm", "open_ticket", new Dictionary<string, string> { ["subject"] = "kırık" }, "call-1:1", CallId: null), default);
    }
}
