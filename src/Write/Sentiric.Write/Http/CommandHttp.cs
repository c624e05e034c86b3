using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Sentiric.Contracts;
using Sentiric.EventStore;
using Sentiric.Write.Ops;

namespace Sentiric.Write.Http;

/// <summary>How a command comes in over HTTP and how its outcome goes out: 204, 201 with a body, or a problem.</summary>
public static class CommandHttp
{
    /// <summary>A command whose parameters all stand in the address.</summary>
    public static Task<IResult> CommandAsync(this HttpContext http, CommandRunner runner, ICommand command, CancellationToken ct) =>
        GuardedAsync(async () =>
        {
            var who = RequesterOf(http);
            return who.Refusal is { } stranger
                ? Problem(stranger)
                : (await command.RunAsync(runner, who.Value, ct).ConfigureAwait(false)).Match(_ => Results.NoContent(), Problem);
        });

    /// <summary>A command with a JSON body.</summary>
    public static Task<IResult> CommandAsync<TBody>(this HttpContext http, CommandRunner runner, Func<TBody, ICommand> command, CancellationToken ct)
        where TBody : class =>
        GuardedAsync(() => RunAsync(http, runner, command, _ => Results.NoContent(), ct));

    /// <summary>A command that makes something: 201 with its place and what the client needs to know of it.</summary>
    public static Task<IResult> CreateAsync<TBody, TCommand>(
        this HttpContext http, CommandRunner runner, Func<TBody, TCommand> command, Func<TCommand, (string Path, object Reply)> made, CancellationToken ct)
        where TBody : class
        where TCommand : class, ICommand =>
        GuardedAsync(() => RunAsync(http, runner, command, done => Created(http, made(done)), ct));

    /// <summary>What the OpenAPI document says of a command with a body.</summary>
    public static void Describe<TBody>(this RouteHandlerBuilder route, string name, string tag)
        where TBody : class =>
        route.Accepts<TBody>("application/json").Describe(name, tag);

    /// <summary>What it says of a command that makes something.</summary>
    public static void Describe<TBody, TReply>(this RouteHandlerBuilder route, string name, string tag)
        where TBody : class =>
        route.Accepts<TBody>("application/json").Produces<TReply>(StatusCodes.Status201Created).Refusing(name, tag);

    public static void Describe(this RouteHandlerBuilder route, string name, string tag) =>
        route.Produces(StatusCodes.Status204NoContent).Refusing(name, tag);

    private static void Refusing(this RouteHandlerBuilder route, string name, string tag)
    {
        route.WithName(name).WithTags(tag);
        foreach (var status in new[] { 400, 401, 404, 409, 422 })
        {
            route.Produces<ProblemBody>(status, Problems.ContentType);
        }
    }

    public static IResult Problem(Refusal refusal)
    {
        var body = Problems.Of(refusal);
        return Results.Json(body, Wire.Json, Problems.ContentType, body.Status);
    }

    /// <summary>The tenant and the actor that the host's key check left in the request.</summary>
    public static Result<Requester> RequesterOf(HttpContext http) =>
        http.Items["tenant"] is string { Length: > 0 } tenant
            ? new Requester(tenant, http.Items["actor"] as string ?? "api")
            : new Refusal("auth.missing_tenant", "The request carries no API key of a tenant.");

    private static async Task<IResult> RunAsync<TBody, TCommand>(
        HttpContext http, CommandRunner runner, Func<TBody, TCommand> command, Func<TCommand, IResult> done, CancellationToken ct)
        where TBody : class
        where TCommand : class, ICommand
    {
        var who = RequesterOf(http);
        if (who.Refusal is { } stranger)
        {
            return Problem(stranger);
        }

        var body = await RequestBody.ReadAsync<TBody>(http.Request, ct).ConfigureAwait(false);
        if (body.Refusal is { } unreadable)
        {
            return Problem(unreadable);
        }

        var made = command(body.Value);
        var outcome = await made.RunAsync(runner, who.Value, ct).ConfigureAwait(false);
        return outcome.Match(_ => done(made), Problem);
    }

    // What a client sent must never end as a 500; a store that is away is a 503 that says so.
    private static async Task<IResult> GuardedAsync(Func<Task<IResult>> work)
    {
        try
        {
            return await StoreRefusals.GuardedAsync(work).ConfigureAwait(false);
        }
        catch (Exception unstorable) when (unstorable is EventDataRejectedException or EventTooLargeException)
        {
            return Problem(new Refusal("request.unstorable", unstorable.Message));
        }
    }

    private static IResult Created(HttpContext http, (string Path, object Reply) made)
    {
        http.Response.Headers.Location = $"/v1/{made.Path}";
        return Results.Json(made.Reply, Wire.Json, statusCode: StatusCodes.Status201Created);
    }
}
