using Sentiric.Benchmarks.Kit;
using Sentiric.Media;

namespace Sentiric.Benchmarks.Media;

/// <summary>G.711 by table, one 20 ms frame at a time.</summary>
public static class Codecs
{
    private const int FrameSamples = 160;

    public static Task RunAsync(Bench bench)
    {
        var pcm = Tone.Sweep(300, 3_000, TimeSpan.FromMilliseconds(20));
        var (encoded, decoded, copied) = (new byte[FrameSamples], new short[FrameSamples], new short[FrameSamples]);
        bench.Say("G.711");
        var copy = Measure.Loop(() => pcm.AsSpan().CopyTo(copied));
        var encode = Measure.Loop(() => G711.Encode(AudioCodec.Pcma, pcm, encoded));
        var decode = Measure.Loop(() => G711.Decode(AudioCodec.Pcma, encoded, decoded));
        var floor = ("memory copy", copy.Nanoseconds);
        bench.Add(new Row("media.g711.encode", "A-law, 20 ms frame", encode.Nanoseconds, "ns") { Reference = floor, Detail = $"{Figure.Of(encode.Bytes)} B allocated" });
        bench.Add(new Row("media.g711.decode", "A-law, 20 ms frame", decode.Nanoseconds, "ns") { Reference = floor, Detail = $"{Figure.Of(decode.Bytes)} B allocated" });
        return Task.CompletedTask;
    }
}
