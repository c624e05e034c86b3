using Sentiric.Testing;
using Xunit.Abstractions;

namespace Sentiric.Media.Tests;

/// <summary>What is made up for lost speech, against what was lost. Blocks are 10 ms; a packet is two of them.</summary>
public class ConcealingLosses(ITestOutputHelper output)
{
    private const int Block = LossConcealer.BlockSamples;
    private const int Packet = 2 * Block;
    private const int VoicePitch = 64; // 125 Hz

    private readonly LossConcealer concealer = new();

    [Fact]
    public void A_steady_voice_goes_on_at_its_own_pitch()
    {
        var voice = Steady(VoicePitch, 60);
        var heard = Hear(voice, lost: block => block is 40 or 41);
        Assert.InRange(Signals.Correlate(voice.AsSpan(40 * Block, Packet), heard.AsSpan(40 * Block, Packet)), 0.95, 1);
        Assert.InRange(Signals.Rms(heard.AsSpan(40 * Block, Block)) / Signals.Rms(voice.AsSpan(40 * Block, Block)), 0.9, 1.1);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(53)]
    [InlineData(71)]
    [InlineData(97)]
    [InlineData(120)]
    public void Every_pitch_of_a_voice_is_found(int pitch)
    {
        var voice = Steady(pitch, 60);
        var heard = Hear(voice, lost: block => block is 40 or 41);
        Assert.InRange(Signals.Correlate(voice.AsSpan(40 * Block, Packet), heard.AsSpan(40 * Block, Packet)), 0.9, 1);
    }

    [Fact]
    public void A_hole_loses_a_fifth_of_its_strength_every_10_ms_after_the_first_and_is_silent_after_60()
    {
        var voice = Steady(VoicePitch, 60);
        var heard = Hear(voice, lost: block => block is >= 40 and < 50);
        var full = Signals.Rms(voice.AsSpan(40 * Block, Block));
        var strength = Enumerable.Range(40, 10).Select(block => Signals.Rms(heard.AsSpan(block * Block, Block)) / full).ToArray();
        foreach (var (expected, found) in new[] { 1, 0.9, 0.7, 0.5, 0.3, 0.12 }.Zip(strength)) Assert.InRange(found, expected - 0.1, expected + 0.1);
        Assert.All(strength[6..], silent => Assert.Equal(0, silent));
    }

    [Fact]
    public void A_longer_hole_repeats_more_than_one_period()
    {
        // Every period differs from the one before: a single one over and over would be the same again after each pitch.
        var voice = Signals.Voice(TimeSpan.FromMilliseconds(600));
        var random = new Random(11);
        for (var i = 0; i < voice.Length; i++) voice[i] = (short)(voice[i] + random.Next(-2_000, 2_000));
        var heard = Hear(voice, lost: block => block is >= 40 and < 45);
        var third = heard.AsSpan(42 * Block + 30, Block).ToArray();
        var before = Enumerable.Range(40, 81).Max(lag => Signals.Correlate(third, heard.AsSpan(42 * Block + 30 - lag, Block)));
        Assert.InRange(before, 0.5, 0.995);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void No_seam_of_a_hole_jumps(int blocks)
    {
        var voice = Steady(VoicePitch, 60, glide: 0.0004);
        var heard = Hear(voice, lost: block => block >= 40 && block < 40 + blocks);
        var usual = LargestStep(voice.AsSpan(20 * Block, 20 * Block));
        Assert.True(LargestStep(heard.AsSpan(39 * Block, (blocks + 3) * Block)) < 1.35 * usual, $"{LargestStep(heard.AsSpan(39 * Block, (blocks + 3) * Block))} beside {usual}");
    }

    [Fact]
    public void A_block_that_comes_after_all_is_heard_as_it_is()
    {
        var voice = Steady(VoicePitch, 40);
        var heard = voice.ToArray();
        for (var block = 0; block < 40; block++) concealer.Accept(heard.AsSpan(block * Block, Block), nothingFollows: block == 20);
        Assert.Equal(voice[(22 * Block)..], heard[(22 * Block)..]);
        Assert.InRange(Signals.Correlate(voice.AsSpan(20 * Block, Packet), heard.AsSpan(20 * Block, Packet)), 0.99, 1);
    }

    [Fact]
    public void Before_anything_was_heard_there_is_silence_and_no_seam()
    {
        var block = new short[Block];
        Array.Fill(block, (short)7);
        concealer.Conceal(block);
        Assert.All(block, sample => Assert.Equal(0, sample));
        // And what comes then begins at once: a voice that starts is no hole.
        var voice = Steady(VoicePitch, 1);
        concealer.Accept(voice);
        Assert.Equal(Steady(VoicePitch, 1), voice);
    }

    [Fact]
    public void At_the_limit_of_the_scale_nothing_wraps_around()
    {
        var square = new short[60 * Block];
        for (var i = 0; i < square.Length; i++) square[i] = i / 32 % 2 == 0 ? short.MaxValue : short.MinValue;
        var heard = Hear(square, lost: block => block % 7 is 3 or 4);
        for (var i = 20 * Block; i < heard.Length; i++) Assert.True(heard[i] == 0 || Math.Sign(heard[i]) == Math.Sign(square[i]) || Math.Abs((int)heard[i]) < 32_000, $"sample {i}: {heard[i]}");
    }

    [Fact]
    public void Concealing_allocates_nothing()
    {
        var block = new short[Block];
        Steady(VoicePitch, 1).CopyTo(block, 0);
        Once();
        Garbage.IsNone(_ =>
        {
            for (var i = 0; i < 100; i++) Once();
        });

        void Once()
        {
            concealer.Accept(block, nothingFollows: true);
            for (var i = 0; i < 8; i++) concealer.Conceal(block);
        }
    }

    /// <summary>
    /// At 5 % random loss of packets: how far the lost stretches are from what was said, in the signal (segmental SNR) and in its sound (distance of log spectra). Silence has
    /// an SNR of 0 dB by definition.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void At_5_percent_loss_what_is_made_up_is_nearer_to_the_voice_than_silence(int seed)
    {
        var voice = Signals.Voice(TimeSpan.FromSeconds(30));
        var dice = new Random(seed);
        var lost = Enumerable.Range(0, voice.Length / Packet).Select(n => n > 5 && dice.NextDouble() < 0.05).ToArray();
        var heard = Hear(voice, block => block / 2 < lost.Length && lost[block / 2]);
        var silent = voice.ToArray();
        for (var n = 0; n < lost.Length; n++) if (lost[n]) silent.AsSpan(n * Packet, Packet).Clear();
        var (made, none) = (Against(voice, heard, lost), Against(voice, silent, lost));
        output.WriteLine($"seed {seed}, {lost.Count(l => l)} packets: made up SNR {made.Snr:F1} dB, log spectra {made.Spectral:F1} dB; silence {none.Snr:F1} dB, {none.Spectral:F1} dB");
        Assert.True(made.Snr > 5, $"{made.Snr:F1} dB");
        Assert.True(made.Spectral < none.Spectral / 3, $"{made.Spectral:F1} beside {none.Spectral:F1} dB");
    }

    private short[] Hear(ReadOnlySpan<short> voice, Func<int, bool> lost)
    {
        var heard = voice.ToArray();
        for (var block = 0; block < voice.Length / Block; block++)
        {
            var span = heard.AsSpan(block * Block, Block);
            if (lost(block)) concealer.Conceal(span);
            else concealer.Accept(span, nothingFollows: lost(block + 1));
        }
        return heard;
    }

    private static (double Snr, double Spectral) Against(short[] voice, short[] heard, bool[] lost)
    {
        var (snr, spectral, count) = (0.0, 0.0, 0);
        for (var n = 0; n < lost.Length; n++)
        {
            var said = voice.AsSpan(n * Packet, Packet);
            if (!lost[n] || Signals.Rms(said) < 100) continue;
            snr += SpeechDistance.Snr(said, heard.AsSpan(n * Packet, Packet));
            spectral += SpeechDistance.LogSpectral(said, heard.AsSpan(n * Packet, Packet));
            count++;
        }
        return (snr / count, spectral / count);
    }

    // A voice whose periods are all alike, or slowly become longer.
    private static short[] Steady(int pitch, int blocks, double glide = 0)
    {
        var pcm = new short[blocks * Block];
        for (var i = 0; i < pcm.Length; i++)
        {
            var phase = 2 * Math.PI * i / pitch * (1 - glide * i / Block);
            pcm[i] = (short)(8_000 * (Math.Sin(phase) + 0.5 * Math.Sin(2 * phase + 1) + 0.25 * Math.Sin(5 * phase + 2)));
        }
        return pcm;
    }

    private static int LargestStep(ReadOnlySpan<short> pcm)
    {
        var largest = 0;
        for (var i = 1; i < pcm.Length; i++) largest = Math.Max(largest, Math.Abs(pcm[i] - pcm[i - 1]));
        return largest;
    }
}
