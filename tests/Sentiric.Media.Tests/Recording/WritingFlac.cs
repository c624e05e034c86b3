using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Sentiric.Testing;

namespace Sentiric.Media.Tests;

public sealed class WritingFlac
{
    public static TheoryData<string> Sounds => ["voice", "noise", "silence", "square", "extremes", "one sample", "odd length", "ramp"];

    [Theory]
    [MemberData(nameof(Sounds))]
    public void What_is_read_back_is_what_was_written_bit_for_bit(string kind)
    {
        var sound = Make(kind);
        var read = FlacReader.Read(Encode(sound));
        Assert.Equal((8_000, 2, sound.Length / 2L, true), (read.SampleRate, read.Channels, read.ToldSamples, read.HasMd5));
        Assert.Equal(sound, read.Interleaved);
    }

    [Fact]
    public void Speech_takes_less_than_two_thirds_and_silence_next_to_nothing()
    {
        var voice = Make("voice");
        Assert.True(Encode(voice).Length < voice.Length * 2 * 0.66, $"{Encode(voice).Length} of {voice.Length * 2} bytes");
        Assert.True(Encode(Make("silence")).Length < 300);
    }

    [Fact]
    public void Steady_encoding_allocates_nothing()
    {
        using var encoder = new FlacEncoder(2, 8_000);
        var to = new ArrayBufferWriter<byte>(1 << 20);
        var second = Make("voice").AsSpan(0, 16_000).ToArray();
        encoder.Encode(second, to);
        Garbage.IsNone(_ =>
        {
            for (var i = 0; i < 10; i++)
            {
                to.ResetWrittenCount();
                encoder.Encode(second, to);
            }
        });
    }

    [Fact]
    public void A_stream_without_an_end_is_read_to_its_last_frame()
    {
        var sound = Make("voice");
        var whole = Encode(sound);
        var read = FlacReader.Read([.. FlacEncoder.HeadOfCut(0), .. whole.AsSpan(42)]);
        Assert.Equal((0L, false), (read.ToldSamples, read.HasMd5));
        Assert.Equal(sound, read.Interleaved);
    }

    [Fact]
    public void Sox_reads_the_same_samples()
    {
        if (!File.Exists("/usr/bin/sox")) return; // the decoder above checks the same where sox is not there
        var folder = Directory.CreateTempSubdirectory("media-flac").FullName;
        try
        {
            foreach (var kind in new[] { "voice", "noise", "extremes", "odd length" })
            {
                var (flac, raw) = (Path.Combine(folder, "a.flac"), Path.Combine(folder, "a.raw"));
                File.WriteAllBytes(flac, Encode(Make(kind)));
                using var sox = Process.Start(new ProcessStartInfo("/usr/bin/sox", ["-D", flac, "-t", "raw", "-e", "signed", "-b", "16", "-L", raw]) { RedirectStandardError = true });
                Assert.NotNull(sox);
                var said = sox.StandardError.ReadToEnd();
                sox.WaitForExit();
                Assert.True(sox.ExitCode == 0 && said.Length == 0, $"{kind}: {said}");
                Assert.Equal(Make(kind), MemoryMarshal.Cast<byte, short>(File.ReadAllBytes(raw)).ToArray());
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Encode(short[] interleaved)
    {
        using var encoder = new FlacEncoder(2, 8_000);
        var audio = new ArrayBufferWriter<byte>();
        // In pieces of a tick, as calls bring them.
        for (var at = 0; at < interleaved.Length; at += 320) encoder.Encode(interleaved.AsSpan(at, Math.Min(320, interleaved.Length - at)), audio);
        encoder.Flush(audio);
        return [.. encoder.Head(audio.WrittenCount), .. audio.WrittenSpan];
    }

    private static short[] Make(string kind)
    {
        var dice = new Random(7);
        var voice = Signals.Voice(TimeSpan.FromSeconds(4));
        return kind switch
        {
            "voice" => Stereo(voice.Length, i => voice[i], i => (short)(i < 9_000 ? 0 : voice[i] / 8 + dice.Next(-20, 20))),
            "noise" => Stereo(20_000, _ => (short)dice.Next(-32_768, 32_768), _ => (short)dice.Next(-200, 200)),
            "silence" => Stereo(32_000, _ => 0, _ => -3),
            "square" => Stereo(12_000, i => (short)(i / 40 % 2 == 0 ? 20_000 : -20_000), i => (short)(i % 2)),
            "extremes" => Stereo(8_000, i => i % 2 == 0 ? short.MinValue : short.MaxValue, i => i % 3 == 0 ? short.MaxValue : short.MinValue),
            "one sample" => Stereo(1, _ => -5, _ => 5),
            "odd length" => Stereo(4_003, i => (short)(i * 7), i => voice[i]),
            "ramp" => Stereo(16_001, i => (short)(i * i / 100), i => (short)(i * 3)),
            _ => throw new ArgumentException(kind),
        };
    }

    private static short[] Stereo(int samples, Func<int, short> left, Func<int, short> right) =>
        [.. Enumerable.Range(0, samples).SelectMany(i => new[] { left(i), right(i) })];
}
