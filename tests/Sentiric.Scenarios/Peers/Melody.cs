using Sentiric.Media;
using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Xunit;

namespace Sentiric.Scenarios.Peers;

/// <summary>Sound that can be told from any other: notes in an order that the seed decides, again and again with a silence between.</summary>
internal static class Melody
{
    public const double Likeness = 0.9; // correlation after one G.711 round trip is 0.99 and more
    private const int Notes = 6, NoteMs = 40, SilenceMs = 260;
    private const double Level = 0.3;
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(2);

    public static short[] Once(int seed)
    {
        var dice = new Random(seed);
        return [.. Enumerable.Range(0, Notes).SelectMany(_ => Tone.Sine(300 + dice.Next(2_400), TimeSpan.FromMilliseconds(NoteMs), Level))];
    }

    public static short[] Repeated(int seed, TimeSpan length)
    {
        short[] once = [.. Once(seed), .. new short[SilenceMs * 8]];
        return [.. Enumerable.Repeat(once, 1 + ((int)length.TotalMilliseconds * 8 / once.Length)).SelectMany(samples => samples)];
    }

    /// <summary>Listens long enough to hear it twice and says how like the melody the likest part is.</summary>
    public static async Task<double> HeardAsync(PhoneCall call, int seed)
    {
        using var ear = call.Listen();
        return In(await ear.HearAsync(Enough), seed);
    }

    /// <summary>In the last seconds of a recording.</summary>
    public static double In(short[] recording, int seed) =>
        Sound.Find(Once(seed), recording.AsSpan(Math.Max(0, recording.Length - (int)(Enough.TotalSeconds * 8_000)))).Correlation;
}
