using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Users;

/// <summary>POST /users/{id}/disable. A disabled user is known, but neither calls nor registers.</summary>
public sealed record DisableUser(Guid UserId, string Why) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/users/{id:guid}/disable", (Guid id, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync<DisableUserBody>(runner, body => new DisableUser(id, body.Why), ct))
            .Describe<DisableUserBody>("DisableUser", "users");

    public Decision Decide(User user, DateTimeOffset now) => user switch
    {
        { Exists: false } => User.Unknown(UserId),
        { Disabled: true } => Decision.Quiet,
        _ when !Valid.Text(Why) => new Refusal("user.invalid", "Say why the user is disabled."),
        _ => Decision.Of(new UserDisabled(now, UserId, Why)),
    };

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunOnUserAsync(who, UserId, Decide, ct);
}

public sealed record DisableUserBody(string Why);
