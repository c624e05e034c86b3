using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Contracts.Text;
using Sentiric.EventStore;

namespace Sentiric.Write.Users;

/// <summary>The user service as the SIP role asks it: who is calling, and with which secret does a phone register.</summary>
public sealed class UserLookup(IEventStore store, CommandRunner runner) : IUsers
{
    private const string Actor = "sip";

    public async ValueTask<Result<CallerIdentity>> IdentifyAsync(IdentifyCaller request, CancellationToken ct)
    {
        var from = PhoneNumber.Normalize(request.From);
        if (await FindAsync(request.Tenant, from, ct).ConfigureAwait(false) is { } known)
        {
            return known.Disabled
                ? new Refusal("user.disabled", "The caller is a user who is disabled.")
                : known.Identity;
        }

        return request.Policy switch
        {
            GuestPolicy.Reject => new Refusal("caller.unknown", "The caller is not known to the tenant, and its policy rejects unknown callers."),
            GuestPolicy.StayUnknown => Stranger(request.Language, from),
            GuestPolicy.CreateGuest => from == PhoneNumber.Anonymous
                ? Stranger(request.Language, from)
                : await GuestAsync(request, from, ct).ConfigureAwait(false),
        };
    }

    public async ValueTask<Result<SipCredential>> FindCredentialAsync(string realm, string username, CancellationToken ct)
    {
        var unknown = new Refusal("credential.unknown", "There is no such SIP user name in the realm.");
        if (!DigestSecret.IsToken(realm) || !DigestSecret.IsToken(username))
        {
            return unknown;
        }

        var owner = await store.StateAsync<SipUserOwner>(Streams.SystemTenant, Streams.SipUser(realm, username), ct).ConfigureAwait(false);
        if (owner is not { Tenant: { } tenant, UserId: { } userId })
        {
            return unknown;
        }

        var user = await store.StateAsync<User>(tenant, Streams.User(userId), ct).ConfigureAwait(false);
        return user.Credentials.TryGetValue((realm, username), out var secret)
            ? new SipCredential(tenant, userId, realm, username, secret.Ha1Md5, secret.Ha1Sha256, user.Disabled)
            : unknown;
    }

    /// <summary>Looks without changing anything; null when the tenant knows nobody by that contact.</summary>
    internal async ValueTask<KnownCaller?> FindAsync(string tenant, string from, CancellationToken ct)
    {
        if (from == PhoneNumber.Anonymous)
        {
            return null;
        }

        var owner = await store.StateAsync<ContactOwner>(tenant, Streams.Contact(ContactValue.TypeOf(from), from), ct).ConfigureAwait(false);
        if (owner.UserId is not { } userId)
        {
            return null;
        }

        var user = await store.StateAsync<User>(tenant, Streams.User(userId), ct).ConfigureAwait(false);
        return new(new CallerIdentity(userId, user.Name, user.Type, user.Language, from, Created: false), user.Disabled);
    }

    // Two calls of one stranger at once: the claim of the contact lets one of them create the guest, the other finds it.
    private async ValueTask<Result<CallerIdentity>> GuestAsync(IdentifyCaller request, string from, CancellationToken ct)
    {
        var guest = new CreateUser(Guid.CreateVersion7(), GuestName(request.Language, from), UserType.Guest,
            Valid.Language(request.Language) ? request.Language : "tr", [new NewContact(ContactValue.TypeOf(from), from, Primary: true)]);
        var outcome = await guest.RunAsync(runner, new Requester(request.Tenant, Actor), ct).ConfigureAwait(false);
        if (outcome.Refusal is not { } refusal)
        {
            return new CallerIdentity(guest.UserId, guest.Name, UserType.Guest, guest.Language, from, Created: true);
        }

        return refusal.Code == "contact.taken" && await FindAsync(request.Tenant, from, ct).ConfigureAwait(false) is { Disabled: false } other
            ? other.Identity
            : refusal;
    }

    private static CallerIdentity Stranger(string language, string from) => new(null, null, null, language, from, Created: false);

    private static string GuestName(string language, string from) => (language == "en" ? "Guest " : "Misafir ") + from;
}

internal sealed record KnownCaller(CallerIdentity Identity, bool Disabled);
