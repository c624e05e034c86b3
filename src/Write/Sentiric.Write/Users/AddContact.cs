using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Users;

/// <summary>POST /users/{id}/contacts. A contact is claimed for the user and unique in the tenant.</summary>
public sealed record AddContact(Guid UserId, ContactType Type, string Value, bool Primary = false) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/users/{id:guid}/contacts", (Guid id, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync<NewContact>(runner, body => new AddContact(id, body.Type, body.Value, body.Primary), ct))
            .Describe<NewContact>("AddContact", "users");

    public Decision Decide(User user, DateTimeOffset now) => user switch
    {
        { Exists: false } => User.Unknown(UserId),
        _ when user.Has(Type, Value) => Decision.Quiet,
        _ => Decision.Of(new ContactAdded(now, UserId, Type, Value, Primary)),
    };

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        ContactChange.RunAsync(
            runner, who, UserId, Type, Value, (value, user, now) => (this with { Value = value }).Decide(user, now),
            (owner, value, now) => owner.Claim(Type, value, UserId, now), ct);
}
