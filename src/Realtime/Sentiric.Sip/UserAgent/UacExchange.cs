namespace Sentiric.Sip;

/// <summary>
/// One request of ours up to its final response: finds the way, runs the client transaction, and answers a digest challenge
/// once with a new transaction (RFC 3261 22.2). Owned by the shard's queue.
/// </summary>
internal sealed class UacExchange(
    SipShard shard, RequestDraft first, SipUri nextHop, SipTransportKind? wanted, SipTarget? flow, SipCredentials? credentials, Func<uint> nextSequence)
{
    /// <summary>A challenge, and one more when the nonce had gone stale.</summary>
    private const int MaxChallenges = 2;

    private Action<OutgoingRequestResult> done = _ => { };
    private int challenges;
    private bool finished;

    /// <summary>The request as last sent, credentials included.</summary>
    public RequestDraft Draft { get; private set; } = first;

    /// <summary>The transaction under way; null before the way is found.</summary>
    public ClientTransaction? Transaction { get; private set; }

    public Action<SipResponse>? Provisional { get; init; }

    /// <summary>Every 2xx with the request it answers, copies and forks of an INVITE included.</summary>
    public Action<RequestDraft, SipResponse>? Success { get; init; }

    /// <summary>Adds what depends on the way, such as Contact, before the request is built.</summary>
    public Func<RequestDraft, SipTarget, RequestDraft>? Complete { get; init; }

    public void Begin(Action<OutgoingRequestResult> then)
    {
        done = then;
        // A value that the wire refuses must fail in the caller's face, not later when a name is resolved.
        Draft.Build("SIP/2.0/UDP unsent", shard.Options.UserAgentName);
        shard.Routes.Resolve(nextHop, wanted, flow, target =>
        {
            if (target is { } way)
            {
                Draft = Complete?.Invoke(Draft, way) ?? Draft;
                Send(way);
            }
            else
            {
                Finish(new OutgoingRequestResult(503, "The target cannot be reached from here", null));
            }
        });
    }

    private void Send(SipTarget target)
    {
        RequestDraft draft = Draft;
        Transaction = new ClientTransaction(shard, draft, target, SipShard.NewBranch(), response => Take(draft, response), Failed);
        shard.Begin(Transaction);
    }

    private void Take(RequestDraft draft, SipResponse response)
    {
        if (response.IsProvisional)
        {
            Provisional?.Invoke(response);
            return;
        }

        if (response.IsSuccess)
        {
            Success?.Invoke(draft, response);
        }
        else if (TryAnswerChallenge(response))
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
        Send(Transaction.Target);
        return true;
    }

    private void Failed(ClientFailure why) => Finish(why switch
    {
        ClientFailure.Timeout => new OutgoingRequestResult(408, "No answer", null),
        ClientFailure.Transport => new OutgoingRequestResult(503, "The request could not be sent", null),
    });

    private void Finish(OutgoingRequestResult result)
    {
        if (!finished)
        {
            finished = true;
            done(result);
        }
    }
}
