using Sentiric.Testing;
using Xunit.Abstractions;

namespace Sentiric.Media.Tests;

public sealed class HearingKeys(ITestOutputHelper output)
{
    private const string All = "123A456B789C*0#D";
    private static readonly double[] Rows = [697, 770, 852, 941], Columns = [1_209, 1_336, 1_477, 1_633];

    [Theory]
    [InlineData(0.0)]     // both tones alike
    [InlineData(6.0)]     // the column weaker, as a line makes it
    [InlineData(-3.0)]    // the column louder
    public void Every_key_is_heard_once_however_long_it_is_held(double twistDb)
    {
        foreach (var heldMs in new[] { 40, 70, 500, 3_000 })
        {
            var heard = Listen([.. All.SelectMany(k => Press(k, heldMs, 4_000, twistDb).Concat(new short[400]))]);
            Assert.Equal(All, heard);
        }
    }

    [Fact]
    public void The_same_key_twice_is_two_keys() =>
        Assert.Equal("5552", Listen([.. "5552".SelectMany(k => Press(k, 60, 4_000, 0).Concat(new short[480]))]));

    [Fact]
    public void Keys_are_heard_through_noise_and_through_both_laws_of_G711()
    {
        var dice = new Random(1);
        foreach (var codec in Enum.GetValues<AudioCodec>())
        {
            if (codec is not (AudioCodec.Pcma or AudioCodec.Pcmu)) continue;
            var line = All.SelectMany(k => Press(k, 70, 2_500, 2).Concat(new short[560])).Select(s => (short)(s + dice.Next(-300, 300))).ToArray();
            var coded = new byte[line.Length];
            G711.Encode(codec, line, coded);
            G711.Decode(codec, coded, line);
            Assert.Equal(All, Listen(line));
        }
    }

    [Theory]
    [InlineData(12.0)]    // beyond what Q.24 lets pass as twist
    [InlineData(-8.0)]
    public void Tones_that_are_too_unlike_are_no_key(double twistDb) => Assert.Equal("", Listen(Press('5', 200, 4_000, twistDb)));

    [Fact]
    public void One_tone_three_tones_short_ones_and_neighbours_are_no_key()
    {
        Assert.Equal("", Listen(Tone.Sine(770, TimeSpan.FromMilliseconds(300))));
        Assert.Equal("", Listen(Mix(Press('5', 300, 4_000, 0), Tone.Sine(1_477, TimeSpan.FromMilliseconds(300), 0.12))));
        Assert.Equal("", Listen([.. new short[300], .. Press('5', 15, 4_000, 0), .. new short[600]]));
        Assert.Equal("", Listen(Mix(Tone.Sine(810, TimeSpan.FromMilliseconds(300), 0.2), Tone.Sine(1_270, TimeSpan.FromMilliseconds(300), 0.2))));
        Assert.Equal("", Listen(Press('5', 300, 60, 0)));
    }

    [Trait("Category", "Slow")]
    [Fact]
    public void Speech_and_noise_press_no_keys()
    {
        var dice = new Random(2);
        Assert.Equal("", Listen(Signals.Voice(TimeSpan.FromSeconds(60))));
        Assert.Equal("", Listen([.. Enumerable.Range(0, 480_000).Select(_ => (short)dice.Next(-12_000, 12_000))]));
        // Vowels: harmonics of every voice pitch, 6 dB weaker with each octave as voices are, with formants that lie where keys lie.
        for (var pitch = 80.0; pitch < 320; pitch += 3.7) Assert.Equal("", Listen(Vowel(pitch)));
    }

    [Fact]
    public void Real_speech_presses_no_keys_and_real_keys_are_heard()
    {
        // Kept beside the repository, not in it; the tests above need nothing.
        var folder = SharedSpeech();
        if (folder is null) return;
        foreach (var path in Directory.EnumerateFiles(Path.Combine(folder, "wav"), "*.wav"))
        {
            var pcm = At8000(WavFile.Read(path));
            output.WriteLine($"{Path.GetFileName(path)}: {pcm.Length / 8_000.0:F1} s");
            Assert.Equal("", Listen(pcm));
        }
        foreach (var path in Directory.EnumerateFiles(Path.Combine(folder, "dtmf"), "*.wav"))
        {
            var name = Path.GetFileNameWithoutExtension(path)[5..];
            var key = name switch { "star" => "*", "pound" => "#", _ => name };
            var wav = WavFile.Read(path);
            output.WriteLine($"{name}: {wav.SampleRate} Hz");
            Assert.Equal(key, Listen(At8000(wav)));
        }
    }

    [Fact]
    public void Listening_allocates_nothing()
    {
        var (detector, frame) = (new DtmfDetector(), Press('7', 20, 4_000, 0));
        detector.Hear(frame);
        Garbage.IsNone(_ =>
        {
            for (var i = 0; i < 100; i++) detector.Hear(frame);
        });
    }

    private static string Listen(short[] pcm)
    {
        var (detector, keys) = (new DtmfDetector(), "");
        for (var at = 0; at < pcm.Length; at += 160)
        {
            if (detector.Hear(pcm.AsSpan(at, Math.Min(160, pcm.Length - at))) is { } key) keys += key;
        }
        return keys;
    }

    private static short[] Press(char key, int ms, double level, double twistDb)
    {
        var at = All.IndexOf(key);
        var (row, column, weaker) = (Rows[at / 4], Columns[at % 4], Math.Pow(10, -twistDb / 20));
        return [.. Enumerable.Range(0, ms * 8).Select(i =>
            (short)(level * Math.Sin(2 * Math.PI * row * i / 8_000) + level * weaker * Math.Sin(2 * Math.PI * column * i / 8_000)))];
    }

    private static short[] Vowel(double pitch)
    {
        var pcm = new short[4_000];
        for (var i = 0; i < pcm.Length; i++)
        {
            var sum = 0.0;
            for (var n = 1; n * pitch < 3_400; n++)
            {
                var hertz = n * pitch;
                var formants = Near(hertz, 750, 90) + Near(hertz, 1_300, 110) + 0.3 * Near(hertz, 2_500, 150);
                sum += formants / n * Math.Sin(2 * Math.PI * hertz * i / 8_000 + n);
            }
            pcm[i] = (short)(12_000 * sum);
        }
        return pcm;
    }

    private static double Near(double hertz, double formant, double width) => 1 / (1 + Math.Pow((hertz - formant) / width, 2));

    private static short[] Mix(short[] one, short[] other) => [.. one.Select((s, i) => (short)(s + other[i]))];

    private static short[] At8000(WavAudio wav)
    {
        if (wav.SampleRate == 8_000) return wav.Channels[0];
        var resampler = new Resampler(wav.SampleRate, 8_000);
        var all = new List<short>();
        var piece = new short[resampler.MostFrom(480)];
        for (var at = 0; at < wav.Channels[0].Length; at += 480)
        {
            var written = resampler.Process(wav.Channels[0].AsSpan(at, Math.Min(480, wav.Channels[0].Length - at)), piece);
            all.AddRange(piece[..written]);
        }
        return [.. all];
    }

    private static string? SharedSpeech()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var shared = Path.Combine(folder.FullName, "shared", "data", "speech");
            if (Directory.Exists(shared)) return shared;
        }
        return null;
    }
}
