namespace Sentiric.Sip;

/// <summary>
/// One request of ours up to its final response: finds the way, runs the client transaction, goes on to the next server when one fails
/// (RFC 3263 4.3), and answers a digest challenge once with a new transaction (RFC 3261 22.2). Owned by the shard's queue.
/// </summary>
internal sealed class UacExchange(
    SipShard shard, RequestDraft first, SipUri nextHop, SipTransportKind? wanted, SipTarget? flow, SipCredentials? credentials, Func<uint> nextSequence)
{
    /// <summary>A challenge, and one more when the nonce had gone stale.</summary>
    private const int MaxChallenges = 2;

    /// <summary>RFC 3261 18.1.1: a request beyond it goes over a stream, for nobody knows what the path carries.</summary>
    private const int MaxDatagramBytes = 1_300;

    /// <summary>A longer session interval, and once more at another callee (RFC 4028 7.3).</summary>
    private const int MaxAmendments = 2;

    private Action<OutgoingRequestResult> done = _ => { };

    /// <summary>Where to go when the present target fails, the next first.</summary>
    private IReadOnlyList<SipTarget> others = [];
    private int nextOther;
    private bool wasHeard;
    private bool settled;
    private int challenges;
    private int amendments;
    private bool finished;

    /// <summary>The request as last sent, credentials included.</summary>
    public RequestDraft Draft { get; private set; } = first;

    /// <summary>The transaction under way; null before the way is found.</summary>
    public ClientTransaction? Transaction { get; private set; }

    /// <summary>Where the request went by its URI; <see cref="Transaction"/> may have taken a stream to the same place for a large one.</summary>
    public SipTarget Way { get; private set; }

    public Action<SipResponse>? Provisional { get; init; }

    /// <summary>An open way that is taken instead of finding one.</summary>
    public SipFlow? Through { get; init; }

    /// <summary>The next server is tried: what the last one said provisionally does not count any more.</summary>
    public Action? MovedOn { get; init; }

    /// <summary>Every 2xx with the request it answers, copies and forks of an INVITE included.</summary>
    public Action<RequestDraft, SipResponse>? Success { get; init; }

    /// <summary>Adds what depends on the way, such as Contact, before the request is built.</summary>
    public Func<RequestDraft, SipTarget, RequestDraft>? Complete { get; init; }

    /// <summary>Makes a better request out of a refusal that says what is wrong; null when it cannot. It leaves with the next CSeq.</summary>
    public Func<RequestDraft, SipResponse, RequestDraft?>? Amend { get; init; }

    public void Begin(Action<OutgoingRequestResult> then)
    {
        done = then;
        // A value that the wire refuses must fail in the caller's face, not later when a name is resolved.
        Draft.Build("SIP/2.0/UDP unsent", shard.Options.UserAgentName);
        if (Through is { } open)
        {
            Reach(shard.Routes.TargetOf(open), []);
            return;
        }

        shard.Routes.ResolveAll(nextHop, wanted, flow, Reach);
    }

    private void Reach(SipTarget? first, IReadOnlyList<SipTarget> rest)
    {
        if (first is { } way)
        {
            others = rest;
            Start(way);
        }
        else
        {
            Finish(new OutgoingRequestResult(503, "The target cannot be reached from here", null));
        }
    }

    /// <summary>The user has given up: no other server is tried.</summary>
    public void Settle() => settled = true;

    private void Start(SipTarget way)
    {
        Way = way;
        Draft = Complete?.Invoke(Draft, way) ?? Draft;
        Send();
    }

    private void Send()
    {
        wasHeard = false;
        ClientTransaction transaction = Prepare(Way);
        if (transaction.Size > MaxDatagramBytes && Way.Transport.Kind == SipTransportKind.Udp && shard.Routes.StreamInsteadOf(Way) is { } stream)
        {
            transaction = Prepare(stream);
        }

        Transaction = transaction;
        shard.Begin(transaction);
    }

    private ClientTransaction Prepare(SipTarget target)
    {
        RequestDraft draft = Draft;
        return new ClientTransaction(shard, draft, target, SipShard.NewBranch(), response => Take(draft, response), Failed);
    }

    private void Take(RequestDraft draft, SipResponse response)
    {
        if (response.IsProvisional)
        {
            wasHeard = true;
            Provisional?.Invoke(response);
            return;
        }

        if (response.IsSuccess)
        {
            Success?.Invoke(draft, response);
        }
        else if (TryAnswerChallenge(response) || TryAmend(response) || (response.StatusCode == 503 && TryNext("503", RetryAfter(response))))
        {
            return;
        }

        Finish(new OutgoingRequestResult(response.StatusCode, response.Reason, response));
    }

    private bool TryAnswerChallenge(SipResponse response)
    {
        if (response.StatusCode is not (401 or 407) || credentials is null || challenges >= MaxChallenges || Transaction is null)
        {
            return false;
        }

        KeyValuePair<string, string>? answer = DigestClient.Answer(response, credentials, Draft.Method, Draft.Uri, isRetry: challenges > 0);
        if (answer is not { } header)
        {
            return false;
        }

        challenges++;
        IEnumerable<KeyValuePair<string, string>> kept = Draft.Headers.Where(one => !one.Key.Equals(header.Key, StringComparison.OrdinalIgnoreCase));
        Draft = Draft with { CSeq = nextSequence(), Headers = [.. kept, header] };
        Send();
        return true;
    }

    private bool TryAmend(SipResponse response)
    {
        if (amendments >= MaxAmendments || Transaction is null || Amend?.Invoke(Draft, response) is not { } better)
        {
            return false;
        }

        amendments++;
        Draft = better with { CSeq = nextSequence() };
        Send();
        return true;
    }

    private void Failed(ClientFailure why)
    {
        // A stream in place of a datagram that nobody takes: the datagram after all (18.1.1).
        if (why == ClientFailure.Transport && !settled && !shard.Stopping.IsCancellationRequested && Transaction is { } tried && tried.Target.Transport != Way.Transport)
        {
            shard.Routes.Resting.Rest(tried.Target);
            Send();
            return;
        }

        bool silent = why == ClientFailure.Transport || !wasHeard;
        if (silent && TryNext(why == ClientFailure.Timeout ? "silence" : "not sent", null))
        {
            return;
        }

        Finish(why switch
        {
            ClientFailure.Timeout => new OutgoingRequestResult(408, "No answer", null),
            ClientFailure.Transport => new OutgoingRequestResult(503, "The request could not be sent", null),
        });
    }

    /// <summary>RFC 3263 4.3: the same request with a new branch to the next place.</summary>
    private bool TryNext(string why, TimeSpan? rest)
    {
        if (settled || nextOther >= others.Count || shard.Stopping.IsCancellationRequested)
        {
            return false;
        }

        SipLog.TargetFailed(shard.Options.Logger, Way.Transport.Kind, Way.Remote, why);
        shard.Routes.Resting.Rest(Way, rest);
        MovedOn?.Invoke();
        Start(others[nextOther++]);
        return true;
    }

    private static TimeSpan? RetryAfter(SipResponse response) => response.Number("Retry-After") is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    private void Finish(OutgoingRequestResult result)
    {
        if (!finished)
        {
            finished = true;
            done(result);
        }
    }
}
