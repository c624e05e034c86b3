using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Services;
using Sentiric.Sip;

namespace Sentiric.Calls.Registration;

/// <summary>Who is registered and who is not: the extensions of a tenant beside what the registrar knows of each.</summary>
public sealed class PhoneList(IExtensions extensions, Phones phones, ILocationStore locations, FactWriter facts, string realm, TimeProvider clock) : IRegistrations
{
    /// <summary>Extensions are looked through in parts while one state is asked for; so many parts make a page at most.</summary>
    private const int MostParts = 20;

    private const char IdMark = ':', CursorMark = '@'; // Neither may be in a user name.
    private const int HashDigits = 12;

    public async ValueTask<Page<RegistrationRow>> ListAsync(RegistrationQuestion question, CancellationToken ct)
    {
        var limit = Math.Clamp(question.Limit, 1, ExtensionQuestion.MostAtOnce);
        var part = question.State is null ? Math.Min(limit + 1, ExtensionQuestion.MostAtOnce) : ExtensionQuestion.MostAtOnce;
        var (rows, shown, after) = (new List<RegistrationRow>(), 0, ReadCursor(question.Cursor));
        for (var parts = 0; parts < MostParts; parts++)
        {
            var found = await extensions.ListAsync(new(question.Tenant, question.Extension, after?.Name, after?.Realm, part), ct);
            foreach (var (extension, its) in await RowsAsync(found, ct))
            {
                var fitting = its.Where(row => question.State is null || row.State == question.State).ToList();
                if (fitting.Count > 0 && shown++ == limit)
                {
                    return new(rows, Cursor(after));
                }

                rows.AddRange(fitting);
                after = (extension.Name, extension.Realm);
            }

            if (found.Count < part)
            {
                return new(rows, null);
            }
        }

        return new(rows, Cursor(after));
    }

    public async ValueTask<Result<Done>> RemoveAsync(RemoveRegistration request, CancellationToken ct)
    {
        var name = request.Which.Split(IdMark)[0];
        if (await phones.OfTenantAsync(request.Tenant, name, ct) is null)
        {
            return new Refusal("registration.unknown", $"Tenant '{request.Tenant}' has no extension '{name}' in realm '{realm}'.");
        }

        foreach (var address in phones.AddressesOf(name))
        {
            await ForgetAsync(address, name, request, ct);
        }

        return Done.It;
    }

    private async Task ForgetAsync(string address, string name, RemoveRegistration request, CancellationToken ct)
    {
        IReadOnlyList<SipLocation> gone = [];
        await locations.UpdateAsync(
            address,
            known =>
            {
                gone = [.. known.Where(location => request.Which == name || request.Which == IdOf(name, address, location))];
                return [.. known.Except(gone)];
            }, ct);
        var now = clock.GetUtcNow();
        foreach (var location in gone.Where(location => location.ExpiresAt > now))
        {
            facts.Write(CallLog.NobodysTenant, Streams.Registration(realm, name), new SipUnregistered(now, address, location.Contact.ToString()), request.Actor);
        }
    }

    /// <summary>What is known of each extension, asked for at once.</summary>
    private async ValueTask<IEnumerable<(Extension Extension, IReadOnlyList<RegistrationRow> Rows)>> RowsAsync(IReadOnlyList<Extension> found, CancellationToken ct)
    {
        var asked = found.SelectMany(extension => Addresses(extension).Select(address => (extension, address))).ToList();
        var known = await locations.FindAllAsync([.. asked.Select(one => one.address)], ct);
        var now = clock.GetUtcNow();
        var rows = asked.Zip(known)
            .SelectMany(at => at.Second.Where(location => location.ExpiresAt > now).Select(location => Row(at.First.extension, at.First.address, location, now)))
            .ToLookup(row => (row.Extension, row.Realm));
        return found.Select(extension => (extension, rows[(extension.Name, extension.Realm)].ToList() is { Count: > 0 } its ? (IReadOnlyList<RegistrationRow>)its : [Absent(extension)]));
    }

    // A password for another realm opens nothing here; the name of a person who was forgotten is no name.
    private IEnumerable<string> Addresses(Extension extension) =>
        extension.Realm == realm && SipUri.TryParse($"sip:{extension.Name}@{realm}", out _) ? phones.AddressesOf(extension.Name) : [];

    private RegistrationRow Absent(Extension e) => new(e.Name, e.Realm, e.UserId, e.UserName, TelephoneState.NotRegistered, e.Disabled, e.Realm != realm);

    private RegistrationRow Row(Extension e, string address, SipLocation at, DateTimeOffset now) => Absent(e) with
    {
        State = TelephoneState.Registered,
        Id = IdOf(e.Name, address, at),
        AddressOfRecord = address,
        Contact = at.Contact.ToString(),
        Transport = NameOf(at.Transport),
        SourceAddress = at.Source.Address.ToString(),
        SourcePort = at.Source.Port,
        UserAgent = at.UserAgent,
        RegisteredAt = at.RegisteredAt,
        ExpiresAt = at.ExpiresAt,
        ExpiresInSeconds = (long)Math.Ceiling((at.ExpiresAt - now).TotalSeconds),
        Q = at.Q,
        CallId = at.CallId,
    };

    /// <summary>The same for as long as the telephone keeps its contact.</summary>
    private static string IdOf(string name, string address, SipLocation location) => string.Create(
        CultureInfo.InvariantCulture, $"{name}{IdMark}{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{address} {location.Contact}")))[..HashDigits]}");

    private static string NameOf(SipTransportKind transport) => transport switch
    {
        SipTransportKind.Udp => "udp",
        SipTransportKind.Tcp => "tcp",
        SipTransportKind.Tls => "tls",
        SipTransportKind.Ws => "ws",
        SipTransportKind.Wss => "wss",
    };

    private static string? Cursor((string Name, string Realm)? after) => after is { } last ? $"{last.Name}{CursorMark}{last.Realm}" : null;

    private static (string Name, string Realm)? ReadCursor(string? cursor) => cursor?.Split(CursorMark) is [var name, var realm] ? (name, realm) : null;
}
