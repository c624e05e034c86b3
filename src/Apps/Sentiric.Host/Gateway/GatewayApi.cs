using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Contracts.Text;

namespace Sentiric.Host.Gateway;

/// <summary>What the gateway answers itself: console sessions, text chat, ending a call, the dry run of a dialplan, the trunks, the registered telephones.</summary>
public static class GatewayApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var v1 = routes.MapGroup("/v1");
        v1.MapPost("/session", OpenSession).WithTags("session").WithName("OpenSession").WithSummary("Opens a console session: the API key becomes a cookie.");
        v1.MapDelete("/session", (HttpContext http) => http.Response.Cookies.Delete(CallerGate.Cookie)).WithTags("session").WithName("CloseSession").WithSummary("Closes the console session.");
        v1.MapPost("/chats", StartChat).WithTags("chats").WithName("StartChat").Produces<ChatReply>().WithSummary("Starts a text chat with an assistant.");
        v1.MapPost("/chats/{chatId:guid}/messages", Say).WithTags("chats").WithName("SayInChat").Produces<ChatReply>().WithSummary("Says something in a chat and returns what the assistant answers.");
        v1.MapPost("/calls/{callId:guid}/terminate", TerminateAsync).WithTags("calls").WithName("TerminateCall").Produces(202).WithSummary("Asks for the end of a call.");
        v1.MapGet("/dialplan/resolve", ResolveAsync).WithTags("dialplans").WithName("ResolveDialplan").Produces<DialplanResolution>()
            .WithSummary("Dry run: which plan would answer this call at this time, and why. Changes nothing.");
        Registrations.Map(v1);
        v1.MapGet("/trunks", ListTrunksAsync).WithTags("trunks").WithName("ListTrunks").Produces<IReadOnlyList<TrunkReport>>()
            .WithSummary("How every trunk stands: up or down, registered until, the last OPTIONS, calls now. For keys of the platform.");
    }

    public sealed record SessionRequest(string Key);

    public sealed record ChatRequest(string AssistantId, string? Contact);

    public sealed record SayRequest(string Text);

    private static IResult OpenSession([FromBody] SessionRequest request, HttpContext http, ApiKeys keys)
    {
        // The reader of bodies leaves null where a member is absent.
        if (request.Key is null) return Missing("key");
        if (keys.Find(request.Key) is not { } key)
        {
            return new ProblemResult(new("auth.key_unknown", "No such API key."), 401);
        }

        http.Response.Cookies.Append(CallerGate.Cookie, keys.OpenSession(key), new()
        {
            HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = http.Request.IsHttps, IsEssential = true,
        });
        return Results.Json(new { key.Name, key.Tenant, Scope = key.Scope.ToString().ToLowerInvariant() }, Wire.Json);
    }

    private static async Task<IResult> StartChat([FromBody] ChatRequest request, HttpContext http, IChats chats, CancellationToken ct) =>
        Answer(await chats.StartAsync(new(Tenant(http), request.AssistantId, request.Contact), ct));

    private static async Task<IResult> Say(Guid chatId, [FromBody] SayRequest request, HttpContext http, IChats chats, CancellationToken ct) =>
        request.Text is null ? Missing("text") : Answer(await chats.SayAsync(Tenant(http), chatId, request.Text, ct));

    private static async Task<IResult> TerminateAsync(Guid callId, HttpContext http, IEventBus bus, TimeProvider clock, CancellationToken ct)
    {
        var command = new TerminateCall(callId, CallEndReason.Terminated, HungUpBy.System);
        var data = JsonSerializer.SerializeToElement(command, Wire.Json);
        await bus.PublishAsync(
            new(Guid.CreateVersion7(clock.GetUtcNow()), BusCommands.TerminateCall, 1, Streams.Call(callId), 0, clock.GetUtcNow(), Tenant(http), callId, null, null,
                http.Items[CallerGate.ActorItem] as string, data), ct);
        return Results.Accepted();
    }

    private static async Task<IResult> ResolveAsync(
        string to, string? from, DateTimeOffset? at, HttpContext http, IDialplans dialplans, TimeProvider clock, CancellationToken ct)
    {
        var resolution = await dialplans.ResolveAsync(
            new(PhoneNumber.Normalize(from), PhoneNumber.Normalize(to), at ?? clock.GetUtcNow(), Caller: null), ct);
        return resolution.MatchedRoute is not null && resolution.Tenant != Tenant(http)
            ? new ProblemResult(new("route.unknown", $"Tenant '{Tenant(http)}' has no route for {to}."), 404)
            : Results.Json(resolution, Wire.Json);
    }

    private static async Task<IResult> ListTrunksAsync(ITrunks trunks, CancellationToken ct) => Results.Json(await trunks.ListAsync(ct), Wire.Json);

    internal static string Tenant(HttpContext http) => (string)http.Items[CallerGate.TenantItem]!;

    private static ProblemResult Missing(string member) => new(new("request.invalid", $"The body has no '{member}'."), 400);

    private static IResult Answer<T>(Result<T> result) => result.Match<IResult>(
        value => Results.Json(value, Wire.Json),
        refusal => new ProblemResult(refusal, refusal.Code.EndsWith(".unknown", StringComparison.Ordinal) ? 404 : 409));

    internal sealed class ProblemResult(Refusal refusal, int status) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => Problem.WriteAsync(httpContext, refusal, status);
    }
}
