using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Sip;

namespace Sentiric.Calls.Registration;

/// <summary>Phones that register: credentials come from the users service, what happens goes to the stream of the registration.</summary>
/// <param name="hosts">Hosts that may stand in an address of record besides the realm: those that the platform listens on.</param>
/// <param name="locations">Where each phone is.</param>
public sealed class Phones(
    IUsers users, FactWriter facts, string realm, IReadOnlyList<string> hosts, ILocationStore locations, TimeProvider clock, SipGuard? guard = null) : ICredentialStore
{
    private const string Actor = "sip";
    private const string NobodysTenant = CallLog.NobodysTenant;

    public ISipRegistrar Registrar() => new Registrar(new DigestServer(realm, this, clock), locations, clock, told: Tell, guard: guard);

    public async ValueTask<SipAccount?> FindAsync(string realm, string userName, CancellationToken ct)
    {
        var found = await users.FindCredentialAsync(realm, userName, ct);
        if (!found.Ok || found.Value.Disabled)
        {
            return null;
        }

        var credential = found.Value;
        return new(realm, userName, credential.Ha1Md5, credential.Ha1Sha256, [.. AddressesOf(userName)]);
    }

    /// <summary>Where the phones of one user name are now, none when it has not registered; null when no user of the tenant has the name.</summary>
    public async ValueTask<IReadOnlyList<SipLocation>?> ContactsAsync(string tenant, string userName, CancellationToken ct)
    {
        if (await OfTenantAsync(tenant, userName, ct) is not { } credential)
        {
            return null;
        }

        var (now, contacts) = (clock.GetUtcNow(), new List<SipLocation>());
        foreach (var address in credential.Disabled ? [] : AddressesOf(userName))
        {
            contacts.AddRange((await locations.FindAsync(address, ct)).Where(contact => contact.ExpiresAt > now));
        }

        return contacts.DistinctBy(contact => contact.Contact.ToString()).ToList();
    }

    /// <summary>Null when no user of the tenant has a telephone of that name.</summary>
    internal async ValueTask<SipCredential?> OfTenantAsync(string tenant, string userName, CancellationToken ct) =>
        await users.FindCredentialAsync(realm, userName, ct) is { Ok: true, Value: var credential } && credential.Tenant == tenant ? credential : null;

    /// <summary>Every address of record that the name may register, the realm's first.</summary>
    internal IEnumerable<string> AddressesOf(string userName) => hosts.Prepend(realm).Distinct().Select(host => SipUri.Parse($"sip:{userName}@{host}").AddressOfRecord);

    private void Tell(SipRegistration registration)
    {
        // 401 is the ordinary first answer of the digest dance; 403 and a stale password are news.
        if (registration.UserName is not { Length: > 0 } user)
        {
            return;
        }

        var address = registration.AddressOfRecord ?? "";
        object fact = registration switch
        {
            // The contact that a REGISTER brings or refreshes is the last of the address.
            { StatusCode: 200, Contacts: [.., var last] } => new SipRegistered(
                registration.At, address, last.Contact.ToString(), (int)(last.ExpiresAt - registration.At).TotalSeconds, last.UserAgent ?? ""),
            { StatusCode: 200 } => new SipUnregistered(registration.At, address, ""),
            _ => new SipAuthFailed(registration.At, user, registration.Source.ToString(), $"answered {registration.StatusCode}"),
        };
        facts.Write(NobodysTenant, Streams.Registration(realm, user), fact, Actor);
    }
}
