namespace Sentiric.Sip;

/// <summary>What the shard's table of client transactions holds, by key.</summary>
internal interface IClientTransaction
{
    ClientKey Key { get; }

    void Receive(SipResponse response);

    /// <summary>The endpoint stops: whoever waits for the response is told that none comes.</summary>
    void Shutdown();
}

/// <summary>
/// What is left of a client transaction that has its final response, until timer D or K: copies of the response are absorbed, those of a refusal
/// of an INVITE after they got their ACK again (RFC 3261 17.1.1.2, 17.1.2.2). It holds neither request nor caller. It is its own timer. Owned by
/// the shard's queue.
/// </summary>
/// <param name="ack">Null where there is nothing to acknowledge.</param>
internal sealed class FinishedClient(SipShard shard, ClientKey key, SipTarget target, byte[]? ack) : SipTimer, IClientTransaction
{
    public ClientKey Key => key;

    public void Receive(SipResponse response)
    {
        if (ack is not null && response.StatusCode >= 300)
        {
            shard.Send(ack, target, null);
        }
    }

    public void Shutdown() => shard.Remove(this);

    /// <summary>Timer D or K.</summary>
    internal override void Fire() => shard.Remove(this);
}
