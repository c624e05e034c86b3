using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Users;

/// <summary>PUT /users/{id}/name.</summary>
public sealed record RenameUser(Guid UserId, string Name) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/users/{id:guid}/name", (Guid id, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync<RenameUserBody>(runner, body => new RenameUser(id, body.Name), ct))
            .Describe<RenameUserBody>("RenameUser", "users");

    public Decision Decide(User user, DateTimeOffset now) => user switch
    {
        { Exists: false } => User.Unknown(UserId),
        _ when !Valid.Text(Name, Valid.MaxName) => new Refusal("user.invalid", "A name has 1 to 200 characters."),
        _ when user.Name == Name => Decision.Quiet,
        _ => Decision.Of(new UserRenamed(now, UserId, Name)),
    };

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunOnUserAsync(who, UserId, Decide, ct);
}

public sealed record RenameUserBody(string Name);
