using System.Net;
using Sentiric.Benchmarks.Kit;
using Sentiric.Media;

namespace Sentiric.Benchmarks.Media;

/// <summary>
/// Many legs of one engine over loopback, each receiving and sending a packet every 20 ms, against a bare echo on one socket.
/// A full leg has source lock, jitter buffer, codec, concealment and pacing; an echo leg plays back what it hears as well.
/// </summary>
public static class Legs
{
    private const int Count = 200;
    private const double Seconds = 8;
    private const int TicksPerSecond = 50;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan Tail = TimeSpan.FromSeconds(0.5);

    public static async Task RunAsync(Bench bench)
    {
        await EngineAsync(bench, legs: 50, seconds: 1, echo: true);
        await Measure.CompilerSettlesAsync(bench.Stop);
        var floor = await FloorAsync(bench);
        var full = await EngineAsync(bench, Count, Seconds, echo: false);
        var echo = await EngineAsync(bench, Count, Seconds, echo: true);

        var reference = ("bare echo", floor);
        bench.Add(new Row("media.floor.echo", $"recvfrom and sendto in C#, {Count} phones on one socket", floor, "us CPU/pair"));
        bench.Add(new Row("media.leg", $"{Count} full legs, a packet in and a packet out", full.CpuUs, "us CPU/pair")
        {
            Reference = reference,
            Target = Target.AtMost(9),
            Detail = $"{full.Lost} of {full.Pairs} packets lost",
        });
        bench.Add(new Row("media.leg.bytes", "allocated per packet pair, full leg", full.BytesPerPair, "B") { Target = Target.AtMost(0) });
        bench.Add(new Row("media.echo_leg", $"{Count} legs that play what they hear", echo.CpuUs, "us CPU/pair")
        {
            Reference = reference,
            Detail = $"{Figure.Of(echo.BytesPerPair)} B allocated/pair, {echo.Lost} of {echo.Pairs} packets lost",
        });
        bench.Add(new Row("media.pacing", $"lateness of a tick with {Count} legs", full.Lateness.P99Ms, "ms p99")
        {
            Target = Target.AtMost(full.IsRealTime ? 1 : 6),
            Detail = $"p50 {Figure.Of(full.Lateness.P50Ms)} ms, drift {Figure.Of(full.Lateness.DriftMs)} ms, "
                + (full.IsRealTime ? "real-time priority" : "no real-time priority"),
        });
        bench.Add(new Row("media.memory", "live memory per 100 full legs, sockets' buffers in the kernel not counted", full.MegabytesPer100, "MB") { Target = Target.AtMost(4) });
    }

    private static async Task<double> FloorAsync(Bench bench)
    {
        bench.Say("bare echo");
        var length = bench.For(Seconds);
        using var echo = new EchoFloor();
        using var phones = await Phones.StartAsync(Count, WarmUp + length + Tail, bench.Stop);
        await phones.SpeakToAsync([echo.Port]);
        await Task.Delay(WarmUp, bench.Stop);
        var (cpu, echoed) = (Measure.Cpu, echo.Echoed);
        await Task.Delay(length, bench.Stop);
        var cost = (Measure.Cpu - cpu).TotalMicroseconds / (echo.Echoed - echoed);
        await phones.EndAsync(bench.Stop);
        return cost;
    }

    private static async Task<Outcome> EngineAsync(Bench bench, int legs, double seconds, bool echo)
    {
        bench.Say($"{legs} {(echo ? "echo" : "full")} legs");
        var length = bench.For(seconds);
        var live = Live();
        await using var engine = new MediaEngine();
        using var phones = await Phones.StartAsync(legs, WarmUp + length + Tail, bench.Stop);
        var sessions = phones.Ports.Select(port => Open(engine, port, echo)).ToList();
        var lateness = new Lateness((int)(length + WarmUp + Tail).TotalSeconds * 2 * TicksPerSecond);
        using var heard = sessions[0].Listen(lateness.Hear);
        await phones.SpeakToAsync(sessions.Select(s => s.LocalRtpPort));
        await Task.Delay(WarmUp, bench.Stop);

        var before = sessions.Sum(s => s.Quality().Received);
        var (cpu, bytes) = (Measure.Cpu, GC.GetTotalAllocatedBytes(precise: true));
        await Task.Delay(length, bench.Stop);
        var (cpuSpent, bytesSpent) = (Measure.Cpu - cpu, GC.GetTotalAllocatedBytes(precise: true) - bytes);
        var quality = sessions.Select(s => s.Quality()).ToList();
        var pairs = quality.Sum(q => q.Received) - before;

        var megabytes = (Live() - live) / (double)(1 << 20) * 100 / legs;
        await phones.EndAsync(bench.Stop);
        return new Outcome(
            pairs, quality.Sum(q => q.Lost), cpuSpent.TotalMicroseconds / pairs, Math.Floor((double)bytesSpent / pairs), lateness.Read(),
            megabytes, engine.IsRealTime);
    }

    private static MediaSession Open(MediaEngine engine, int phonePort, bool echo)
    {
        var opened = engine.Open();
        var session = opened.Session ?? throw new InvalidOperationException(opened.Refusal?.Detail);
        var phone = new IPEndPoint(IPAddress.Loopback, phonePort);
        session.Connect(new NegotiatedAudio(phone, phone, AudioCodec.Pcma, 8, null, MediaDirection.SendRecv, RtcpMux: true));
        if (echo)
        {
            var playback = session.Play("echo");
            session.Listen(frame => playback.Enqueue(frame.Pcm));
        }
        return session;
    }

    /// <summary>What the garbage collector holds on to. Resident memory says little in a process that measured other things before.</summary>
    private static long Live() => GC.GetTotalMemory(forceFullCollection: true);

    private sealed record Outcome(
        long Pairs, long Lost, double CpuUs, double BytesPerPair, (double P50Ms, double P99Ms, double DriftMs) Lateness, double MegabytesPer100, bool IsRealTime);
}
