using System.Numerics;

namespace Sentiric.Media;

/// <summary>
/// ITU-T G.711 by table: 256 entries to decode, 65,536 to encode. Samples are 16-bit linear PCM at 8 kHz.
/// Spans must be of equal length (one byte is one sample); a shorter target throws, as any span copy does.
/// </summary>
public static class G711
{
    private const int MuLawBias = 132;
    private const int MuLawClip = 32_635;

    private static readonly short[] FromALaw = DecodeTable(DecodeALaw);
    private static readonly short[] FromMuLaw = DecodeTable(DecodeMuLaw);
    private static readonly byte[] ToALaw = EncodeTable(EncodeALaw);
    private static readonly byte[] ToMuLaw = EncodeTable(EncodeMuLaw);

    public static void Decode(AudioCodec codec, ReadOnlySpan<byte> encoded, Span<short> pcm)
    {
        var table = codec switch { AudioCodec.Pcma => FromALaw, AudioCodec.Pcmu => FromMuLaw, AudioCodec.G722 or AudioCodec.Opus => throw NotOurs(codec) };
        for (var i = 0; i < encoded.Length; i++) pcm[i] = table[encoded[i]];
    }

    public static void Encode(AudioCodec codec, ReadOnlySpan<short> pcm, Span<byte> encoded)
    {
        var table = codec switch { AudioCodec.Pcma => ToALaw, AudioCodec.Pcmu => ToMuLaw, AudioCodec.G722 or AudioCodec.Opus => throw NotOurs(codec) };
        for (var i = 0; i < pcm.Length; i++) encoded[i] = table[(ushort)pcm[i]];
    }

    private static ArgumentException NotOurs(AudioCodec codec) => new($"{codec} is not a law of G.711.", nameof(codec));

    // G.711 table 1: sign (1 = positive), 3 bits segment, 4 bits interval; even bits inverted on the line.
    private static short DecodeALaw(int code)
    {
        var bits = code ^ 0x55;
        var (segment, interval) = ((bits >> 4) & 7, bits & 15);
        var magnitude = segment == 0 ? (interval << 4) + 8 : ((interval << 4) + 0x108) << (segment - 1);
        return (short)((bits & 0x80) != 0 ? magnitude : -magnitude);
    }

    private static byte EncodeALaw(int sample)
    {
        // The two zero intervals are [0, 15] and [-16, -1]: one's complement makes them mirror each other.
        var magnitude = sample >= 0 ? sample : ~sample;
        var segment = magnitude < 256 ? 0 : BitOperations.Log2((uint)magnitude) - 7;
        var interval = (magnitude >> (segment == 0 ? 4 : segment + 3)) & 15;
        return (byte)(((sample >= 0 ? 0x80 : 0) | segment << 4 | interval) ^ 0x55);
    }

    // G.711 table 2: all bits inverted on the line; the bias of 33 (here x4, 16-bit) makes every segment a power of two.
    private static short DecodeMuLaw(int code)
    {
        var bits = ~code;
        var (segment, interval) = ((bits >> 4) & 7, bits & 15);
        var magnitude = (((interval << 3) + MuLawBias) << segment) - MuLawBias;
        return (short)((bits & 0x80) != 0 ? -magnitude : magnitude);
    }

    private static byte EncodeMuLaw(int sample)
    {
        var biased = Math.Min(Math.Abs(sample), MuLawClip) + MuLawBias;
        var segment = BitOperations.Log2((uint)biased) - 7;
        var interval = (biased >> (segment + 3)) & 15;
        return (byte)~((sample < 0 ? 0x80 : 0) | segment << 4 | interval);
    }

    private static short[] DecodeTable(Func<int, short> decode)
    {
        var table = new short[256];
        for (var code = 0; code < table.Length; code++) table[code] = decode(code);
        return table;
    }

    private static byte[] EncodeTable(Func<int, byte> encode)
    {
        var table = new byte[65_536];
        for (var sample = short.MinValue; ; sample++)
        {
            table[(ushort)sample] = encode(sample);
            if (sample == short.MaxValue) return table;
        }
    }
}
