using Sentiric.Contracts;
using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary><see cref="IUsers"/> over HTTP, both ends.</summary>
public sealed class UsersPort(HttpClient client) : IUsers
{
    private const string Identify = PortHttp.Prefix + "/users/identify";
    private const string Credential = PortHttp.Prefix + "/users/credential";

    public ValueTask<Result<CallerIdentity>> IdentifyAsync(IdentifyCaller request, CancellationToken ct) =>
        client.AskAsync<IdentifyCaller, CallerIdentity>(Identify, request, ct);

    public ValueTask<Result<SipCredential>> FindCredentialAsync(string realm, string username, CancellationToken ct) =>
        client.AskAsync<CredentialQuestion, SipCredential>(Credential, new(realm, username), ct);

    public static void Map(IEndpointRouteBuilder routes, IUsers users)
    {
        routes.MapQuestion<IdentifyCaller, CallerIdentity>(Identify, users.IdentifyAsync);
        routes.MapQuestion<CredentialQuestion, SipCredential>(Credential, (q, ct) => users.FindCredentialAsync(q.Realm, q.Username, ct));
    }

    public sealed record CredentialQuestion(string Realm, string Username);
}
