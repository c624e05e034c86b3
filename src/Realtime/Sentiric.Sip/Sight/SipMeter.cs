using System.Diagnostics.Metrics;
using System.Globalization;

namespace Sentiric.Sip;

/// <summary>
/// What an endpoint counts, as System.Diagnostics.Metrics under the names <c>sip.*</c>. Counting is an addition in an array; words and tags are made when somebody looks.
/// Histograms are in seconds. Any thread may count.
/// </summary>
internal sealed class SipMeter : IDisposable
{
    private const int MaxStatus = 700;
    private const int OtherMethod = 0;

    private static readonly string[] Methods =
    [
        "other", SipMethod.Invite, SipMethod.Ack, SipMethod.Bye, SipMethod.Cancel, SipMethod.Register, SipMethod.Options, SipMethod.Prack, SipMethod.Update, SipMethod.Info,
        SipMethod.Refer, SipMethod.Notify, "SUBSCRIBE", "MESSAGE", "PUBLISH",
    ];

    private static readonly byte[][] MethodBytes = [.. Methods.Select(System.Text.Encoding.ASCII.GetBytes)];
    private static readonly SipTransportKind[] Kinds = Enum.GetValues<SipTransportKind>();

    private readonly Meter meter = new(TrunkKeeper.MeterName);
    private readonly long[,] requests = new long[2, Methods.Length];
    private readonly long[,] responses = new long[2, MaxStatus];
    private readonly long[,] messages = new long[2, Kinds.Length];
    private readonly long[] repeated = new long[Repeats.Length];
    private readonly Histogram<double> setUp;
    private readonly Histogram<double> postDialDelay;

    private static readonly (string Direction, string What)[] Repeats = [("sent", "request"), ("sent", "response"), ("received", "request")];

    public SipMeter(Func<SipStatistics> statistics, Func<(int Stack, int Application)> waiting, SipGuard? guard)
    {
        meter.CreateObservableCounter("sip.requests", Requests, "{request}", "Requests by method, copies included.");
        meter.CreateObservableCounter("sip.responses", Responses, "{response}", "Responses by status, copies included.");
        meter.CreateObservableCounter("sip.messages", Messages, "{message}", "Messages by transport.");
        meter.CreateObservableCounter("sip.retransmissions", Retransmissions, "{message}", "Copies that we sent because nothing came, and requests that came again.");
        meter.CreateObservableCounter("sip.refused", () => Refused(statistics(), guard), "{message}", "What was turned away, by reason.");
        meter.CreateObservableGauge("sip.transactions", () => Transactions(statistics()), "{transaction}", "Transactions that live, those that only wait for copies included.");
        meter.CreateObservableGauge("sip.dialogs", () => statistics().Dialogs, "{dialog}", "Dialogs that live.");
        meter.CreateObservableGauge("sip.queue.depth", () => Waiting(waiting()), "{item}", "Work that waits for the stack, and calls of the application that are not finished.");
        setUp = meter.CreateHistogram<double>("sip.call.setup", "s", "From the INVITE to the 2xx.");
        postDialDelay = meter.CreateHistogram<double>("sip.call.post_dial_delay", "s", "From our INVITE to the first sign that the callee is being reached (180, 183, 2xx; RFC 6076 4.3.1).");
    }

    public void Sent(SipTransportKind kind, ReadOnlySpan<byte> message) => Count(1, kind, message);

    public void Received(SipTransportKind kind, ReadOnlySpan<byte> message) => Count(0, kind, message);

    public void RequestSentAgain() => Interlocked.Increment(ref repeated[0]);

    public void ResponseSentAgain() => Interlocked.Increment(ref repeated[1]);

    public void RequestReceivedAgain() => Interlocked.Increment(ref repeated[2]);

    public void PostDialDelay(TimeSpan took) => postDialDelay.Record(took.TotalSeconds);

    public void SetUp(TimeSpan took, bool weCalled) => setUp.Record(took.TotalSeconds, new KeyValuePair<string, object?>("direction", weCalled ? "outbound" : "inbound"));

    public void Dispose() => meter.Dispose();

    private void Count(int direction, SipTransportKind kind, ReadOnlySpan<byte> message)
    {
        Interlocked.Increment(ref messages[direction, (int)kind]);
        if (message.StartsWith("SIP/2.0 "u8))
        {
            if (message.Length >= 11 && int.TryParse(message.Slice(8, 3), NumberStyles.None, CultureInfo.InvariantCulture, out int status) && status < MaxStatus)
            {
                Interlocked.Increment(ref responses[direction, status]);
            }

            return;
        }

        Interlocked.Increment(ref requests[direction, MethodOf(message)]);
    }

    private static int MethodOf(ReadOnlySpan<byte> message)
    {
        for (int i = 1; i < MethodBytes.Length; i++)
        {
            byte[] method = MethodBytes[i];
            if (message.Length > method.Length && message[method.Length] == (byte)' ' && message.StartsWith(method))
            {
                return i;
            }
        }

        return OtherMethod;
    }

    private IEnumerable<Measurement<long>> Requests() =>
        Read(requests, Methods.Length).Select(one => new Measurement<long>(one.Count, new("direction", one.Direction), new KeyValuePair<string, object?>("method", Methods[one.At])));

    private IEnumerable<Measurement<long>> Responses() =>
        Read(responses, MaxStatus).Select(one => new Measurement<long>(one.Count, new("direction", one.Direction), new KeyValuePair<string, object?>("status", one.At)));

    private IEnumerable<Measurement<long>> Messages() =>
        Read(messages, Kinds.Length).Select(one => new Measurement<long>(
            one.Count, new("direction", one.Direction), new KeyValuePair<string, object?>("transport", Kinds[one.At].ToString().ToLowerInvariant())));

    private IEnumerable<Measurement<long>> Retransmissions() => Repeats.Select((repeat, i) => new Measurement<long>(
        Volatile.Read(ref repeated[i]), new("direction", repeat.Direction), new KeyValuePair<string, object?>("what", repeat.What)));

    /// <summary>What has been counted at all.</summary>
    private static IEnumerable<(string Direction, int At, long Count)> Read(long[,] counts, int length)
    {
        for (int direction = 0; direction < 2; direction++)
        {
            for (int at = 0; at < length; at++)
            {
                if (Volatile.Read(ref counts[direction, at]) is var count and > 0)
                {
                    yield return (direction == 0 ? "received" : "sent", at, count);
                }
            }
        }
    }

    private static IEnumerable<Measurement<long>> Refused(SipStatistics now, SipGuard? guard)
    {
        yield return Of(now.Malformed, "malformed");
        yield return Of(now.RefusedSources, "source");
        yield return Of(now.RateLimited, "rate");
        yield return Of(now.DroppedByOverload, "overload");
        if (guard is not null)
        {
            yield return Of(guard.Count(GuardReason.Scanner), "scanner");
            yield return Of(guard.Count(GuardReason.WrongPassword), "wrong_password");
            yield return Of(guard.Count(GuardReason.LockedOut), "locked_out");
        }

        static Measurement<long> Of(long count, string reason) => new(count, new KeyValuePair<string, object?>("reason", reason));
    }

    private static IEnumerable<Measurement<int>> Transactions(SipStatistics now) =>
    [
        new(now.ServerTransactions, new KeyValuePair<string, object?>("side", "server")),
        new(now.ClientTransactions, new KeyValuePair<string, object?>("side", "client")),
    ];

    private static IEnumerable<Measurement<int>> Waiting((int Stack, int Application) now) =>
    [
        new(now.Stack, new KeyValuePair<string, object?>("queue", "stack")),
        new(now.Application, new KeyValuePair<string, object?>("queue", "application")),
    ];
}
