namespace Sentiric.Sip;

/// <summary>
/// Our 2xx to an INVITE until its ACK (RFC 3261 13.3.1.4): repeated at T1, doubling to T2, over every transport; after 64*T1
/// without an ACK it gives up. It belongs to the dialog, not to the transaction. Owned by the shard's queue.
/// </summary>
internal sealed class AcceptedInvite
{
    private readonly SipShard shard;
    private readonly ServerTransaction transaction;
    private readonly byte[] response;
    private readonly Action<SipRequest> acknowledged;
    private readonly Action timedOut;
    private TimeSpan interval;
    private SipTimer? repeat;
    private SipTimer? limit;

    public AcceptedInvite(SipShard shard, ServerTransaction transaction, byte[] response, Action<SipRequest> acknowledged, Action timedOut)
    {
        this.shard = shard;
        this.transaction = transaction;
        this.response = response;
        this.acknowledged = acknowledged;
        this.timedOut = timedOut;
        interval = shard.Options.Timers.T1;
        transaction.AckReceived = TakeAck;
    }

    public void Begin()
    {
        transaction.Respond(200, response);
        repeat = shard.Timers.Start(interval, RepeatDue, this);
        limit = shard.Timers.Start(shard.Options.Timers.Timeout, LimitDue, this);
    }

    public void TakeAck(SipRequest ack)
    {
        // An ACK has the CSeq number of its INVITE (13.2.2.4); copies find the repeater stopped.
        if (limit is not null && ack.CSeq.Number == transaction.Request.CSeq.Number)
        {
            Stop();
            transaction.Acknowledged();
            acknowledged(ack);
        }
    }

    public void Stop()
    {
        repeat?.Cancel();
        limit?.Cancel();
        repeat = limit = null;
    }

    private static void RepeatDue(object accepted, int which) => ((AcceptedInvite)accepted).Repeat();

    private static void LimitDue(object accepted, int which)
    {
        var unanswered = (AcceptedInvite)accepted;
        unanswered.Stop();
        unanswered.timedOut();
    }

    private void Repeat()
    {
        transaction.Respond(200, response);
        TimeSpan t2 = shard.Options.Timers.T2;
        interval = interval * 2 < t2 ? interval * 2 : t2;
        repeat = shard.Timers.Start(interval, RepeatDue, this);
    }
}
