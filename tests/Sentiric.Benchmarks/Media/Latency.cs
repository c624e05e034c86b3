using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Sentiric.Benchmarks.Kit;
using Sentiric.Media;

namespace Sentiric.Benchmarks.Media;

/// <summary>
/// How long a sound takes from a phone through two legs to another phone: a burst of noise every 200 ms, found again by cross-correlation.
/// The first leg's listener feeds the second leg's playback, as a bridge does. Jitter buffer (20 to 40 ms on a quiet line) and both clocks count;
/// the 20 ms that a phone needs to fill a packet do not.
/// </summary>
public static class Latency
{
    private const int FrameSamples = 160;
    private const int FramesPerBurst = 10;
    private const int ManyLegs = 500;
    private const int Pairs = 5; // that speak 4 ms apart: what a phone waits for our clock is part of the figure
    private const double MinCorrelation = 0.8;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(Bench bench)
    {
        await ReportAsync(bench, 1, 5);
        await ReportAsync(bench, ManyLegs, 5);
    }

    private static async Task ReportAsync(Bench bench, int legs, double seconds)
    {
        bench.Say($"latency with {legs} legs");
        var length = bench.For(seconds) + WarmUp;
        await using var engine = new MediaEngine(new MediaEngineOptions { MediaThreads = 1 });
        using var others = legs > 1 ? await Phones.StartAsync(legs - 1, length + WarmUp, bench.Stop) : null;
        if (others is not null) await others.SpeakToAsync(others.Ports.Select(port => Connected(engine, port).LocalRtpPort).ToList());
        var probes = await Task.WhenAll(Enumerable.Range(0, Pairs).Select(i => ProbeAsync(engine, TimeSpan.FromMilliseconds(20.0 * i / Pairs), length, bench.Stop)));
        if (others is not null) await others.EndAsync(bench.Stop);
        var latencies = probes.SelectMany(found => found).ToList();
        bench.Add(new Row($"media.latency.{legs}", $"leg to leg, {(legs == 1 ? "nothing else on the engine" : $"{legs} legs beside them")}", Samples.Median(latencies), "ms p50")
        {
            Detail = $"p99 {Figure.Of(Samples.Percentile(latencies, 0.99))} ms of {latencies.Count} bursts",
        });
    }

    private static async Task<IReadOnlyList<double>> ProbeAsync(MediaEngine engine, TimeSpan phase, TimeSpan length, CancellationToken stop)
    {
        using var probe = new Probe();
        var (near, far) = (Connected(engine, probe.SpeakerPort), Connected(engine, probe.ListenerPort));
        var bridge = far.Play("bridge");
        using var heard = near.Listen(frame => bridge.Enqueue(frame.Pcm));
        return await Task.Factory.StartNew(() => probe.Run(near.LocalRtpPort, phase, length), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private static MediaSession Connected(MediaEngine engine, int phonePort)
    {
        var opened = engine.Open();
        var session = opened.Session ?? throw new InvalidOperationException(opened.Refusal?.Detail);
        var phone = new IPEndPoint(IPAddress.Loopback, phonePort);
        session.Connect(new NegotiatedAudio(phone, phone, AudioCodec.Pcma, 8, null, MediaDirection.SendRecv, RtcpMux: true));
        return session;
    }

    /// <summary>Two phones: one speaks bursts, the other writes down when it heard each packet.</summary>
    private sealed class Probe : IDisposable
    {
        private const int MaxPackets = 2_000;
        private const long TickNs = 20_000_000;
        private readonly Socket speaker = Bound(), listener = Bound();
        private readonly short[] burst = new short[FrameSamples];
        private readonly List<long> spokenAt = [];
        private readonly List<(uint Timestamp, long At, byte[] Payload)> heard = new(MaxPackets);

        public Probe()
        {
            var dice = new Random(7);
            for (var i = 0; i < burst.Length; i++) burst[i] = (short)dice.Next(-9_000, 9_000);
        }

        public int SpeakerPort => Port(speaker);
        public int ListenerPort => Port(listener);

        /// <summary>Milliseconds from speaking to hearing, of each burst that was found.</summary>
        public IReadOnlyList<double> Run(int target, TimeSpan phase, TimeSpan length)
        {
            Kernel.Urgent(6);
            var ear = new Thread(Hear);
            ear.Start();
            Speak(new IPEndPoint(IPAddress.Loopback, target), phase, length);
            ear.Join();
            return [.. Find()];
        }

        public void Dispose()
        {
            speaker.Dispose();
            listener.Dispose();
        }

        private static Socket Bound()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 500 };
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            return socket;
        }

        private static int Port(Socket socket) => (socket.LocalEndPoint as IPEndPoint)?.Port ?? 0;

        private void Speak(IPEndPoint target, TimeSpan phase, TimeSpan length)
        {
            speaker.Connect(target);
            var (packet, silence) = (new byte[RtpHeader.Size + FrameSamples], new short[FrameSamples]);
            var start = Stopwatch.GetTimestamp() / TickNs * TickNs + TickNs + (long)phase.TotalNanoseconds;
            for (var n = 0; n < (int)(length.TotalMilliseconds / 20); n++)
            {
                RtpHeader.Write(packet, false, 8, (ushort)n, (uint)(n * FrameSamples), 0xB0B);
                G711.Encode(AudioCodec.Pcma, n % FramesPerBurst == 0 ? burst : silence, packet.AsSpan(RtpHeader.Size));
                Kernel.SleepUntil(start + n * TickNs);
                if (n % FramesPerBurst == 0) spokenAt.Add(Stopwatch.GetTimestamp());
                speaker.Send(packet);
            }
        }

        private void Hear()
        {
            Kernel.Urgent(6);
            var buffer = new byte[2_048];
            var idle = 0;
            while (heard.Count < MaxPackets && idle == 0)
            {
                try
                {
                    var length = listener.Receive(buffer);
                    var at = Stopwatch.GetTimestamp();
                    if (RtpHeader.LooksLikeRtcp(buffer.AsSpan(0, length)) || !RtpHeader.TryRead(buffer.AsSpan(0, length), out var header)) continue;
                    heard.Add((header.Timestamp, at, buffer.AsSpan(header.PayloadOffset, header.PayloadLength).ToArray()));
                    if (spokenAt.Count > 0 && at - spokenAt[^1] > Stopwatch.Frequency) idle = 1;
                }
                catch (SocketException nothing) when (nothing.SocketErrorCode == SocketError.TimedOut)
                {
                    idle = 1;
                }
            }
        }

        private IEnumerable<double> Find()
        {
            var (pcm, arrivals) = Timeline();
            foreach (var spoken in spokenAt.Where(at => at - spokenAt[0] > WarmUp.TotalSeconds * Stopwatch.Frequency))
            {
                var first = Array.FindIndex(arrivals, at => at >= spoken);
                if (first < 0 || Locate(pcm, Math.Max(0, first - 1) * FrameSamples) is not { } at) continue;
                // the burst begins inside a packet that carries earlier sound as well: its own moment is that much later
                yield return (arrivals[at / FrameSamples] - spoken) * 1_000.0 / Stopwatch.Frequency + at % FrameSamples / 8.0;
            }
        }

        private (short[] Pcm, long[] Arrivals) Timeline()
        {
            var pcm = new short[heard.Count * FrameSamples];
            for (var i = 0; i < heard.Count; i++) G711.Decode(AudioCodec.Pcma, heard[i].Payload, pcm.AsSpan(i * FrameSamples));
            return (pcm, [.. heard.Select(h => h.At)]);
        }

        // Within the 200 ms until the next burst.
        private int? Locate(short[] pcm, int from)
        {
            var best = (Correlation: MinCorrelation, At: -1);
            for (var at = from; at < Math.Min(pcm.Length - FrameSamples, from + (FramesPerBurst + 1) * FrameSamples); at++)
            {
                double product = 0, energy = 1, own = 1;
                for (var i = 0; i < FrameSamples; i++)
                {
                    product += pcm[at + i] * burst[i];
                    energy += pcm[at + i] * pcm[at + i];
                    own += burst[i] * burst[i];
                }
                var correlation = product / Math.Sqrt(energy * own);
                if (correlation > best.Correlation) best = (correlation, at);
            }
            return best.At < 0 ? null : best.At;
        }
    }
}
