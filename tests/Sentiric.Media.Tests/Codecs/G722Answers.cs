using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Sentiric.Testing;

namespace Sentiric.Media.Tests;

public sealed class G722Answers
{
    private const string Spandsp = "libspandsp.so.2";

    [Theory]
    [MemberData(nameof(Inputs))]
    public void It_codes_and_decodes_bit_for_bit_as_spandsp_does(string kind)
    {
        if (!NativeLibrary.TryLoad(Spandsp, out _)) return; // the hashes below hold the same answers
        var pcm = Make(kind);
        var (coded, decoded) = (Encode(pcm), Decode(Encode(pcm)));
        var peer = new byte[pcm.Length];
        var state = g722_encode_init(0, 64_000, 0);
        Assert.Equal(coded.Length, g722_encode(state, peer, pcm, pcm.Length));
        Assert.Equal(peer[..coded.Length], coded);
        var heard = new short[pcm.Length + 16];
        Assert.Equal(pcm.Length, g722_decode(g722_decode_init(0, 64_000, 0), heard, coded, coded.Length));
        // spandsp lets the last addition wrap around where the recommendation limits it.
        for (var i = 0; i < decoded.Length; i++)
        {
            Assert.True(decoded[i] == heard[i] || decoded[i] is short.MaxValue or short.MinValue, $"sample {i}: {decoded[i]} and {heard[i]}");
        }
    }

    // SHA-256 of what spandsp 0.0.6 (Debian 12, libspandsp2) makes of the same input: octets, then samples little endian (not where it wraps around).
    [Theory]
    [MemberData(nameof(KnownAnswers))]
    public void The_answers_are_the_known_ones(string kind, string coded, string decoded)
    {
        var octets = Encode(Make(kind));
        Assert.Equal(coded, Hash(octets));
        if (decoded.Length > 0) Assert.Equal(decoded, Hash(MemoryMarshal.AsBytes(Decode(octets).AsSpan())));
    }

    [Fact]
    public void A_tone_of_6_kHz_comes_through_which_no_narrow_band_codec_can_do()
    {
        var pcm = new short[16_000];
        for (var i = 0; i < pcm.Length; i++) pcm[i] = (short)(8_000 * Math.Sin(2 * Math.PI * 6_000 * i / 16_000));
        var decoded = Decode(Encode(pcm));
        var (correlation, _) = Signals.Find(pcm.AsSpan(4_000, 1_600), decoded.AsSpan(4_000, 2_000));
        Assert.True(correlation > 0.97, $"correlation {correlation}");
    }

    [Fact]
    public void Steady_work_allocates_nothing()
    {
        var (encoder, decoder) = (new G722Encoder(), new G722Decoder());
        var (pcm, octets) = (new short[320], new byte[160]);
        encoder.Encode(pcm, octets);
        decoder.Decode(octets, pcm);
        Garbage.IsNone(_ =>
        {
            for (var i = 0; i < 100; i++)
            {
                encoder.Encode(pcm, octets);
                decoder.Decode(octets, pcm);
            }
        });
    }

    public static TheoryData<string> Inputs => ["voice", "noise", "extremes", "silence"];

    public static TheoryData<string, string, string> KnownAnswers => new()
    {
        { "voice", "ab8f0d690e521f3017408f1871fc3bffa0ad99bbbce25f1d4f9d022f3371d32b", "f5e8a5f2b926bb474d3a0d877f1650e306ab5cedbe2d98781cce8ed426bb3af1" },
        { "silence", "fd22c79f66c5dedb1d396d7cceb1b9d2398e2d2ee2b491c63be40344729bad45", "6c8fb4db5c596c094e79539f9f33fcc6c106b5d4d1f9000e328becfdcfea9259" },
        { "noise", "cdb125d1d426e64040892315e8d52ebd9d91125a1f17cbb07b446da290260c5f", "" },
        { "extremes", "e4cbb4f614a936f8877b2f201ba23402e46718ad459cb95554fa4587b5e4ea2f", "" },
    };

    private static byte[] Encode(short[] pcm)
    {
        var octets = new byte[pcm.Length / 2];
        Assert.Equal(octets.Length, new G722Encoder().Encode(pcm, octets));
        return octets;
    }

    private static short[] Decode(byte[] octets)
    {
        var pcm = new short[octets.Length * 2];
        Assert.Equal(pcm.Length, new G722Decoder().Decode(octets, pcm));
        return pcm;
    }

    // Whole numbers only, so that every machine makes the same.
    private static short[] Make(string kind)
    {
        var (pcm, dice) = (new short[32_000], 12_345u);
        for (var i = 0; i < pcm.Length; i++)
        {
            dice = dice * 1_664_525 + 1_013_904_223;
            var saw = i * 37 % 4_001 - 2_000 + i * 211 % 1_777 - 888;
            pcm[i] = kind switch
            {
                "voice" => (short)(saw * (i / 1_600 % 5)),
                "noise" => (short)(dice >> 16),
                "extremes" => i / 50 % 2 == 0 ? short.MaxValue : short.MinValue,
                "silence" => 0,
                _ => throw new ArgumentException(kind),
            };
        }
        return pcm;
    }

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    [DllImport(Spandsp)]
    private static extern nint g722_encode_init(nint state, int rate, int options);

    [DllImport(Spandsp)]
    private static extern int g722_encode(nint state, byte[] encoded, short[] pcm, int samples);

    [DllImport(Spandsp)]
    private static extern nint g722_decode_init(nint state, int rate, int options);

    [DllImport(Spandsp)]
    private static extern int g722_decode(nint state, short[] pcm, byte[] encoded, int octets);
}
