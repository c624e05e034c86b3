using Sentiric.Benchmarks.Kit;
using Sentiric.Sip;

namespace Sentiric.Benchmarks.Sip;

/// <summary>Calls from INVITE to BYE over loopback UDP, placed by sipp: our endpoint against sipp's own callee.</summary>
public static class AnsweringCalls
{
    private const int SlowRate = 100;
    private const int FastRate = 400;
    private const double Seconds = 8;
    private const double WarmUpSeconds = 3;
    private const int WarmUps = 2; // the compiler works in two tiers

    /// <summary>Transactions linger for 32 s (timers H and J); what they cost right after the last call belongs to the calls.</summary>
    private static readonly TimeSpan AfterTheLast = TimeSpan.FromMilliseconds(300);

    public static async Task RunAsync(Bench bench)
    {
        if (Places.Sipp is not { } sipp)
        {
            bench.Skip("sip.uas", "sipp is not installed (Debian package sip-tester)");
            return;
        }
        for (var i = 0; i < WarmUps; i++)
        {
            await OursAsync(bench, sipp, FastRate, WarmUpSeconds);
            await Measure.CompilerSettlesAsync(bench.Stop);
        }
        var slow = await OursAsync(bench, sipp, SlowRate, Seconds);
        var fast = await OursAsync(bench, sipp, FastRate, Seconds);
        var peer = await PeerAsync(bench, sipp, FastRate);
        Report(bench, $"sip.uas.{SlowRate}", SlowRate, slow, peer);
        Report(bench, $"sip.uas.{FastRate}", FastRate, fast, peer);
        bench.Add(new Row($"sip.uas.{FastRate}.bytes", "allocated per call", fast.BytesPerCall, "B") { Target = Target.AtMost(15_000) });
        bench.Add(new Row($"sip.uas.{FastRate}.failed", $"calls that failed of {fast.Count.Successful + fast.Count.Failed}", fast.Count.Failed, "calls") { Target = Target.AtMost(0) });
        bench.Add(new Row("sip.peer.sipp_uas", $"sipp's callee, {FastRate} calls/s asked for", peer.CpuMs, "ms CPU/call") { Detail = Detail(peer) });
    }

    private static void Report(Bench bench, string name, int rate, Outcome outcome, Outcome peer) =>
        bench.Add(new Row(name, $"call from INVITE to BYE, {rate} calls/s asked for", outcome.CpuMs, "ms CPU/call")
        {
            Reference = ("sipp's callee", peer.CpuMs),
            Target = Target.AtMost(0.2),
            Detail = Detail(outcome),
        });

    private static string Detail(Outcome outcome) =>
        $"{Figure.Of(outcome.Count.PerSecond)} calls/s done, {outcome.Count.Failed} failed, {outcome.Count.Retransmissions} repeated messages";

    private static async Task<Outcome> OursAsync(Bench bench, string sipp, int rate, double seconds)
    {
        var calls = (int)(bench.For(seconds).TotalSeconds * rate);
        bench.Say($"{calls} calls to us, {rate} a second");
        var options = new SipEndpointOptions
        {
            Listen = [SipListen.Udp()],
            SourceLimits = new SourceLimits { RequestsPerSecond = 1_000_000, Burst = 1_000_000 },
        };
        await using var endpoint = await SipEndpoint.StartAsync(options, new Answering(), bench.Stop);
        var (cpu, bytes) = (Measure.Cpu, GC.GetTotalAllocatedBytes());
        var count = await Sipp.CallAsync(sipp, endpoint.Binding(SipTransportKind.Udp).Address, calls, rate, bench.Stop);
        await Task.Delay(AfterTheLast, bench.Stop);
        return new Outcome(count, (Measure.Cpu - cpu).TotalMilliseconds / calls, (double)(GC.GetTotalAllocatedBytes() - bytes) / calls);
    }

    private static async Task<Outcome> PeerAsync(Bench bench, string sipp, int rate)
    {
        var calls = (int)(bench.For(Seconds).TotalSeconds * rate);
        bench.Say($"{calls} calls to sipp's callee, {rate} a second");
        var folder = Directory.CreateTempSubdirectory("bench-sipp-uas-");
        var (process, address) = Sipp.StartCallee(sipp, folder.FullName);
        try
        {
            await Sipp.ListeningAsync(address, bench.Stop);
            var cpu = ProcessCpu.Of(process.Id);
            var count = await Sipp.CallAsync(sipp, address, calls, rate, bench.Stop);
            await Task.Delay(AfterTheLast, bench.Stop);
            return new Outcome(count, (ProcessCpu.Of(process.Id) - cpu).TotalMilliseconds / calls, 0);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            folder.Delete(recursive: true);
        }
    }

    private sealed record Outcome(SippCount Count, double CpuMs, double BytesPerCall);

    /// <summary>Rings and answers at once, as sipp's callee does.</summary>
    private sealed class Answering : ISipApplication
    {
        private const string Sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

        public async Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping)
        {
            await invite.RingingAsync();
            await invite.AnswerAsync(Sdp);
        }
    }
}
