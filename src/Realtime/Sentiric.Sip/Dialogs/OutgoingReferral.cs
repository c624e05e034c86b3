using System.Threading.Channels;

namespace Sentiric.Sip;

/// <summary>How the call that a REFER asked for fares, as its NOTIFY said.</summary>
public sealed record SipReferralProgress(int StatusCode, string Reason)
{
    public bool IsFinal => StatusCode >= 200;
}

/// <summary>A REFER of ours and the reports about it (RFC 3515).</summary>
public sealed class OutgoingReferral
{
    private const int MaxReportsKept = 64;

    private readonly Channel<SipReferralProgress> reports = Channel.CreateBounded<SipReferralProgress>(
        new BoundedChannelOptions(MaxReportsKept) { FullMode = BoundedChannelFullMode.DropOldest });

    private readonly TaskCompletionSource<int> answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SipReferralProgress?> completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The status of the REFER itself: 202 or 200 when the peer will try, else its refusal.</summary>
    public Task<int> Answered => answered.Task;

    /// <summary>Reports in order; ends with <see cref="Completed"/>. Holds the last 64.</summary>
    public ChannelReader<SipReferralProgress> Progress => reports.Reader;

    /// <summary>How the new call ended up: its final status; null when the peer never said (refused, not to be told, or the call ended first).</summary>
    public Task<SipReferralProgress?> Completed => completed.Task;

    /// <summary>Owned by the shard's queue, like what follows.</summary>
    internal SipTimer? Lifetime { get; set; }

    private SipReferralProgress? Last { get; set; }

    internal void Answer(int statusCode) => answered.TrySetResult(statusCode);

    internal void Report(SipReferralProgress report)
    {
        Last = report;
        reports.Writer.TryWrite(report);
    }

    internal void End()
    {
        Lifetime?.Cancel();
        answered.TrySetResult(481);
        reports.Writer.TryComplete();
        completed.TrySetResult(Last is { IsFinal: true } ? Last : null);
    }
}
