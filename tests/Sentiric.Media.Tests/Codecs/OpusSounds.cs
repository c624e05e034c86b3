using Sentiric.Testing;

namespace Sentiric.Media.Tests;

/// <summary>The system's Opus through our calls: what goes in comes out alike, what is lost is filled, and nonsense is refused.</summary>
public sealed class OpusSounds
{
    private const int Frame = 160;
    private static readonly OpusFormat WithFec = OpusFormat.Parse("useinbandfec=1");

    [OpusFact]
    public void A_voice_comes_out_as_it_went_in()
    {
        var voice = Signals.Voice(TimeSpan.FromSeconds(3));
        var (packets, heard) = (Encode(voice, OpusFormat.Plain), new List<short>());
        using var decoder = new OpusDecoder();
        var pcm = new short[OpusDecoder.MaxSamples];
        foreach (var packet in packets)
        {
            Assert.Equal(Frame, decoder.Decode(packet, pcm));
            heard.AddRange(pcm[..Frame]);
        }
        var (correlation, at) = Signals.Find(voice.AsSpan(4_000, 16_000), heard.ToArray());
        Assert.True(correlation > 0.97, $"{correlation}");
        Assert.InRange(at - 4_000, 0, 240); // the codec's own delay is 26.5 ms at most
        Assert.StartsWith("libopus", OpusLibrary.Version);
    }

    [OpusFact]
    public void The_bitrate_is_what_was_asked_for()
    {
        var voice = Signals.Voice(TimeSpan.FromSeconds(5));
        var (usual, thin) = (BitsPerSecond(Encode(voice, OpusFormat.Plain)), BitsPerSecond(Encode(voice, OpusFormat.Parse("maxaveragebitrate=8000"))));
        Assert.InRange(usual, 10_000, OpusFormat.OwnBitrate * 1.15);
        Assert.InRange(thin, 5_000, 8_000 * 1.15);
        Assert.Single(Encode(voice, OpusFormat.Parse("cbr=1")).Select(p => p.Length).Distinct());
    }

    [OpusFact]
    public void Silence_stays_silence()
    {
        using var decoder = new OpusDecoder();
        var pcm = new short[Frame];
        foreach (var packet in Encode(new short[50 * Frame], OpusFormat.Plain))
        {
            Assert.Equal(Frame, decoder.Decode(packet, pcm));
            Assert.True(Signals.Rms(pcm) < 5, $"{Signals.Rms(pcm)}");
        }
    }

    [OpusFact]
    public void A_lost_frame_is_repeated_by_the_next_one_better_than_it_can_be_made_up()
    {
        var voice = Signals.Voice(TimeSpan.FromSeconds(4));
        var packets = Encode(voice, WithFec);
        var (whole, repeated, madeUp) = (new List<double>(), 0.0, 0.0);
        var (truth, fec, plc) = (new OpusDecoder(), new OpusDecoder(), new OpusDecoder());
        var (right, one, other) = (new short[Frame], new short[Frame], new short[Frame]);
        for (var i = 0; i < packets.Count; i++)
        {
            Assert.Equal(Frame, truth.Decode(packets[i], right));
            if (i % 10 != 5 || i < 30)
            {
                fec.Decode(packets[i], one);
                plc.Decode(packets[i], other);
                continue;
            }
            Assert.Equal(Frame, fec.Recover(packets[i + 1], one));
            Assert.Equal(Frame, plc.Conceal(other));
            whole.Add(Signals.Correlate(right, one));
            repeated += Distance(right, one);
            madeUp += Distance(right, other);
        }
        Assert.True(repeated < 0.7 * madeUp, $"error with redundancy {repeated}, without {madeUp}");
        Assert.True(whole.Average() > 0.7, $"{whole.Average()}");
        truth.Dispose();
        fec.Dispose();
        plc.Dispose();
    }

    [OpusFact]
    public void Packets_that_are_none_are_told_and_the_next_is_heard()
    {
        using var decoder = new OpusDecoder();
        var (pcm, dice) = (new short[OpusDecoder.MaxSamples], new Random(20_261));
        Assert.Null(decoder.Decode([], pcm));
        Assert.Null(decoder.Decode([0xFF], pcm)); // a count of frames is missing
        for (var i = 0; i < 5_000; i++)
        {
            var noise = new byte[dice.Next(1, 200)];
            dice.NextBytes(noise);
            if (decoder.Decode(noise, pcm) is { } samples) Assert.InRange(samples, 1, OpusDecoder.MaxSamples);
        }
        Assert.Equal(Frame, decoder.Decode(Encode(Signals.Voice(TimeSpan.FromMilliseconds(20)), OpusFormat.Plain)[0], pcm));
    }

    [OpusFact]
    public void Nothing_is_allocated_for_a_frame()
    {
        using var voice = new OpusVoice(WithFec);
        var (pcm, octets, heard) = (Signals.Voice(TimeSpan.FromMilliseconds(20)), new byte[OpusEncoder.MaxFrameOctets], new short[OpusDecoder.MaxSamples]);
        Turn(0);
        Turn(2);
        Garbage.IsNone(round =>
        {
            for (var i = 3 + 300 * round; i < 300 * (round + 1); i += i % 3) Turn(i += 1);
        });

        void Turn(int i)
        {
            var length = voice.Encode(pcm, octets);
            voice.Recover((ushort)i, (uint)(i * Frame), octets.AsSpan(0, length), heard);
            voice.Decode((ushort)i, (uint)(i * Frame), octets.AsSpan(0, length), heard);
        }
    }

    private static List<byte[]> Encode(short[] pcm, OpusFormat format)
    {
        using var encoder = new OpusEncoder(format);
        var (packets, octets) = (new List<byte[]>(), new byte[OpusEncoder.MaxFrameOctets]);
        for (var at = 0; at + Frame <= pcm.Length; at += Frame) packets.Add(octets[..encoder.Encode(pcm.AsSpan(at, Frame), octets)]);
        return packets;
    }

    private static double BitsPerSecond(List<byte[]> packets) => packets.Sum(p => p.Length) * 8.0 * 50 / packets.Count;

    private static double Distance(short[] right, short[] other) => right.Zip(other, (a, b) => Math.Pow(a - b, 2)).Sum();
}
