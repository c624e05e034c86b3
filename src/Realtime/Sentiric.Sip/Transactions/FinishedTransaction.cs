namespace Sentiric.Sip;

/// <summary>What the shard's table of server transactions holds, by key.</summary>
internal interface IServerTransaction
{
    TransactionKey Key { get; }

    /// <summary>Under which the same request over another path would be found; null: it may come more than once.</summary>
    TransactionKey? MergeKey { get; }

    /// <summary>The tag of the call that this INVITE opened, for the answer to its CANCEL; null when there is none.</summary>
    string? CallTag { get; }

    /// <summary>A copy of the request, or the ACK of an INVITE.</summary>
    void Receive(SipRequest request);

    /// <summary>A CANCEL of this INVITE; nothing happens when it is answered.</summary>
    void CancelCall(SipRequest cancel);
}

/// <summary>
/// What is left of a server transaction that is answered, for the half minute until timer J or L: the key that copies are known by, and
/// the response that they get again. Each call leaves two behind, so thousands lie about; they hold no message and no call, else
/// the collector would carry all of those along too. It is its own timer. Owned by the shard's queue.
/// </summary>
internal sealed class FinishedTransaction : SipTimer, IServerTransaction
{
    private readonly SipShard shard;

    /// <summary>Null: copies are absorbed (RFC 6026 7.1, an INVITE whose 2xx was acknowledged).</summary>
    private readonly byte[]? response;
    private readonly SipTarget target;

    private FinishedTransaction(SipShard shard, ServerTransaction ended, byte[]? response)
    {
        this.shard = shard;
        this.response = response;
        target = response is null ? default : SipShard.ResponseTarget(ended.Request.TopVia, ended.Transport, ended.Source);
        Key = ended.Key;
        MergeKey = ended.MergeKey;
        CallTag = ended.CallTag;
    }

    public TransactionKey Key { get; }

    public TransactionKey? MergeKey { get; }

    public string? CallTag { get; }

    /// <summary>Completed (RFC 3261 17.2.2): each copy gets the final response again.</summary>
    public static FinishedTransaction Repeating(SipShard shard, ServerTransaction ended, byte[] response) => new(shard, ended, response);

    /// <summary>Accepted (RFC 6026 7.1) and acknowledged: copies of the INVITE and of the ACK are absorbed.</summary>
    public static FinishedTransaction Absorbing(SipShard shard, ServerTransaction ended) => new(shard, ended, null);

    public void Receive(SipRequest request)
    {
        if (response is not null)
        {
            shard.Meter.ResponseSentAgain();
            shard.Send(response, target, null);
        }
    }

    public void CancelCall(SipRequest cancel)
    {
        // 9.2: no effect on an INVITE that has its final response.
    }

    /// <summary>Timer J or L.</summary>
    internal override void Fire() => shard.Remove(this);
}
