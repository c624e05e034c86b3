using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Users;

/// <summary>DELETE /users/{id}/sip-credentials/{realm}/{username}. The name is free afterwards.</summary>
public sealed record RemoveSipCredential(Guid UserId, string Realm, string Username) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapDelete("/users/{id:guid}/sip-credentials/{realm}/{username}",
            (Guid id, string realm, string username, HttpContext http, CommandRunner runner, CancellationToken ct) =>
                http.CommandAsync(runner, new RemoveSipCredential(id, realm, username), ct))
            .Describe("RemoveSipCredential", "users");

    public Decision Decide(User user, DateTimeOffset now) => user switch
    {
        { Exists: false } => User.Unknown(UserId),
        _ when !user.Credentials.ContainsKey((Realm, Username)) => Decision.Quiet,
        _ => Decision.Of(new SipCredentialRemoved(now, UserId, Realm, Username)),
    };

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var (user, name) = (Streams.User(UserId), Streams.SipUser(Realm, Username));
            var decision = Decide(await work.FetchAsync<User>(user, token).ConfigureAwait(false), work.Now);
            if (decision.Facts.Count == 0)
            {
                return decision.Refusal;
            }

            var owner = await work.FetchAsync<SipUserOwner>(name, token, Streams.SystemTenant).ConfigureAwait(false);
            return work.Append(user, decision)
                ?? work.Append(name, owner.Release(Realm, Username, who.Tenant, UserId, work.Now), Streams.SystemTenant);
        }, ct);
}
