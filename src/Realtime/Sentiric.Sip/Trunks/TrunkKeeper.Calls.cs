namespace Sentiric.Sip;

/// <summary>Placing calls: the toll policy first, then trunk after trunk.</summary>
public sealed partial class TrunkKeeper
{
    /// <summary>The account that the calls of all trunks count under.</summary>
    public const string AllTrunks = "";

    private const string AnyTrunk = "any trunk";
    private readonly TollPolicy toll;

    /// <summary>By the name of the trunk, of those that have rules of their own.</summary>
    private readonly Dictionary<string, TollPolicy> tolls;

    /// <summary>Whether the policy lets a number be called at all, by us or by somebody whom we ask to (the target of a REFER). Counts nothing.</summary>
    public TollRefusal Check(string number) => toll.Check(number);

    /// <summary>When the day began whose talk time is counted for all trunks.</summary>
    public DateTimeOffset DayBegan => toll.DayBegan;

    /// <summary>Talk time of today from before the start of this process, over one trunk; null: over one that is no longer here.</summary>
    public void Remember(string? trunk, TimeSpan talked)
    {
        toll.Remember(AllTrunks, talked);
        if (trunk is not null && tolls.TryGetValue(trunk, out TollPolicy? own))
        {
            own.Remember(trunk, talked);
        }
    }

    /// <summary>
    /// Tries trunk after trunk until one takes the call or refuses it for a reason that another would have too (busy, unknown number, declined).
    /// What the toll policy forbids is not dialled; a trunk whose own rules forbid it is passed over. Talk time is counted when the answered call ends.
    /// </summary>
    /// <param name="ct">Gives the call up: CANCEL, or BYE when the answer crosses it.</param>
    public async Task<TrunkCallResult> CallAsync(TrunkCall call, CancellationToken ct = default)
    {
        TollVerdict verdict = toll.TryBegin(AllTrunks, call.Number);
        if (verdict.Call is not { } counted)
        {
            return Forbidden(AnyTrunk, verdict.Refusal);
        }

        TrunkCallResult? result = null;
        try
        {
            result = await CallAsync(call, verdict.MaxTalk, ct).ConfigureAwait(false);
            return result;
        }
        finally
        {
            EndWith(toll, counted, result?.Result.Dialog);
        }
    }

    private async Task<TrunkCallResult> CallAsync(TrunkCall call, TimeSpan maxTalk, CancellationToken ct)
    {
        var last = new TrunkCallResult(null, new OutgoingCallResult(null, null, 503, "There is no trunk for it", false, null));
        foreach (SipTrunk trunk in Order())
        {
            if (ct.IsCancellationRequested)
            {
                return last;
            }

            TollPolicy? own = tolls.GetValueOrDefault(trunk.Name);
            TollVerdict? verdict = own?.TryBegin(trunk.Name, call.Number);
            if (verdict is { IsAllowed: false })
            {
                // What another trunk said about the call tells more than this.
                last = last.Trunk is null ? Forbidden(trunk.Name, verdict.Refusal) : last;
                continue;
            }

            OutgoingCallResult result = await TryAsync(call, trunk, own, verdict?.Call, ct).ConfigureAwait(false);
            last = new TrunkCallResult(trunk, result, MaxTalk: verdict is { MaxTalk: var less } && less < maxTalk ? less : maxTalk);
            if (!GoesOn(trunk, result))
            {
                return last;
            }
        }

        return last;
    }

    private IReadOnlyList<SipTrunk> Order()
    {
        lock (gate)
        {
            return TrunkOrder.Of(table.All, trunk => heard.GetValueOrDefault(trunk.Name).Health.State, dice);
        }
    }

    private async Task<OutgoingCallResult> TryAsync(TrunkCall call, SipTrunk trunk, TollPolicy? own, TollCall? counted, CancellationToken ct)
    {
        OutgoingCallResult? result = null;
        try
        {
            placed.AddOrUpdate(trunk.Name, 1, (_, count) => count + 1);
            result = await PlaceAsync(call, trunk, ct).ConfigureAwait(false);
            return result;
        }
        finally
        {
            CountEnd(trunk, result);
            if (own is not null && counted is not null)
            {
                EndWith(own, counted, result?.Dialog);
            }
        }
    }

    /// <summary>Whether the next trunk may fare better.</summary>
    private bool GoesOn(SipTrunk trunk, OutgoingCallResult result)
    {
        if (result.WasCancelled || result is { Response: null, StatusCode: 488 })
        {
            return false;
        }

        bool answered = TrunkHealth.IsAnswer(result.StatusCode, result.Response is not null || result.IsAnswered);
        Note(trunk, answered, null, $"a call was told {result.StatusCode}");
        return !answered;
    }

    /// <summary>An answered call is counted when it ends, with the time that it was up; any other at once, with none.</summary>
    private void EndWith(TollPolicy policy, TollCall counted, SipDialog? answered)
    {
        if (answered is null)
        {
            policy.End(counted, TimeSpan.Zero);
            return;
        }

        DateTimeOffset from = time.GetUtcNow();
        _ = answered.Ended.ContinueWith(
            ended => policy.End(counted, ended.Result.At - from), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private TrunkCallResult Forbidden(string trunk, TollRefusal refusal)
    {
        SipLog.TollRefused(logger, trunk, refusal);
        CountForbidden(trunk, refusal);
        return new(null, new OutgoingCallResult(null, null, 403, $"Toll: {refusal}", false, null), refusal);
    }

    private async Task<OutgoingCallResult> PlaceAsync(TrunkCall call, SipTrunk trunk, CancellationToken ct)
    {
        if (await call.Offer(trunk).ConfigureAwait(false) is not { } offer)
        {
            return new OutgoingCallResult(null, null, 488, "There is no offer for it", false, null);
        }

        var (from, headers) = SipIdentity.Present(call.Caller, call.WithholdsIdentity, trunk);
        OutgoingCall placed = await endpoint.InviteAsync(new OutgoingInvite
        {
            Target = TargetAt(trunk, call.Number),
            From = from,
            Offer = offer,
            OfferHandler = call.OfferHandler,
            Headers = headers,
            Credentials = trunk.Credentials,
            MaxRingTime = call.MaxRingTime,
        }).ConfigureAwait(false);
        call.Placed?.Invoke(trunk, placed);
        await using var giveUp = ct.Register(() => _ = placed.CancelAsync());
        return await placed.Completed.ConfigureAwait(false);
    }

    /// <summary>A number at the trunk's host, with its port and parameters: whom to call there, and what a REFER to that carrier names.</summary>
    /// <exception cref="ArgumentException">The trunk takes no calls.</exception>
    public static SipUri TargetAt(SipTrunk trunk, string number)
    {
        SipUri target = trunk.Target ?? throw new ArgumentException($"Trunk {trunk.Name} takes no calls.", nameof(trunk));
        string text = target.ToString();
        int host = text.IndexOf(target.Host, target.User is null ? target.Scheme.Length : target.Scheme.Length + target.User.Length, StringComparison.Ordinal);
        return SipUri.Parse($"{target.Scheme}:{SipUri.Escape(number)}@{text[host..]}");
    }
}
