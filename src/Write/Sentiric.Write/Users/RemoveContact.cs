using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Users;

/// <summary>DELETE /users/{id}/contacts/{type}/{value}. The contact is free for another user afterwards.</summary>
public sealed record RemoveContact(Guid UserId, ContactType Type, string Value) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapDelete("/users/{id:guid}/contacts/{type}/{value}",
            (Guid id, string type, string value, HttpContext http, CommandRunner runner, CancellationToken ct) =>
                ContactValue.TypeNamed(type) is { } named
                    ? http.CommandAsync(runner, new RemoveContact(id, named, value), ct)
                    : Task.FromResult(CommandHttp.Problem(new Refusal("contact.invalid", $"'{type}' is not a type of contact."))))
            .Describe("RemoveContact", "users");

    public Decision Decide(User user, DateTimeOffset now) => user switch
    {
        { Exists: false } => User.Unknown(UserId),
        _ when !user.Has(Type, Value) => Decision.Quiet,
        _ => Decision.Of(new ContactRemoved(now, UserId, Type, Value)),
    };

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        ContactChange.RunAsync(
            runner, who, UserId, Type, Value, (value, user, now) => (this with { Value = value }).Decide(user, now),
            (owner, value, now) => owner.Release(Type, value, UserId, now), ct);
}
