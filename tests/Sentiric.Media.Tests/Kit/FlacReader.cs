using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Sentiric.Media.Tests;

/// <summary>A decoder of FLAC (RFC 9639) written from the RFC alone, for what the encoder may write: fixed predictors, constants, verbatim. Checks both CRCs and the MD5.</summary>
internal static class FlacReader
{
    public sealed record Sound(int SampleRate, int Channels, long ToldSamples, bool HasMd5, List<short> Interleaved);

    public static Sound Read(byte[] file)
    {
        Assert.Equal("fLaC"u8.ToArray(), file[..4]);
        Assert.Equal(0x80, file[4]);
        var info = file.AsSpan(8, 34);
        var packed = BinaryPrimitives.ReadUInt64BigEndian(info[10..]);
        var (rate, channels, told) = ((int)(packed >> 44), (int)(packed >> 41 & 7) + 1, (long)(packed & 0xF_FFFF_FFFF));
        var samples = new List<short>();
        var number = 0L;
        for (var at = 42; at < file.Length;) at += Frame(file.AsSpan(at), channels, number++, samples);
        var md5 = info[18..].ToArray();
        var hasMd5 = md5.Any(b => b != 0);
        if (hasMd5)
        {
            var bytes = new byte[samples.Count * 2];
            for (var i = 0; i < samples.Count; i++) BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(2 * i), samples[i]);
            Assert.Equal(md5, MD5.HashData(bytes));
        }
        return new Sound(rate, channels, told, hasMd5, samples);
    }

    private static int Frame(ReadOnlySpan<byte> bytes, int channels, long expected, List<short> to)
    {
        var bits = new Bits(bytes);
        Assert.Equal(0xFFF8u, bits.Take(16));
        Assert.Equal(0b0111_0000u, bits.Take(8));
        Assert.Equal((uint)(channels - 1) << 4 | 0b1000, bits.Take(8));
        Assert.Equal(expected, Number(ref bits));
        var block = (int)bits.Take(16) + 1;
        Assert.Equal(Crc(bytes[..(bits.At / 8)], 8, 0x07), bits.Take(8));
        var decoded = new int[channels][];
        for (var channel = 0; channel < channels; channel++) decoded[channel] = Subframe(ref bits, block);
        while (bits.At % 8 != 0) Assert.Equal(0u, bits.Take(1));
        Assert.Equal(Crc(bytes[..(bits.At / 8)], 16, 0x8005), bits.Take(16));
        for (var i = 0; i < block; i++)
        {
            for (var channel = 0; channel < channels; channel++) to.Add(checked((short)decoded[channel][i]));
        }
        return bits.At / 8;
    }

    private static long Number(ref Bits bits)
    {
        var first = bits.Take(8);
        if (first < 0x80) return first;
        var followers = 0;
        while ((first << followers & 0x40) != 0) followers++;
        long number = first & (0x3Fu >> followers);
        for (var i = 0; i < followers; i++) number = number << 6 | bits.Take(8) & 0x3F;
        return number;
    }

    private static int[] Subframe(ref Bits bits, int block)
    {
        var type = bits.Take(8) >> 1;
        var samples = new int[block];
        if (type == 0)
        {
            Array.Fill(samples, bits.TakeSigned(16));
            return samples;
        }
        if (type == 1)
        {
            for (var i = 0; i < block; i++) samples[i] = bits.TakeSigned(16);
            return samples;
        }
        Assert.InRange(type, 8u, 12u);
        var order = (int)type - 8;
        for (var i = 0; i < order; i++) samples[i] = bits.TakeSigned(16);
        Assert.Equal(0u, bits.Take(2));
        var partitions = 1 << (int)bits.Take(4);
        for (var p = 0; p < partitions; p++)
        {
            var parameter = (int)bits.Take(4);
            for (var i = p == 0 ? order : block / partitions * p; i < block / partitions * (p + 1); i++)
            {
                var quotient = 0u;
                while (bits.Take(1) == 0) quotient++;
                var folded = quotient << parameter | bits.Take(parameter);
                var residual = (int)(folded >> 1) ^ -(int)(folded & 1);
                samples[i] = residual + order switch
                {
                    0 => 0,
                    1 => samples[i - 1],
                    2 => 2 * samples[i - 1] - samples[i - 2],
                    3 => 3 * samples[i - 1] - 3 * samples[i - 2] + samples[i - 3],
                    _ => 4 * samples[i - 1] - 6 * samples[i - 2] + 4 * samples[i - 3] - samples[i - 4],
                };
            }
        }
        return samples;
    }

    private static uint Crc(ReadOnlySpan<byte> bytes, int width, uint polynomial)
    {
        var crc = 0u;
        foreach (var octet in bytes)
        {
            for (var bit = 7; bit >= 0; bit--)
            {
                var carry = (crc >> (width - 1) ^ (uint)(octet >> bit)) & 1;
                crc = crc << 1 & (1u << width) - 1;
                if (carry == 1) crc ^= polynomial;
            }
        }
        return crc;
    }

    private ref struct Bits(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> bytes = bytes;

        public int At { get; private set; }

        public uint Take(int count)
        {
            var value = 0u;
            for (var i = 0; i < count; i++, At++) value = value << 1 | (uint)(bytes[At / 8] >> (7 - At % 8)) & 1;
            return value;
        }

        public int TakeSigned(int count) => (int)(Take(count) << (32 - count)) >> (32 - count);
    }
}
