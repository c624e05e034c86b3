using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Sip;

namespace Sentiric.Calls;

/// <summary>The way out: trunks, once SIP listens, and the name that we have in the From of our calls.</summary>
public sealed class OutgoingLines
{
    /// <summary>A call that is asked for while the process starts waits so long.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource<(TrunkKeeper Trunks, string Host)> _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="host">Address that peers know us by.</param>
    public void Open(TrunkKeeper trunks, string host) => _open.TrySetResult((trunks, host));

    /// <summary>Null when SIP does not listen in time.</summary>
    public async Task<TrunkKeeper?> TrunksAsync(TimeProvider clock, CancellationToken ct)
    {
        try
        {
            return (await _open.Task.WaitAsync(StartPatience, clock, ct)).Trunks;
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    /// <summary>Who a tenant's number is in a From. After <see cref="TrunksAsync"/> gave something.</summary>
    public NameAddr CallerFor(string number) => NameAddr.Create(null, SipUri.Create(number, _open.Task.Result.Host));

    /// <summary>What a trunk's equipment bears.</summary>
    public static MediaProfile ProfileOf(SipTrunk trunk) => new(trunk.Profile.Codecs, trunk.Profile.TelephoneEvent, trunk.Profile.Srtp);

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
}
