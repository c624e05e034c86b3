using System.Buffers.Binary;
using System.Net;

namespace Sentiric.Media.Tests;

/// <summary>A leg whose RTP clock runs at 48 kHz while the inside stays at 8 kHz.</summary>
public sealed class ALegWithOpus : IDisposable
{
    private const int PayloadType = 96, Events = 97;
    private static readonly IPAddress Host = IPAddress.Parse("192.0.2.10");
    private readonly List<IDisposable> owned = [];

    [OpusFact]
    public void Timestamps_rise_by_960_and_both_voices_are_heard()
    {
        var leg = Connected();
        var voice = Signals.Voice(TimeSpan.FromSeconds(2));
        leg.Leg.Playback.Open("p");
        leg.Leg.Playback.Enqueue("p", voice);
        leg.Leg.Playback.Complete("p");
        // Their clock wraps around in the middle, and not at a multiple of a sample.
        Speak(leg, voice, uint.MaxValue - 50 * 960 - 1);
        leg.Tick(10);
        AssertAlike(voice, leg.Heard);
        Assert.Equal((0, 0, 0), (leg.Leg.Quality().Lost, leg.Leg.Quality().Late, leg.Leg.Quality().Malformed));
        Assert.True(leg.Leg.Quality().JitterMs < 0.5, $"{leg.Leg.Quality().JitterMs}");
        Assert.Equal(AudioCodec.Opus, leg.Leg.Quality().Codec);

        var sent = leg.SentHeaders();
        Assert.All(sent, h => Assert.Equal(PayloadType, h.PayloadType));
        Assert.All(sent.Zip(sent.Skip(1)), pair => Assert.Equal(960u, pair.Second.Timestamp - pair.First.Timestamp));
        using var decoder = new OpusDecoder();
        var (said, pcm) = (new List<short>(), new short[160]);
        foreach (var packet in leg.SentRtp)
        {
            Assert.Equal(160, decoder.Decode(packet.AsSpan(RtpHeader.Size), pcm));
            said.AddRange(pcm);
        }
        AssertAlike(voice, said);
    }

    [OpusFact]
    public void Longer_packets_are_heard_too()
    {
        var leg = Connected();
        var voice = Signals.Voice(TimeSpan.FromSeconds(2));
        using var encoder = new OpusEncoder(OpusFormat.Plain);
        for (var i = 0; i < 50; i++)
        {
            Receive(leg, encoder, i, (uint)(i * 1_920), voice.AsSpan(i * 320, 320));
            leg.Tick(2);
        }
        leg.Tick(10);
        AssertAlike(voice, leg.Heard);
    }

    [OpusFact]
    public void A_lost_packet_is_heard_from_the_next_and_a_late_one_not_twice()
    {
        var voice = Signals.Voice(TimeSpan.FromSeconds(3));
        var (all, lost) = (Connected(), Connected());
        Speak(all, voice, 0);
        Speak(lost, voice, 0, i => i > 20 && i % 10 == 7);
        all.Tick(10);
        lost.Tick(10);
        Assert.Equal(13, lost.Leg.Quality().Lost);
        var pieces = Signals.FindPieces(voice.AsSpan(8_000, 12_800), lost.Heard.ToArray());
        Assert.True(pieces[0] > 0.9, $"worst 200 ms with a tenth lost: {string.Join(' ', pieces)}");
        Assert.DoesNotContain(FrameSource.Concealed, lost.Sources.Skip(30).Take(100));

        var late = Connected();
        using var encoder = new OpusEncoder(OpusFormat.Parse("useinbandfec=1"));
        List<byte[]> packets = [.. Enumerable.Range(0, 100).Select(i => Packet(encoder, i, (uint)(i * 960), voice.AsSpan(i * 160, 160)))];
        foreach (var i in Enumerable.Range(0, 100).Select(i => (i % 20) switch { 9 => i + 1, 10 => i - 1, _ => i }))
        {
            late.ReceiveBytes(packets[i]);
            late.Tick();
        }
        Assert.Equal((0, 0, 5), (late.Leg.Quality().Lost, late.Leg.Quality().Late, late.Leg.Quality().Reordered));
        Assert.True(Signals.FindPieces(voice.AsSpan(3_200, 9_600), late.Heard.ToArray())[0] > 0.9);
    }

    [OpusFact]
    public void A_sender_that_counts_anew_is_heard_at_once()
    {
        var leg = Connected();
        var voice = Signals.Voice(TimeSpan.FromSeconds(2));
        Speak(leg, voice, 0, sequence: 50_000);
        leg.Heard.Clear();
        Speak(leg, voice, 700_000_000, sequence: 20_000);
        leg.Tick(10);
        AssertAlike(voice, leg.Heard);
    }

    [OpusFact]
    public void What_is_no_Opus_is_counted_and_the_voice_goes_on()
    {
        var leg = Connected();
        var voice = Signals.Voice(TimeSpan.FromSeconds(2));
        for (var i = 0; i < 5; i++)
        {
            var packet = new byte[RtpHeader.Size + 1];
            RtpHeader.Write(packet, false, PayloadType, (ushort)i, (uint)(i * 960), VirtualLeg.RemoteSsrc);
            packet[RtpHeader.Size] = 0xFF;
            leg.ReceiveBytes(packet);
        }
        Speak(leg, voice, 5 * 960, sequence: 5);
        leg.Tick(10);
        Assert.Equal(5, leg.Leg.Quality().Malformed);
        AssertAlike(voice, leg.Heard);
    }

    [OpusFact]
    public void Jitter_is_reported_in_the_clock_of_the_codec_and_read_so()
    {
        var leg = Connected();
        using var encoder = new OpusEncoder(OpusFormat.Plain);
        for (var i = 0; i < 400; i++)
        {
            Receive(leg, encoder, i, (uint)(i * 960), new short[160]);
            if (i % 2 == 1) leg.Tick(2); // in pairs: every other packet 20 ms early
        }
        var jitterMs = leg.Leg.Quality().JitterMs;
        Assert.InRange(jitterMs, 15, 21);
        leg.Leg.SayBye(leg.NowUs);
        var report = leg.SentRtcp[^1];
        Assert.Equal(jitterMs, BinaryPrimitives.ReadUInt32BigEndian(report.AsSpan(28 + 12)) / 48.0, 0.2);

        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(4), VirtualLeg.RemoteSsrc);
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(28), 0x11223344); // about us
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(28 + 12), 480);
        leg.ReceiveBytes(report, new UdpAddress(VirtualLeg.Remote.Address, 4_001), onRtcpPort: true);
        Assert.Equal(10, leg.Leg.Quality().RemoteJitterMs ?? -1, 0.01);
    }

    [OpusTheory]
    [InlineData(48_000, 960)]
    [InlineData(8_000, 160)]
    public void Keys_are_pressed_in_the_clock_that_was_agreed_on(int rate, int step)
    {
        var leg = Connected(rate);
        var silence = new short[160];
        using (var encoder = new OpusEncoder(OpusFormat.Plain)) Receive(leg, encoder, 0, 0, silence);
        leg.Tick();
        Assert.True(leg.Leg.SendDtmf("5"));
        leg.Tick(15);
        var keys = leg.SentRtp.Where(p => (p[1] & 0x7F) == Events).ToList();
        Assert.Equal(8, keys.Count);
        Assert.Single(leg.SentHeaders().Where(h => h.PayloadType == Events).Select(h => h.Timestamp).Distinct());
        Assert.Equal([.. Enumerable.Range(1, 5).Select(i => i * step), .. Enumerable.Repeat(5 * step, 3)], keys.Select(p => (int)BinaryPrimitives.ReadUInt16BigEndian(p.AsSpan(RtpHeader.Size + 2))));

        foreach (var (packet, i) in keys.Select((p, i) => (p, i)))
        {
            var back = packet.ToArray();
            BinaryPrimitives.WriteUInt16BigEndian(back.AsSpan(2), (ushort)(1 + i));
            BinaryPrimitives.WriteUInt32BigEndian(back.AsSpan(8), VirtualLeg.RemoteSsrc);
            leg.ReceiveBytes(back);
        }
        Assert.Equal('5', Assert.Single(leg.TakeEvents().OfType<MediaEvent.DtmfPressed>()).Digit);
    }

    [OpusFact]
    public void A_call_changes_to_G711_and_back()
    {
        var leg = Connected();
        var voice = Signals.Voice(TimeSpan.FromSeconds(2));
        Speak(leg, voice, 0);
        leg.Leg.Connect(VirtualLeg.Audio(), leg.NowUs);
        leg.Heard.Clear();
        leg.SentRtp.Clear();
        for (var i = 0; i < 100; i++)
        {
            leg.Receive(100 + i, (uint)(5_000_000 + i * 160), voice.AsSpan(i * 160, 160));
            leg.Tick();
        }
        AssertAlike(voice, leg.Heard);
        Assert.All(leg.SentHeaders(), h => Assert.Equal(8, h.PayloadType));
        leg.Leg.Connect(Agreed(48_000), leg.NowUs);
        leg.Heard.Clear();
        Speak(leg, voice, 123_456, sequence: 200);
        leg.Tick(10);
        AssertAlike(voice, leg.Heard);
    }

    public void Dispose()
    {
        foreach (var one in owned) one.Dispose();
    }

    private static void AssertAlike(short[] voice, List<short> heard)
    {
        var (correlation, _) = Signals.Find(voice.AsSpan(3_200, 9_600), heard.ToArray());
        Assert.True(correlation > 0.97, $"{correlation}");
    }

    private static void Speak(VirtualLeg leg, short[] voice, uint timestamp, Func<int, bool>? isLost = null, int sequence = 0)
    {
        using var encoder = new OpusEncoder(OpusFormat.Parse("useinbandfec=1"));
        for (var i = 0; i < voice.Length / 160; i++)
        {
            var packet = Packet(encoder, sequence + i, timestamp + (uint)(i * 960), voice.AsSpan(i * 160, 160));
            if (isLost?.Invoke(i) != true) leg.ReceiveBytes(packet);
            leg.Tick();
        }
    }

    private static void Receive(VirtualLeg leg, OpusEncoder encoder, int sequence, uint timestamp, ReadOnlySpan<short> pcm) => leg.ReceiveBytes(Packet(encoder, sequence, timestamp, pcm));

    private static byte[] Packet(OpusEncoder encoder, int sequence, uint timestamp, ReadOnlySpan<short> pcm)
    {
        var packet = new byte[RtpHeader.Size + OpusEncoder.MaxFrameOctets];
        RtpHeader.Write(packet, false, PayloadType, (ushort)sequence, timestamp, VirtualLeg.RemoteSsrc);
        return packet[..(RtpHeader.Size + encoder.Encode(pcm, packet.AsSpan(RtpHeader.Size)))];
    }

    private static NegotiatedAudio Agreed(int eventRate) => new(
        new IPEndPoint(Host, 4_000), new IPEndPoint(Host, 4_001), AudioCodec.Opus, PayloadType, Events, MediaDirection.SendRecv, RtcpMux: false)
    {
        TelephoneEventRate = eventRate, Opus = OpusFormat.Parse("useinbandfec=1"),
    };

    private VirtualLeg Connected(int eventRate = 48_000)
    {
        var leg = new VirtualLeg(audio: Agreed(eventRate));
        owned.Add(leg.Leg);
        return leg;
    }
}

/// <summary>A theory with the system's libopus.</summary>
public sealed class OpusTheoryAttribute : TheoryAttribute
{
    public OpusTheoryAttribute()
    {
        if (!OpusLibrary.IsPresent) Skip = OpusFactAttribute.Missing;
    }
}
