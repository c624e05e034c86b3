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
        runner.RunAsync(who, async (work, token) =>
        {
            var value = ContactValue.Normalize(Type, Value);
            if (value.Refusal is { } invalid)
            {
                return invalid;
            }

            var (user, contact) = (Streams.User(UserId), Streams.Contact(Type, value.Value));
            var decision = (this with { Value = value.Value }).Decide(await work.FetchAsync<User>(user, token).ConfigureAwait(false), work.Now);
            var owner = await work.FetchAsync<ContactOwner>(contact, token).ConfigureAwait(false);
            return work.Append(user, decision)
                ?? (decision.Facts.Count == 0 ? null : work.Append(contact, owner.Claim(Type, value.Value, UserId, work.Now)));
        }, ct);
}
