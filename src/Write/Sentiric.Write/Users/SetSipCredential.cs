using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Users;

/// <summary>PUT /users/{id}/sip-credentials/{realm}/{username}. The password is hashed on the way in and kept nowhere.</summary>
public sealed record SetSipCredential(Guid UserId, string Realm, string Username, SipSecret Secret) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/users/{id:guid}/sip-credentials/{realm}/{username}",
            (Guid id, string realm, string username, HttpContext http, CommandRunner runner, CancellationToken ct) =>
                http.CommandAsync<SetSipCredentialBody>(runner, body => Of(id, realm, username, body.Password), ct))
            .Describe<SetSipCredentialBody>("SetSipCredential", "users");

    /// <summary>The command for a clear password; one of fewer than 8 characters becomes a secret that is refused.</summary>
    public static SetSipCredential Of(Guid userId, string realm, string username, string password) =>
        new(userId, realm, username, DigestSecret.Of(realm, username, password));

    public Decision Decide(User user, DateTimeOffset now) => user switch
    {
        { Exists: false } => User.Unknown(UserId),
        { Disabled: true } => new Refusal("user.disabled", $"User {UserId:D} is disabled; enable it before it gets a phone."),
        _ when !DigestSecret.IsToken(Realm) || !DigestSecret.IsToken(Username) =>
            new Refusal("sip.bad_username", "Realm and user name have 1 to 64 letters, digits, dots, dashes or underscores."),
        _ when Secret == DigestSecret.TooShort => 
            new Refusal("sip.weak_password", $"The password has {DigestSecret.MinPassword} to {DigestSecret.MaxPassword} characters."),
        _ when user.Credentials.GetValueOrDefault((Realm, Username)) == Secret => Decision.Quiet,
        _ => Decision.Of(new SipCredentialSet(now, UserId, Realm, Username, Secret.Ha1Md5, Secret.Ha1Sha256)),
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
                ?? work.Append(name, owner.Claim(Realm, Username, who.Tenant, UserId, work.Now), Streams.SystemTenant);
        }, ct);
}

public sealed record SetSipCredentialBody(string Password);
