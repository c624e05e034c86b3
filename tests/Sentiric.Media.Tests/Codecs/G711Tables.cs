namespace Sentiric.Media.Tests;

/// <summary>Against the decision values of ITU-T G.711 tables 1a and 2a, built by adding up interval widths.</summary>
public class G711Tables
{
    [Fact]
    public void Every_16_bit_sample_encodes_to_its_A_law_interval() =>
        AssertEncoding(AudioCodec.Pcma, ALawIntervals(), positive => (byte)(positive ^ 0xD5), negative => (byte)(negative ^ 0x55), ones: true);

    [Fact]
    public void Every_16_bit_sample_encodes_to_its_mu_law_interval() =>
        AssertEncoding(AudioCodec.Pcmu, MuLawIntervals(), positive => (byte)(0xFF - positive), negative => (byte)(0x7F - negative), ones: false);

    [Theory]
    [InlineData(AudioCodec.Pcma)]
    [InlineData(AudioCodec.Pcmu)]
    public void Every_code_decodes_to_the_middle_of_its_interval(AudioCodec codec)
    {
        var intervals = codec == AudioCodec.Pcma ? ALawIntervals() : MuLawIntervals();
        for (var interval = 0; interval < 128; interval++)
        {
            var code = codec == AudioCodec.Pcma ? interval ^ 0xD5 : 0xFF - interval;
            var negative = codec == AudioCodec.Pcma ? interval ^ 0x55 : 0x7F - interval;
            var (from, to) = intervals[interval];
            var middle = (from + to) / 2;
            Assert.Equal(middle, Decode(codec, (byte)code));
            Assert.Equal(-middle, Decode(codec, (byte)negative));
        }
    }

    [Theory]
    [InlineData(AudioCodec.Pcma)]
    [InlineData(AudioCodec.Pcmu)]
    public void Decoding_and_encoding_again_changes_nothing(AudioCodec codec)
    {
        for (var code = 0; code < 256; code++)
        {
            if (codec == AudioCodec.Pcmu && code == 0x7F) continue; // minus zero comes back as plus zero
            Assert.Equal(code, Encode(codec, Decode(codec, (byte)code)));
        }
    }

    [Fact]
    public void Silence_is_D5_in_A_law_and_FF_in_mu_law()
    {
        Assert.Equal(0xD5, Encode(AudioCodec.Pcma, 0));
        Assert.Equal(0xFF, Encode(AudioCodec.Pcmu, 0));
    }

    private static void AssertEncoding(
        AudioCodec codec, (int From, int To)[] intervals, Func<int, byte> positive, Func<int, byte> negative, bool ones)
    {
        for (int sample = short.MinValue; sample <= short.MaxValue; sample++)
        {
            // A-law mirrors around -0.5, mu-law around 0; the last interval takes all that is louder.
            var magnitude = sample >= 0 ? sample : ones ? -sample - 1 : -sample;
            var interval = Array.FindIndex(intervals, i => magnitude < i.To);
            if (interval < 0) interval = 127;
            Assert.Equal(sample >= 0 ? positive(interval) : negative(interval), Encode(codec, (short)sample));
        }
    }

    // Table 1a in 16-bit units: 32 intervals of 16, then 16 each of 32, 64 ... 1024.
    private static (int From, int To)[] ALawIntervals()
    {
        var edges = new List<(int, int)>();
        for (var (i, at) = (0, 0); i < 128; i++)
        {
            var width = 16 << Math.Max(0, i / 16 - 1);
            edges.Add((at, at += width));
        }
        return [.. edges];
    }

    // Table 2a in 16-bit units: the first interval reaches from -4 to 4, then 8 each to 15, 16, 32 ... 1024.
    private static (int From, int To)[] MuLawIntervals()
    {
        var edges = new List<(int, int)>();
        for (var (i, at) = (0, -4); i < 128; i++)
        {
            var width = 8 << (i / 16);
            edges.Add((at, at += width));
        }
        return [.. edges];
    }

    private static short Decode(AudioCodec codec, byte code)
    {
        var pcm = new short[1];
        G711.Decode(codec, [code], pcm);
        return pcm[0];
    }

    private static byte Encode(AudioCodec codec, short sample)
    {
        var code = new byte[1];
        G711.Encode(codec, [sample], code);
        return code[0];
    }
}
