using System.Security.Cryptography;

namespace Sentiric.Sip;

/// <summary>How a provisional response fared.</summary>
public enum SipProgressOutcome
{
    /// <summary>It left, and nobody acknowledges it.</summary>
    Sent,

    /// <summary>It was sent reliably and the PRACK is here (RFC 3262).</summary>
    Acknowledged,

    /// <summary>The call had its final response before.</summary>
    Ended,

    /// <summary>Too many wait for a PRACK already, or it would have to be reliable and the caller waits for an offer, which it does not carry (RFC 3262 5).</summary>
    NotSent,
}

/// <summary>What came of it.</summary>
/// <param name="PrackSdp">SDP of the PRACK: the answer, when the response carried our offer.</param>
public sealed record SipProgressResult(SipProgressOutcome Outcome, string? PrackSdp = null);

/// <summary>
/// The reliable provisional responses of one INVITE (RFC 3262 3): one at a time, repeated at T1 and doubling until its PRACK; after 64*T1 without
/// one it gives up. Owned by the shard's queue.
/// </summary>
internal sealed class ReliableProgress(SipShard shard, ServerTransaction transaction, Action timedOut)
{
    /// <summary>Those that wait for the PRACK of the one before.</summary>
    private const int MaxWaiting = 8;

    private readonly Queue<Waiting> waiting = new();

    /// <summary>RFC 3262 3: chosen from 1 to 2^31 - 1; room is left to count on.</summary>
    private uint number = (uint)RandomNumberGenerator.GetInt32(1, 1 << 30);
    private Waiting? current;
    private byte[] response = [];
    private TimeSpan interval;
    private SipTimer? repeat;
    private SipTimer? limit;

    /// <summary>A response has no PRACK yet: the 2xx must wait (RFC 3262 3).</summary>
    public bool IsOpen => current is not null;

    /// <param name="build">Makes the response with this RSeq, when its turn has come.</param>
    public Task<SipProgressResult> Send(int statusCode, Func<uint, byte[]> build)
    {
        if (waiting.Count >= MaxWaiting)
        {
            return Task.FromResult(new SipProgressResult(SipProgressOutcome.NotSent));
        }

        var one = new Waiting(statusCode, build);
        waiting.Enqueue(one);
        Next();
        return one.Done.Task;
    }

    public bool Matches(RAck acknowledged) =>
        current is not null && acknowledged.ResponseNumber == number && acknowledged.Sequence == transaction.Request.CSeq.Number
        && acknowledged.Method == SipMethod.Invite;

    /// <summary>The PRACK is here; its own answer may still be thought about.</summary>
    public void StopRepeating()
    {
        repeat?.Cancel();
        limit?.Cancel();
        repeat = limit = null;
    }

    /// <summary>The PRACK is answered; the next may go.</summary>
    public void Acknowledge(string? prackSdp)
    {
        StopRepeating();
        Waiting? done = current;
        current = null;
        done?.Done.TrySetResult(new SipProgressResult(SipProgressOutcome.Acknowledged, prackSdp));
        Next();
    }

    /// <summary>The call has its final response.</summary>
    public void Stop()
    {
        StopRepeating();
        var over = new SipProgressResult(SipProgressOutcome.Ended);
        current?.Done.TrySetResult(over);
        current = null;
        while (waiting.TryDequeue(out Waiting? one))
        {
            one.Done.TrySetResult(over);
        }
    }

    private void Next()
    {
        if (current is not null || !waiting.TryDequeue(out current))
        {
            return;
        }

        // RSeq rises by one with each new response (RFC 3262 3).
        response = current.Build(++number);
        interval = shard.Options.Timers.T1;
        limit = shard.Timers.Start(shard.Options.Timers.Timeout, LimitDue, this);
        Transmit();
    }

    private void Transmit()
    {
        repeat = shard.Timers.Start(interval, RepeatDue, this);
        // Unlike a 2xx it doubles without a ceiling.
        interval *= 2;
        transaction.Respond(current?.StatusCode ?? 183, response);
    }

    private static void RepeatDue(object progress, int which) => ((ReliableProgress)progress).Transmit();

    private static void LimitDue(object progress, int which) => ((ReliableProgress)progress).GiveUp();

    private void GiveUp()
    {
        StopRepeating();
        timedOut();
    }

    private sealed class Waiting(int statusCode, Func<uint, byte[]> build)
    {
        public int StatusCode { get; } = statusCode;

        public Func<uint, byte[]> Build { get; } = build;

        public TaskCompletionSource<SipProgressResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
