using Sentiric.Calls.Registration;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Contracts.Text;
using Sentiric.Sip;

namespace Sentiric.Calls;

/// <summary>Somebody to call.</summary>
public sealed record OutgoingLine
{
    /// <summary>A number, an extension, or the name that a phone registers under.</summary>
    public required string To { get; init; }

    /// <summary>The tenant's number: who we are for a carrier.</summary>
    public required string From { get; init; }

    /// <summary>Who a phone of the tenant itself is shown; null: <see cref="From"/>.</summary>
    public string? ShownInside { get; init; }

    public bool Withheld { get; init; }

    public required TimeSpan RingTime { get; init; }

    /// <summary>SDP for a trunk, or for phones when null. Null gives the call up with 488.</summary>
    public required Func<SipTrunk?, ValueTask<string?>> Offer { get; init; }

    public required Func<SipReinvite, Task<SipReinviteAnswer>> OfferHandler { get; init; }

    /// <summary>Told of each INVITE; the trunk is null for a phone's.</summary>
    public required Action<SipTrunk?, OutgoingCall> Placed { get; init; }
}

/// <summary>The ways out, once SIP listens: phones that registered here, and trunks; and the name that we have in the From of our calls.</summary>
/// <param name="phones">Null: no phone registers here.</param>
public sealed class OutgoingLines(Phones? phones = null)
{
    /// <summary>A call that is asked for while the process starts waits so long.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource<Way> _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="host">Address that peers know us by.</param>
    public void Open(SipEndpoint endpoint, TrunkKeeper trunks, string host) => _open.TrySetResult(new(endpoint, trunks, host));

    /// <summary>Null when SIP does not listen in time.</summary>
    public async Task<TrunkKeeper?> TrunksAsync(TimeProvider clock, CancellationToken ct) => (await WayAsync(clock, ct))?.Trunks;

    /// <summary>
    /// Calls. An extension or a name that a phone of the tenant has is that phone, at all of its contacts at once and past the toll rules, for it costs nothing; everything else goes over the trunks.
    /// Null when SIP does not listen in time.
    /// </summary>
    public async Task<TrunkCallResult?> CallAsync(string tenant, OutgoingLine line, TimeProvider clock, CancellationToken givenUp)
    {
        if (await WayAsync(clock, givenUp) is not { } way)
        {
            return null;
        }

        if (!MayBePhone(line.To) || phones is null || await phones.ContactsAsync(tenant, line.To, givenUp) is not { } contacts)
        {
            return PhoneNumber.IsDialable(line.To) ? await OverTrunksAsync(way, line, givenUp) : Failed(404);
        }

        return contacts.Count == 0 ? Failed(480) : await AtPhonesAsync(way, line, contacts, givenUp);
    }

    private static Task<TrunkCallResult> OverTrunksAsync(Way way, OutgoingLine line, CancellationToken givenUp) => way.Trunks.CallAsync(
        new TrunkCall
        {
            Number = line.To,
            Caller = Caller(way, line.From),
            WithholdsIdentity = line.Withheld,
            MaxRingTime = line.RingTime,
            Offer = trunk => line.Offer(trunk),
            OfferHandler = line.OfferHandler,
            Placed = (trunk, placed) => line.Placed(trunk, placed),
        },
        givenUp);

    private static async Task<TrunkCallResult> AtPhonesAsync(Way way, OutgoingLine line, IReadOnlyList<SipLocation> contacts, CancellationToken givenUp)
    {
        if (await line.Offer(null) is not { } offer)
        {
            return Failed(488);
        }

        var branches = contacts.Select(contact => new OutgoingInvite
        {
            Target = contact.Contact,
            From = Caller(way, line.ShownInside ?? line.From),
            Offer = offer,
            OfferHandler = line.OfferHandler,
            Flow = contact.Flow,
            MaxRingTime = line.RingTime,
        });
        var result = await SipFork.CallAsync(way.Endpoint, [.. branches], placed => line.Placed(null, placed), givenUp);
        return new(null, result, MaxTalk: TimeSpan.MaxValue);
    }

    private static TrunkCallResult Failed(int status) => new(null, new OutgoingCallResult(null, null, status, "", false, null));

    private static NameAddr Caller(Way way, string number) => NameAddr.Create(null, SipUri.Create(number, way.Host));

    /// <summary>An extension or a name may be a phone of ours, which no carrier reaches; a number in E.164 is nobody's: a lookup less for most calls.</summary>
    public static bool MayBePhone(string to) => !to.StartsWith('+');

    private async Task<Way?> WayAsync(TimeProvider clock, CancellationToken ct)
    {
        try
        {
            return await _open.Task.WaitAsync(StartPatience, clock, ct);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    /// <summary>What a trunk's equipment bears; null for a phone.</summary>
    public static MediaProfile? ProfileOf(SipTrunk? trunk) => trunk is { Profile: var profile } ? new(profile.Codecs, profile.TelephoneEvent, profile.Srtp) : null;

    /// <summary>Null for a call that the rules let through.</summary>
    public static TollRule? RuleOf(TollRefusal refusal) => refusal switch
    {
        TollRefusal.None => null,
        TollRefusal.NoNumber or TollRefusal.Host => TollRule.NoNumber,
        TollRefusal.Prefix => TollRule.Prefix,
        TollRefusal.Concurrent => TollRule.Concurrent,
        TollRefusal.DayUsedUp => TollRule.DayUsedUp,
        TollRefusal.TooManyAccounts => TollRule.TooManyAccounts,
    };

    private sealed record Way(SipEndpoint Endpoint, TrunkKeeper Trunks, string Host);
}
