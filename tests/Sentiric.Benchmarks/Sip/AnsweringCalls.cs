using System.Diagnostics;
using System.Net;
using Sentiric.Benchmarks.Kit;
using Sentiric.Sip;

namespace Sentiric.Benchmarks.Sip;

/// <summary>Calls from INVITE to BYE over loopback UDP, placed by sipp: our endpoint against sipp's own callee and against Kamailio.</summary>
public static class AnsweringCalls
{
    private const int SlowRate = 100;
    private const int FastRate = 400;
    private const double Seconds = 8;
    private const double WarmUpSeconds = 3;
    private const int WarmUps = 2; // the compiler works in two tiers

    /// <summary>The rate that has to hold, and for how long.</summary>
    private const int RushRate = 1_000;
    private const double RushSeconds = 60;

    /// <summary>Transactions linger for 32 s (timers H and J); what they cost right after the last call belongs to the calls.</summary>
    private static readonly TimeSpan AfterTheLast = TimeSpan.FromMilliseconds(300);

    public static async Task RunAsync(Bench bench)
    {
        if (Places.Sipp is not { } sipp)
        {
            bench.Skip("sip.uas", "sipp is not installed (Debian package sip-tester)");
            return;
        }
        await WarmUpAsync(bench, sipp);
        var slow = await OursAsync(bench, sipp, SlowRate, Seconds);
        var fast = await OursAsync(bench, sipp, FastRate, Seconds);
        var peer = await SippAsync(bench, sipp, FastRate, Seconds);
        Report(bench, $"sip.uas.{SlowRate}", SlowRate, slow, peer);
        Report(bench, $"sip.uas.{FastRate}", FastRate, fast, peer);
        bench.Add(new Row($"sip.uas.{FastRate}.bytes", "allocated per call", fast.BytesPerCall, "B") { Target = Target.AtMost(15_000) });
        Failed(bench, FastRate, fast);
        bench.Add(new Row("sip.peer.sipp_uas", $"sipp's callee, {FastRate} calls/s asked for", peer.CpuMs, "ms CPU/call") { Detail = Detail(peer) });
        await ReportKamailioAsync(bench, sipp);
    }

    /// <summary>A thousand calls a second for a minute.</summary>
    public static async Task RushAsync(Bench bench)
    {
        if (Places.Sipp is not { } sipp)
        {
            bench.Skip($"sip.uas.{RushRate}", "sipp is not installed (Debian package sip-tester)");
            return;
        }
        await WarmUpAsync(bench, sipp);
        var peer = await SippAsync(bench, sipp, RushRate, Seconds);
        var rush = await OursAsync(bench, sipp, RushRate, RushSeconds);
        Report(bench, $"sip.uas.{RushRate}", RushRate, rush, peer);
        Failed(bench, RushRate, rush);
    }

    private static void Report(Bench bench, string name, int rate, Outcome outcome, Outcome peer) =>
        bench.Add(new Row(name, $"call from INVITE to BYE, {rate} calls/s asked for", outcome.CpuMs, "ms CPU/call")
        {
            Reference = ("sipp's callee", peer.CpuMs),
            Target = Target.AtMost(0.2),
            Detail = Detail(outcome),
        });

    private static void Failed(Bench bench, int rate, Outcome outcome) =>
        bench.Add(new Row($"sip.uas.{rate}.failed", $"calls that failed of {outcome.Count.Successful + outcome.Count.Failed}", outcome.Count.Failed, "calls") { Target = Target.AtMost(0) });

    private static async Task ReportKamailioAsync(Bench bench, string sipp)
    {
        if (Places.Kamailio is not { } kamailio || Kamailio.Modules is not { } modules)
        {
            bench.Skip("sip.peer.kamailio", "kamailio is not installed (Debian package kamailio)");
            return;
        }
        var peer = await PeerAsync(bench, "Kamailio", sipp, folder => Kamailio.Start(kamailio, modules, folder), FastRate, Seconds);
        bench.Add(new Row("sip.peer.kamailio", $"Kamailio, transactions without dialogs, {FastRate} calls/s asked for", peer.CpuMs, "ms CPU/call") { Detail = Detail(peer) });
    }

    private static string Detail(Outcome outcome) =>
        $"{Figure.Of(outcome.Count.PerSecond)} calls/s done, {outcome.Count.Failed} failed, {outcome.Count.Retransmissions} repeated messages";

    private static async Task WarmUpAsync(Bench bench, string sipp)
    {
        for (var i = 0; i < WarmUps; i++)
        {
            await OursAsync(bench, sipp, FastRate, WarmUpSeconds);
            await Measure.CompilerSettlesAsync(bench.Stop);
        }
    }

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

    private static Task<Outcome> SippAsync(Bench bench, string sipp, int rate, double seconds) =>
        PeerAsync(bench, "sipp's callee", sipp, folder => Sipp.StartCallee(sipp, folder), rate, seconds);

    private static async Task<Outcome> PeerAsync(Bench bench, string name, string sipp, Func<string, (Process Process, IPEndPoint Address)> start, int rate, double seconds)
    {
        var calls = (int)(bench.For(seconds).TotalSeconds * rate);
        bench.Say($"{calls} calls to {name}, {rate} a second");
        var folder = Directory.CreateTempSubdirectory("bench-sip-peer-");
        var (process, address) = start(folder.FullName);
        try
        {
            await Sipp.ListeningAsync(address, bench.Stop);
            var cpu = Spent(process);
            var count = await Sipp.CallAsync(sipp, address, calls, rate, bench.Stop);
            await Task.Delay(AfterTheLast, bench.Stop);
            return new Outcome(count, (Spent(process) - cpu).TotalMilliseconds / calls, 0);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
            folder.Delete(recursive: true);
        }
    }

    private static TimeSpan Spent(Process process) => ProcessCpu.Of(process.Id) + ProcessCpu.OfChildren(process.Id);

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
