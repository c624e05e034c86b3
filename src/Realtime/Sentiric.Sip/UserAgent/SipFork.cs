namespace Sentiric.Sip;

/// <summary>
/// One call to several places at once, such as the contacts of an address of record (RFC 3261 16.6, made by a user agent: each place gets a call of its own). The first that answers has the call, the others
/// hear CANCEL with a reason (RFC 3326); one that answers all the same is acknowledged and hears BYE. Who declines for everybody (6xx) ends it everywhere. Without an answer the best
/// refusal counts (16.7).
/// </summary>
public static class SipFork
{
    private const string Elsewhere = "SIP;cause=200;text=\"Call completed elsewhere\"";

    /// <summary>Completes when one has answered, or when all have refused; never faults for what a peer does.</summary>
    /// <param name="branches">One to a few; the same offer may stand in all of them.</param>
    /// <param name="placed">Told of each before it is known what comes of it, in their order.</param>
    /// <param name="ct">Gives all of them up.</param>
    /// <exception cref="ArgumentException">There is no branch, or a value holds CR, LF or NUL.</exception>
    public static async Task<OutgoingCallResult> CallAsync(
        SipEndpoint endpoint, IReadOnlyList<OutgoingInvite> branches, Action<OutgoingCall>? placed = null, CancellationToken ct = default)
    {
        if (branches.Count == 0)
        {
            throw new ArgumentException("A call needs somebody to call.", nameof(branches));
        }

        var calls = new List<OutgoingCall>(branches.Count);
        try
        {
            foreach (OutgoingInvite branch in branches)
            {
                OutgoingCall call = await endpoint.InviteAsync(branch).ConfigureAwait(false);
                calls.Add(call);
                placed?.Invoke(call);
            }
        }
        catch
        {
            await CancelAsync(calls, null).ConfigureAwait(false);
            throw;
        }

        await using CancellationTokenRegistration giveUp = ct.Register(() => _ = CancelAsync(calls, null));
        return await FirstAsync(calls).ConfigureAwait(false);
    }

    private static async Task<OutgoingCallResult> FirstAsync(List<OutgoingCall> calls)
    {
        var ends = new List<OutgoingCallResult>(calls.Count);
        List<OutgoingCall> ringing = [.. calls];
        while (ringing.Count > 0)
        {
            await Task.WhenAny(ringing.Select(call => call.Completed)).ConfigureAwait(false);
            OutgoingCall over = ringing.First(call => call.Completed.IsCompleted);
            ringing.Remove(over);
            OutgoingCallResult result = await over.Completed.ConfigureAwait(false);
            if (result.IsAnswered)
            {
                _ = LetGoAsync(ringing);
                return result;
            }

            ends.Add(result);
            if (result.StatusCode >= 600)
            {
                await CancelAsync(ringing, null).ConfigureAwait(false);
            }
        }

        return ends.MinBy(Rank)!;
    }

    private static async Task LetGoAsync(List<OutgoingCall> others)
    {
        await CancelAsync(others, Elsewhere).ConfigureAwait(false);
        foreach (OutgoingCall other in others)
        {
            // It had answered before it could hear of the CANCEL.
            if ((await other.Completed.ConfigureAwait(false)).Dialog is { } late)
            {
                await late.ByeAsync(Elsewhere).ConfigureAwait(false);
            }
        }
    }

    // A call that is complete does nothing when it is cancelled.
    private static Task CancelAsync(List<OutgoingCall> calls, string? reason) => Task.WhenAll(calls.Select(call => call.CancelAsync(reason)));

    /// <summary>RFC 3261 16.7 6: 6xx before all, else the lowest class; busy says more than not found, and any of them more than nobody's answer.</summary>
    private static int Rank(OutgoingCallResult result) => result switch
    {
        { StatusCode: >= 600 } => 0,
        { WasCancelled: true } => 2_000,
        { Response: null } => 1_000 + result.StatusCode,
        { StatusCode: 486 } => 400,
        _ => result.StatusCode / 100 * 100 + 1 + result.StatusCode % 100,
    };
}
