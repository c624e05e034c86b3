using System.Globalization;
using System.Net;

namespace Sentiric.Sip;

/// <summary>How long contacts live and how many there may be.</summary>
public sealed record RegistrarLimits
{
    public TimeSpan Default { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Shorter wishes get 423.</summary>
    public TimeSpan Shortest { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longer wishes are cut to this.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromHours(24);

    public int ContactsPerAddress { get; init; } = 10;
}

/// <summary>What a REGISTER came to. <paramref name="AddressOfRecord"/> is null when the request did not get that far.</summary>
public sealed record SipRegistration(
    int StatusCode, string? AddressOfRecord, string? UserName, IReadOnlyList<SipLocation> Contacts, IPEndPoint Source, DateTimeOffset At);

/// <summary>The registrar of RFC 3261 10.3: authenticates, checks that the user owns the address, keeps several contacts per address.</summary>
public sealed class Registrar(
    DigestServer digest, ILocationStore locations, TimeProvider time, RegistrarLimits? limits = null, Action<SipRegistration>? told = null, SipGuard? guard = null) : ISipRegistrar
{
    private readonly RegistrarLimits limits = limits ?? new RegistrarLimits();

    public async Task<SipAnswer> RegisterAsync(SipRequest request, IPEndPoint source, CancellationToken ct)
    {
        // Step 5 before the others: an address that cannot be registered needs no password (RFC 4475 3.3.4).
        if (!request.To.Uri.IsSip)
        {
            return Tell(new SipAnswer(400, "The address of record must be a SIP URI"), null, null, [], source);
        }

        DigestVerdict verdict = await digest.CheckAsync(request, ct).ConfigureAwait(false);
        if (verdict.UserName is { } claimed && IsLockedOut(verdict.Outcome, source.Address, claimed))
        {
            // As for an address that is not one's own, so that nobody learns whether the password was right.
            return Tell(new SipAnswer(403), request.To.Uri.AddressOfRecord, claimed, [], source);
        }

        string address = request.To.Uri.AddressOfRecord;
        if (verdict.Account is not { } account)
        {
            return Tell(verdict.Challenge ?? new SipAnswer(401), address, verdict.UserName, [], source);
        }

        if (!account.Owns(address))
        {
            return Tell(new SipAnswer(403), address, account.UserName, [], source);
        }

        SipAnswer? refusal = Refusal(request);
        if (refusal is not null)
        {
            return Tell(refusal, address, account.UserName, [], source);
        }

        SipAnswer? fault = null;
        IReadOnlyList<SipLocation> contacts = await locations.UpdateAsync(address, known => Change(request, source, known, out fault), ct).ConfigureAwait(false);
        SipAnswer answer = fault ?? new SipAnswer(200, null, contacts.Select(Contact).ToList());
        return Tell(answer, address, account.UserName, contacts, source);
    }

    /// <summary>Counts wrong passwords; who is locked out is so with the right one as well.</summary>
    private bool IsLockedOut(DigestOutcome outcome, IPAddress source, string user)
    {
        if (guard?.LockOut is not { } lockOut)
        {
            return false;
        }

        bool locked = lockOut.IsLockedOut(source, user);
        if (outcome == DigestOutcome.Wrong)
        {
            lockOut.Failed(source, user);
            guard.Tell(source, GuardReason.WrongPassword);
        }
        else if (outcome == DigestOutcome.Authenticated && !locked)
        {
            lockOut.Succeeded(source, user);
        }

        return locked;
    }

    /// <summary>Steps 6 and 7: "*" only alone and with Expires 0; no interval that is too brief.</summary>
    private SipAnswer? Refusal(SipRequest request)
    {
        if (request.HasStarContact)
        {
            bool clears = request.Contacts.Count == 0 && request.Number("Expires") == 0;
            return clears ? null : new SipAnswer(400, "Contact * needs Expires 0 and no other contact");
        }

        if (request.Contacts.Count > limits.ContactsPerAddress)
        {
            return new SipAnswer(403, "Too many contacts");
        }

        bool tooBrief = request.Contacts.Select(contact => ExpiresSeconds(request, contact)).Any(seconds => seconds > 0 && seconds < limits.Shortest.TotalSeconds);
        return tooBrief
            ? new SipAnswer(423, null, [new("Min-Expires", ((long)limits.Shortest.TotalSeconds).ToString(CultureInfo.InvariantCulture))])
            : null;
    }

    /// <summary>All or nothing: one binding that is out of order leaves every binding as it was.</summary>
    private IReadOnlyList<SipLocation> Change(SipRequest request, IPEndPoint source, IReadOnlyList<SipLocation> known, out SipAnswer? fault)
    {
        DateTimeOffset now = time.GetUtcNow();
        List<SipLocation> live = known.Where(location => location.ExpiresAt > now).ToList();
        var changed = new List<SipLocation>(live);
        fault = null;
        bool touchesAll = request.HasStarContact;
        foreach (SipLocation location in live.Where(location => touchesAll || request.Contacts.Any(contact => Same(contact.Uri, location.Contact))))
        {
            if (location.CallId.Equals(request.CallId, StringComparison.Ordinal) && request.CSeq.Number <= location.CSeq)
            {
                fault = new SipAnswer(500, "Out of order");
                return live;
            }

            changed.Remove(location);
        }

        changed.AddRange(request.Contacts
            .Where(contact => ExpiresSeconds(request, contact) > 0)
            .Select(contact => new SipLocation(contact.Uri, request.CallId, request.CSeq.Number, now.AddSeconds(ExpiresSeconds(request, contact)), source, TransportOf(request))
            {
                RegisteredAt = live.Find(known => Same(known.Contact, contact.Uri)) is { } before ? before.RegisteredAt : now,
                UserAgent = Printable(request.Header("User-Agent")),
                Q = Quality(contact),
            }));
        if (changed.Count > limits.ContactsPerAddress)
        {
            fault = new SipAnswer(403, "Too many contacts");
            return live;
        }

        return changed;
    }

    /// <summary>What the peer says that it sent over; a message that came over another than its Via says is never answered there either.</summary>
    private static SipTransportKind TransportOf(SipRequest request) => request.TopVia.Transport switch
    {
        "TCP" => SipTransportKind.Tcp,
        "TLS" => SipTransportKind.Tls,
        "WS" => SipTransportKind.Ws,
        "WSS" => SipTransportKind.Wss,
        _ => SipTransportKind.Udp,
    };

    /// <summary>The contact's own parameter, else the header, else the default; what does not fit a number defaults (RFC 4475 3.1.2.4).</summary>
    private double ExpiresSeconds(SipRequest request, NameAddr contact)
    {
        bool own = uint.TryParse(contact.Parameter("expires"), NumberStyles.None, CultureInfo.InvariantCulture, out uint seconds);
        uint wished = own ? seconds : request.Number("Expires") ?? (uint)limits.Default.TotalSeconds;
        return Math.Min(wished, limits.Longest.TotalSeconds);
    }

    /// <summary>RFC 3261 20.10 and 25.1 (qvalue); what is none counts as no wish.</summary>
    private static double? Quality(NameAddr contact) =>
        double.TryParse(contact.Parameter("q"), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double q) && q is >= 0 and <= 1 ? q : null;

    // It ends up before people, on terminals too.
    private static string? Printable(string? userAgent)
    {
        if (userAgent is null)
        {
            return null;
        }

        string plain = string.Concat(userAgent.Where(letter => !char.IsControl(letter)).Take(SipLocation.LongestUserAgent)).Trim();
        return plain.Length > 0 ? plain : null;
    }

    /// <summary>RFC 3261 19.1.4 in what tells phones apart: scheme, user, host, port and transport.</summary>
    private static bool Same(SipUri one, SipUri other) => CanonicalContact(one).Equals(CanonicalContact(other), StringComparison.Ordinal);

    private static string CanonicalContact(SipUri uri) => uri.IsSip
        ? string.Create(CultureInfo.InvariantCulture, $"{uri.Scheme}:{uri.UserText}@{uri.Host.ToLowerInvariant()}:{uri.Port};{uri.Parameter("transport")?.ToLowerInvariant()}")
        : uri.ToString();

    private KeyValuePair<string, string> Contact(SipLocation location)
    {
        long seconds = Math.Max(0, (long)Math.Ceiling((location.ExpiresAt - time.GetUtcNow()).TotalSeconds));
        return new("Contact", string.Create(CultureInfo.InvariantCulture, $"<{location.Contact}>;expires={seconds}"));
    }

    private SipAnswer Tell(SipAnswer answer, string? address, string? userName, IReadOnlyList<SipLocation> contacts, IPEndPoint source)
    {
        told?.Invoke(new SipRegistration(answer.StatusCode, address, userName, contacts, source, time.GetUtcNow()));
        return answer;
    }
}
