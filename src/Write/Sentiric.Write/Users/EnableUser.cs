using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Users;

/// <summary>POST /users/{id}/enable.</summary>
public sealed record EnableUser(Guid UserId) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/users/{id:guid}/enable", (Guid id, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync(runner, new EnableUser(id), ct))
            .Describe("EnableUser", "users");

    public Decision Decide(User user, DateTimeOffset now) => user switch
    {
        { Exists: false } => User.Unknown(UserId),
        { Disabled: false } => Decision.Quiet,
        _ => Decision.Of(new UserEnabled(now, UserId)),
    };

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunOnUserAsync(who, UserId, Decide, ct);
}
