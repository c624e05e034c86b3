using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit.Abstractions;

namespace Sentiric.Media.Tests;

/// <summary>
/// Junk at the ports of a live call: what is short, torn, foreign or another stream's. It is counted and dropped, no decoder sees any of it, the source lock stays
/// where it is, nothing is sent to whoever sprays, and the call goes on.
/// </summary>
public sealed class SurvivingAFlood(ITestOutputHelper output)
{
    private const int PerSecond = 20_000, PerTick = 40;
    private const double TickMs = PerTick * 1_000.0 / PerSecond;
    private const byte Loudest = 0x2A; // A-law, nearly full scale: one octet of it in the call would be heard
    private const int FullScale = 30_000;
    private static readonly TimeSpan Flood = TimeSpan.FromSeconds(3);
    private static readonly IPAddress Attacker = IPAddress.Parse("127.0.0.66");

    [Fact]
    public void Bad_input_changes_nothing_of_what_a_leg_hears_sends_and_believes()
    {
        var (peace, storm) = (new VirtualLeg(), new VirtualLeg());
        var voice = Signals.Voice(TimeSpan.FromSeconds(4));
        var dice = new Random(5);
        var foreign = 0;
        for (var n = 0; n < 200; n++)
        {
            peace.Receive(n, (uint)(n * 160), voice.AsSpan(n * 160, 160));
            storm.Receive(n, (uint)(n * 160), voice.AsSpan(n * 160, 160));
            for (var i = 0; i < 400; i++)
            {
                storm.ReceiveBytes(Junk.Of(dice, n * 400 + i, VirtualLeg.RemoteSsrc), VirtualLeg.Stranger, onRtcpPort: i % 10 == 0);
                foreign++;
            }
            for (var i = 0; i < 20; i++) storm.ReceiveBytes(Junk.Torn(dice, i)); // of the phone itself
            peace.Tick();
            storm.Tick();
        }
        Assert.Equal(peace.Heard, storm.Heard);
        Assert.Equal(peace.SentRtp, storm.SentRtp);
        Assert.Equal(peace.TakeEvents().OfType<MediaEvent.SourceFound>(), storm.TakeEvents().OfType<MediaEvent.SourceFound>());
        var (quiet, loud) = (peace.Leg.Quality(), storm.Leg.Quality());
        Assert.Equal((quiet.Received, quiet.Lost, quiet.RemoteSsrc, quiet.JitterMs, quiet.Mos), (loud.Received, loud.Lost, loud.RemoteSsrc, loud.JitterMs, loud.Mos));
        Assert.Equal((0L, 0L, 0L), (quiet.Foreign, quiet.Malformed, quiet.StrayPayload));
        Assert.Equal(foreign + 200 * 20, loud.Foreign + loud.Malformed + loud.StrayPayload);
    }

    [Trait("Category", "Slow")]
    [Fact]
    public void Whatever_the_phone_itself_sends_nothing_breaks_and_its_voice_is_heard_afterwards()
    {
        var leg = new VirtualLeg();
        var dice = new Random(8);
        var bytes = new byte[1_500];
        for (var n = 0; n < 100_000; n++)
        {
            var datagram = bytes.AsSpan(0, dice.Next(bytes.Length));
            dice.NextBytes(datagram);
            if (n % 4 != 0 && datagram.Length > 1)
            {
                // one that passes the first look: RTP of the codec, of keys, of comfort noise, or a report
                datagram[0] = 0x80;
                datagram[1] = (n % 5) switch { 0 => 8, 1 => 101, 2 => 13, 3 => 200, _ => (byte)dice.Next(200, 208) };
            }
            leg.ReceiveBytes(datagram, onRtcpPort: n % 7 == 0);
            if (n % 10 == 0) leg.Tick();
        }
        var voice = Signals.Voice(TimeSpan.FromSeconds(4));
        for (var n = 0; n < 200; n++)
        {
            leg.Receive(n, (uint)(n * 160), voice.AsSpan(n * 160, 160));
            leg.Tick();
        }
        var found = Signals.FindPieces(voice.AsSpan(16_000), leg.Heard.ToArray().AsSpan(leg.Heard.Count - 24_000));
        Assert.True(found[found.Length / 4] > 0.97, $"pieces found: {string.Join(' ', found)}");
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_flood_at_the_ports_of_a_live_call_is_counted_and_dropped_and_the_call_goes_on()
    {
        await using var engine = new MediaEngine();
        var (caller, callee) = (Opened(engine), Opened(engine));
        Assert.Null(caller.AcceptAnswer(callee.Answer(caller.Offer()).Sdp ?? "").Refusal);
        var found = new List<UdpAddress>();
        using var watch = callee.Watch(e => { if (e is MediaEvent.SourceFound source) found.Add(source.From); });
        var (voice, sweep) = (Signals.Voice(Flood), Tone.Sweep(300, 3_000, Flood));
        using var calleesEar = callee.Listen(boundFrames: 1_000);
        using var callersEar = caller.Listen(boundFrames: 1_000);
        await HearAsync(calleesEar, 10); // the lock is closed before the junk comes

        var (spoken, answered) = (caller.Play("voice", voice), callee.Play("sweep", sweep));
        var dropped = KernelDrops(callee.LocalRtpPort) + KernelDrops(callee.LocalRtpPort + 1);
        using var gun = new Gun(Attacker);
        var ssrc = callee.Quality().RemoteSsrc ?? 0;
        var shot = await Task.Factory.StartNew(
            () => gun.Shoot(callee.LocalEndPoint, ssrc, Flood), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Waiting.For(Task.WhenAll(spoken.Finished, answered.Finished), "both sides to have spoken");

        var (there, here) = (await HearAsync(calleesEar, (int)Flood.TotalMilliseconds / 20), await HearAsync(callersEar, (int)Flood.TotalMilliseconds / 20));
        Assert.True(Goes(voice, there, out var heardThere), heardThere);
        Assert.True(Goes(sweep, here, out var heardHere), heardHere);
        Assert.DoesNotContain(there, s => Math.Abs((int)s) > FullScale);
        Assert.Equal(ssrc, callee.Quality().RemoteSsrc);
        Assert.Equal(caller.LocalRtpPort, Assert.Single(found).Port);
        Assert.Equal(0, gun.Heard);
        dropped = KernelDrops(callee.LocalRtpPort) + KernelDrops(callee.LocalRtpPort + 1) - dropped;
        var quality = callee.Quality();
        output.WriteLine(
            $"{shot} datagrams in {Flood.TotalSeconds} s ({shot / Flood.TotalSeconds:F0}/s): {quality.Foreign} foreign, {quality.Malformed} malformed, {quality.StrayPayload} of other codecs, "
            + $"{dropped} dropped by the kernel; {quality.Received} packets of the call received, {quality.Lost} lost, {quality.Late} late");
        Assert.Equal(shot, quality.Foreign + quality.Malformed + quality.StrayPayload + dropped);
    }

    private static MediaSession Opened(MediaEngine engine) => engine.Open().Session ?? throw new InvalidOperationException("no ports");

    // A busy machine may stretch a piece or two; of three seconds most must be there as they were.
    private static bool Goes(short[] source, short[] heard, out string said)
    {
        var found = Signals.FindPieces(source.AsSpan(0, source.Length - 3_200), heard);
        said = $"pieces found: {string.Join(' ', found.Select(f => f.ToString("F3", CultureInfo.InvariantCulture)))}";
        return found[found.Length / 4] > 0.97;
    }

    private static async Task<short[]> HearAsync(MediaListener ear, int frames)
    {
        var heard = new List<short>();
        for (var i = 0; i < frames; i++)
        {
            var frame = await Waiting.For(ear.Frames.ReadAsync().AsTask(), $"frame {i} of {frames}");
            heard.AddRange(frame.Pcm.ToArray());
        }
        return [.. heard];
    }

    // The last column of /proc/net/udp; the second is the local address in hexadecimal.
    private static long KernelDrops(int port) => File.ReadLines("/proc/net/udp").Skip(1)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(columns => columns[1].EndsWith(port.ToString("X4", CultureInfo.InvariantCulture), StringComparison.Ordinal))
        .Sum(columns => long.Parse(columns[^1], CultureInfo.InvariantCulture));

    private sealed class Gun : IDisposable
    {
        private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

        public Gun(IPAddress from) => socket.Bind(new IPEndPoint(from, 0));

        /// <summary>Octets that came back: nobody who was not agreed on may get any.</summary>
        public int Heard => socket.Available;

        /// <summary>One in ten goes to the RTCP port. Paced by the clock; answers how many were sent.</summary>
        public long Shoot(IPEndPoint rtp, uint ssrcOfTheCall, TimeSpan length)
        {
            var (dice, rtcp) = (new Random(6), new IPEndPoint(rtp.Address, rtp.Port + 1));
            var rounds = Enumerable.Range(0, 4_000).Select(i => Junk.Of(dice, i, ssrcOfTheCall)).ToArray();
            var (watch, shot, tick) = (Stopwatch.StartNew(), 0L, 0L);
            using var clock = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
            while (watch.Elapsed < length)
            {
                for (var due = (long)(watch.Elapsed.TotalMilliseconds / TickMs); tick < due; tick++)
                {
                    for (var i = 0; i < PerTick; i++, shot++) socket.SendTo(rounds[shot % rounds.Length], shot % 10 == 0 ? rtcp : rtp);
                }
                clock.WaitForNextTickAsync().AsTask().GetAwaiter().GetResult();
            }
            return shot;
        }

        public void Dispose() => socket.Dispose();
    }

    private static class Junk
    {
        /// <summary>By turns: noise, torn packets, another stream in order, the stream of the call from elsewhere, other codecs, RTCP.</summary>
        public static byte[] Of(Random dice, int number, uint ssrcOfTheCall) => (number % 8) switch
        {
            0 => Noise(dice, dice.Next(0, 1_400)),
            1 or 2 => Torn(dice, number / 8),
            3 or 4 => Audio(8, number / 8, 0xBAD5EED),
            5 => Audio(8, number / 8, ssrcOfTheCall),
            6 => Audio(dice.Next(128), number / 8, ssrcOfTheCall),
            _ => Report(ssrcOfTheCall, bye: number % 16 == 7),
        };

        /// <summary>Nothing that could be read as RTP, whoever sent it.</summary>
        public static byte[] Torn(Random dice, int number)
        {
            var packet = Audio(8, number, 1);
            switch (number % 7)
            {
                case 0: return packet[..dice.Next(0, RtpHeader.Size)];
                case 1: packet[0] = 0x40; return packet;                                   // version 1
                case 2: packet[0] = 0xA0; packet[^1] = 0; return packet;                   // padding of no octets
                case 3: packet[0] = 0xA0; packet[^1] = 255; return packet;                 // more padding than packet
                case 4: packet[0] = 0x8F; return packet[..40];                             // more contributing sources than octets
                case 5: packet[0] = 0x90; packet[14] = packet[15] = 0xFF; return packet;   // an extension longer than the packet
                default: return [0x00, 0x01, 0x00, 0x08, 0x21, 0x12, 0xA4, 0x42];          // the beginning of STUN
            }
        }

        private static byte[] Noise(Random dice, int length)
        {
            var bytes = new byte[length];
            dice.NextBytes(bytes);
            return bytes;
        }

        private static byte[] Audio(int payloadType, int sequence, uint ssrc)
        {
            var packet = new byte[RtpHeader.Size + 160];
            packet.AsSpan().Fill(Loudest);
            RtpHeader.Write(packet, false, payloadType, (ushort)sequence, (uint)(sequence * 160), ssrc);
            return packet;
        }

        private static byte[] Report(uint ssrc, bool bye)
        {
            var report = new byte[Rtcp.MaxReportSize];
            return report[..Rtcp.WriteReport(report, ssrc, 1, 0, 1, 160, null, "peer"u8, bye)];
        }
    }
}
