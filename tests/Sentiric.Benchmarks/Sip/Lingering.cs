using System.Globalization;
using System.Text;
using Sentiric.Benchmarks.Kit;
using Sentiric.Sip;

namespace Sentiric.Benchmarks.Sip;

/// <summary>
/// Calls on time that is stepped, so that their transactions linger as long as the benchmark likes: what a call costs beside a few and
/// beside many, and what is left 35 s after the last. Each call leaves two transactions behind, of its INVITE and of its BYE, for 32 s.
/// </summary>
public static class Lingering
{
    private const int FewLive = 100, ManyLive = 60_000;
    private const int PerCall = 2;
    private const int Batch = FewLive / PerCall;

    /// <summary>Calls in one measurement of each, in turns so short that both meet the machine at the same speed.</summary>
    private const int Measured = 10_000, Turn = 250;

    /// <summary>A million with --events=1000000.</summary>
    private const int UsualCalls = 50_000;

    private const int Unlimited = 1_000_000_000;

    /// <summary>Real time in which a call without a network must end.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan UntilGone = TimeSpan.FromSeconds(35);

    public static async Task RunAsync(Bench bench)
    {
        var (few, many) = (new Caller(), new Caller());
        await using var quiet = await SipEndpoint.StartAsync(few.Options, new Answering());
        await using var crowded = await SipEndpoint.StartAsync(many.Options, new Answering());
        bench.Say("warm-up");
        for (var i = 0; i < 2; i++)
        {
            await FewAsync(few, Measured);
            await Measure.CompilerSettlesAsync(bench.Stop);
        }
        bench.Say($"{ManyLive} live transactions");
        await many.CallAsync(ManyLive / PerCall);
        var (besideFew, besideMany) = (TimeSpan.Zero, TimeSpan.Zero);
        var live = crowded.Statistics.ServerTransactions;
        for (var i = 0; i < Measured; i += Turn)
        {
            besideFew += await FewAsync(few, Turn);
            var from = Measure.Cpu;
            await many.CallAsync(Turn);
            besideMany += Measure.Cpu - from;
        }
        var total = bench.Events ?? bench.Times(UsualCalls);
        for (var done = many.Calls; done < total; done = many.Calls)
        {
            bench.Say($"{done} of {total} calls");
            bench.Stop.ThrowIfCancellationRequested();
            await many.CallAsync(Math.Min(Measured, total - done));
            many.Time.Pass(TimeSpan.FromSeconds(5));
        }
        many.Time.Pass(UntilGone);
        var left = crowded.Statistics;
        bench.Add(new Row("sip.live", $"a call beside {live:N0} live transactions and more, no network", besideMany.TotalMicroseconds / Measured, "us CPU/call")
        {
            Reference = ($"beside {FewLive}", besideFew.TotalMicroseconds / Measured), Target = Target.RatioAtMost(1.1),
        });
        bench.Add(new Row("sip.left", $"transactions and dialogs left {UntilGone.TotalSeconds} s after {many.Calls:N0} calls", left.ServerTransactions + left.ClientTransactions + left.Dialogs, "left")
        {
            Target = Target.AtMost(0), Detail = $"{many.Answered:N0} answered",
        });
    }

    private static async Task<TimeSpan> FewAsync(Caller caller, int calls)
    {
        var spent = TimeSpan.Zero;
        for (var i = 0; i < calls; i += Batch)
        {
            var from = Measure.Cpu;
            await caller.CallAsync(Batch);
            spent += Measure.Cpu - from;
            caller.Time.Pass(UntilGone);
        }
        return spent;
    }

    /// <summary>Places calls without a network: INVITE, and as soon as the 200 leaves, ACK and BYE.</summary>
    private sealed class Caller
    {
        private readonly SinkNetwork network = new();
        private readonly SemaphoreSlim ended = new(0);
        private long answered;

        public Caller()
        {
            network.Leaving = Hear;
            Options = new SipEndpointOptions
            {
                Listen = [SipListen.Udp()], Network = network, TimeProvider = Time,
                // Time stands still while calls come: neither the source nor all together get new tokens.
                SourceLimits = new SourceLimits { RequestsPerSecond = Unlimited, Burst = Unlimited, OverallPerSecond = Unlimited, OverallBurst = Unlimited },
            };
        }

        public SteppedTime Time { get; } = new();

        public SipEndpointOptions Options { get; }

        public int Calls { get; private set; }

        public long Answered => Volatile.Read(ref answered);

        public async Task CallAsync(int calls)
        {
            for (var i = 0; i < calls; i++)
            {
                network.Deliver(Request("INVITE", Calls++, 1, "", SampleInvite.Offer));
                if (!await ended.WaitAsync(Patience)) throw new TimeoutException($"Call {Calls - 1} did not come to its end within {Patience.TotalSeconds} s.");
            }
        }

        private void Hear(ReadOnlyMemory<byte> message)
        {
            if (!SipRoutingView.TryRead(message.Span, out var view) || view.StatusCode != 200) return;
            if (view.Method.SequenceEqual("BYE"u8))
            {
                Interlocked.Increment(ref answered);
                ended.Release();
            }
            else if (view.Method.SequenceEqual("INVITE"u8))
            {
                // The endpoint takes them when it has done with the 200.
                var (call, tag) = (int.Parse(view.CallId, CultureInfo.InvariantCulture), ";tag=" + Encoding.ASCII.GetString(view.ToTag));
                network.Deliver(Request("ACK", call, 1, tag, ""));
                network.Deliver(Request("BYE", call, 2, tag, ""));
            }
        }

        private static byte[] Request(string method, int call, int sequence, string toTag, string body) => Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"{method} sip:9000@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK{method}{call}\r\nMax-Forwards: 70\r\n"
            + $"From: <sip:905321112233@192.0.2.10>;tag=f{call}\r\nTo: <sip:9000@192.0.2.1>{toTag}\r\nCall-ID: {call}\r\nCSeq: {sequence} {method}\r\n"
            + $"Contact: <sip:905321112233@192.0.2.10:5060>\r\n{(body.Length > 0 ? "Content-Type: application/sdp\r\n" : "")}Content-Length: {body.Length}\r\n\r\n{body}"));
    }

    private sealed class Answering : ISipApplication
    {
        public async Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping)
        {
            await invite.RingingAsync();
            await invite.AnswerAsync(SampleInvite.Offer);
        }
    }
}
