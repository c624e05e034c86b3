using System.Net;
using Sentiric.Benchmarks.Kit;
using Sentiric.Media;
using Sentiric.Speech;

namespace Sentiric.Benchmarks.Media;

/// <summary>
/// Many legs of one engine with one media thread over loopback, each receiving and sending a packet every 20 ms. Beside them, in the same run and
/// under the same load: an echo in C and rtpengine in user space.
/// An echo leg checks, locks and counts a packet and sends it back; a full leg has jitter buffer, codec, concealment, pacing and resampling to 16 kHz.
/// </summary>
public static class Legs
{
    private const int EchoLegs = 1_800, FullLegs = 1_000, RelayedCalls = 500;
    private const int TicksPerSecond = 50;
    private const int WatchedLegs = 20; // one for each slot of the clock
    private const int CallRate = 8_000, SpeechRate = 16_000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan Tail = TimeSpan.FromSeconds(0.5);

    private enum Kind
    {
        Echo,
        Full,
    }

    /// <summary>The floor of this run, for the rows that come after it.</summary>
    private static (string, double)? floor;

    public static async Task EchoAsync(Bench bench)
    {
        await WarmUpAsync(bench, Kind.Echo);
        floor = await FloorAsync(bench);
        await RelayAsync(bench);
        ReportEcho(bench, await EngineAsync(bench, Kind.Echo, EchoLegs, 6, MediaPriority.RealTime));
    }

    public static async Task FullAsync(Bench bench)
    {
        await WarmUpAsync(bench, Kind.Full);
        ReportFull(bench, await EngineAsync(bench, Kind.Full, FullLegs, 6, MediaPriority.RealTime));
        ReportPacing(bench, "media.pacing.raised", await EngineAsync(bench, Kind.Full, FullLegs, 4, MediaPriority.Raised));
        ReportPacing(bench, "media.pacing.plain", await EngineAsync(bench, Kind.Full, FullLegs, 4, MediaPriority.Ordinary));
    }

    private static async Task WarmUpAsync(Bench bench, Kind kind)
    {
        await EngineAsync(bench, kind, legs: 100, seconds: 1, MediaPriority.RealTime);
        await Measure.CompilerSettlesAsync(bench.Stop);
    }

    private static void ReportEcho(Bench bench, Outcome echo)
    {
        bench.Add(new Row("media.echo_leg", $"{EchoLegs} echo legs, a packet in and a packet out", echo.CpuUs, "us CPU/pair")
        {
            Reference = floor, Target = Target.AtMost(9), Detail = $"{Figure.Of(echo.BytesPerPair)} B allocated/pair, {echo.CoreShare}",
        });
        bench.Add(Lost("media.echo_leg.lost", EchoLegs, echo));
    }

    private static void ReportFull(Bench bench, Outcome full)
    {
        bench.Add(new Row("media.leg", $"{FullLegs} full legs, a packet in and a packet out", full.CpuUs, "us CPU/pair")
        {
            Reference = floor, Target = Target.AtMost(9), Detail = full.CoreShare,
        });
        bench.Add(Lost("media.leg.lost", FullLegs, full));
        bench.Add(new Row("media.leg.bytes", "allocated per packet pair, full leg", full.BytesPerPair, "B") { Target = Target.AtMost(0) });
        bench.Add(new Row("media.leg.memory", $"growth of resident memory by {FullLegs} full legs, sockets' buffers in the kernel not counted", full.ResidentMb, "MB")
        {
            Target = Target.AtMost(40.0 * FullLegs / 1_000), Detail = $"{Figure.Of(full.LiveMb)} MB live after a collection",
        });
        ReportPacing(bench, "media.pacing", full);
    }

    private static void ReportPacing(Bench bench, string name, Outcome outcome) =>
        bench.Add(new Row(name, $"lateness of a tick with {FullLegs} legs, {Words(outcome.Priority)}", outcome.Lateness.P99Ms, "ms p99")
        {
            Target = Target.AtMost(outcome.Priority == MediaPriority.RealTime ? 1 : 6),
            Detail = $"p50 {Figure.Of(outcome.Lateness.P50Ms)} ms, drift {Figure.Of(outcome.Lateness.DriftMs)} ms, {outcome.Lost} of {outcome.Packets} packets lost",
        });

    private static string Words(MediaPriority granted) => granted switch
    {
        MediaPriority.RealTime => "real-time priority",
        MediaPriority.Raised => "no real-time priority, nice -20",
        MediaPriority.Ordinary => "no priority at all",
    };

    private static Row Lost(string name, int legs, Outcome outcome) =>
        new(name, $"packets lost of {outcome.Packets} in and as many out, {legs} legs on one media thread", outcome.Lost, "packets") { Target = Target.AtMost(0) };

    private static async Task<(string, double)?> FloorAsync(Bench bench)
    {
        if (Places.CCompiler is not { } compiler)
        {
            bench.Skip("media.floor.c", "no C compiler is installed (Debian package gcc)");
            return null;
        }
        bench.Say("echo in C");
        var echo = await PeerAsync(bench, EchoLegs, async _ => await CEcho.StartAsync(compiler, EchoLegs, bench.Stop));
        bench.Add(new Row("media.floor.c", $"echo in C: {EchoLegs} sockets, epoll, recvfrom and sendto", echo.CpuUs, "us CPU/pair") { Detail = echo.Losses });
        return ("echo in C", echo.CpuUs);
    }

    private static async Task RelayAsync(Bench bench)
    {
        if (Places.RtpEngine is not { } program)
        {
            bench.Skip("media.peer.rtpengine", "rtpengine is not installed (Debian package rtpengine-daemon)");
            return;
        }
        bench.Say("rtpengine");
        var relay = await PeerAsync(bench, RelayedCalls, async phones => await RtpEngine.StartAsync(program, phones, bench.Stop));
        bench.Add(new Row("media.peer.rtpengine", $"rtpengine in user space, one thread, {RelayedCalls} streams relayed", relay.CpuUs, "us CPU/pair") { Detail = relay.Losses });
    }

    private static async Task<(double CpuUs, string Losses)> PeerAsync(Bench bench, int legs, Func<IReadOnlyList<int>, Task<IPeer>> start)
    {
        var length = bench.For(4);
        using var phones = await Phones.StartAsync(legs, WarmUp + length + Tail, bench.Stop);
        using var peer = await start(phones.Ports);
        await phones.SpeakToAsync(peer.Ports);
        await Task.Delay(WarmUp, bench.Stop);
        var (cpu, since) = (peer.Cpu, TimeProvider.System.GetTimestamp());
        await Task.Delay(length, bench.Stop);
        var (spent, seconds) = ((peer.Cpu - cpu).TotalMicroseconds, TimeProvider.System.GetElapsedTime(since).TotalSeconds);
        var (sent, received) = await phones.EndAsync(bench.Stop);
        return (spent / (legs * TicksPerSecond * seconds * received / sent), $"{sent - received} of {sent} packets lost");
    }

    private static async Task<Outcome> EngineAsync(Bench bench, Kind kind, int legs, double seconds, MediaPriority priority)
    {
        bench.Say($"{legs} {kind} legs");
        var length = bench.For(seconds);
        var (live, resident) = (Live(), Resident());
        await using var engine = new MediaEngine(new MediaEngineOptions { MediaThreads = 1, Priority = priority });
        using var phones = await Phones.StartAsync(legs, WarmUp + length + Tail, bench.Stop);
        var sessions = phones.Ports.Select(port => Open(engine, port, kind)).ToList();
        var watched = Enumerable.Range(0, Math.Min(WatchedLegs, legs)).Select(_ => new Lateness((int)((length + WarmUp + Tail).TotalSeconds * 2 * TicksPerSecond))).ToList();
        for (var i = 0; i < watched.Count; i++) sessions[i].Listen(watched[i].Hear);
        await phones.SpeakToAsync(sessions.Select(s => s.LocalRtpPort));
        await Task.Delay(WarmUp, bench.Stop);

        foreach (var lateness in watched) lateness.Begin();
        var (before, at) = (sessions.Sum(s => s.Quality().Received), TimeProvider.System.GetTimestamp());
        var (cpu, bytes) = (Measure.Cpu, GC.GetTotalAllocatedBytes(precise: true));
        await Task.Delay(length, bench.Stop);
        var (cpuSpent, bytesSpent) = (Measure.Cpu - cpu, GC.GetTotalAllocatedBytes(precise: true) - bytes);
        var took = TimeProvider.System.GetElapsedTime(at);
        var pairs = sessions.Sum(s => s.Quality().Received) - before;
        var grown = Resident() - resident;

        var (sent, back) = await phones.EndAsync(bench.Stop);
        var quality = sessions.Select(s => s.Quality()).ToList();
        var lost = sent - quality.Sum(q => q.Received) + (kind == Kind.Echo ? sent - back : quality.Sum(q => q.Late));
        return new Outcome(
            sent, lost, cpuSpent.TotalMicroseconds / pairs, Math.Floor((double)bytesSpent / pairs), Lateness.Read(watched),
            grown, (Live() - live) / (double)(1 << 20), engine.Priority, $"{Figure.Of(100 * (cpuSpent / took))} % of a core");
    }

    private static MediaSession Open(MediaEngine engine, int phonePort, Kind kind)
    {
        var opened = engine.Open();
        var session = opened.Session ?? throw new InvalidOperationException(opened.Refusal?.Detail);
        var phone = new IPEndPoint(IPAddress.Loopback, phonePort);
        session.Connect(new NegotiatedAudio(phone, phone, AudioCodec.Pcma, 8, null, MediaDirection.SendRecv, RtcpMux: true));
        if (kind == Kind.Echo) session.LoopBack(true);
        else session.Listen(new SpeechFeed().Hear);
        return session;
    }

    /// <summary>What the garbage collector holds on to, in bytes.</summary>
    private static long Live() => GC.GetTotalMemory(forceFullCollection: true);

    private static double Resident() => Environment.WorkingSet / (double)(1 << 20);

    /// <summary>What every recogniser begins with.</summary>
    private sealed class SpeechFeed
    {
        private readonly SpeechResampler resampler = new(CallRate, SpeechRate);
        private readonly short[] wide = new short[2 * SpeechRate / TicksPerSecond];

        public void Hear(MediaFrame frame) => resampler.Process(frame.Pcm.Span, wide);
    }

    private sealed record Outcome(
        long Packets, long Lost, double CpuUs, double BytesPerPair, (double P50Ms, double P99Ms, double DriftMs) Lateness,
        double ResidentMb, double LiveMb, MediaPriority Priority, string CoreShare);
}
