using Sentiric.Scenarios.Kit;
using Xunit;

namespace Sentiric.Scenarios.Peers;

/// <summary>
/// A spoken sentence as the microphone of a foreign telephone, and where it is found again. Speech is compared in pieces: a jitter buffer may stretch a pause
/// between two of them; inside a piece nothing may change.
/// </summary>
internal sealed class Sentence
{
    public const double Likeness = 0.9; // of a piece; after G.711 twice it is 0.99
    private const int PieceSamples = 2_400, LoudMs = 200, PauseSamples = 8_000, Thinning = 4, Around = 16;
    private static readonly TimeSpan Lately = TimeSpan.FromSeconds(8);

    private readonly short[] pcm;
    private readonly List<short[]> pieces;

    private Sentence(short[] pcm)
    {
        this.pcm = pcm;
        pieces = [.. pcm.Chunk(PieceSamples).Where(piece => piece.Length == PieceSamples && Sound.LoudMs(piece) >= LoudMs)];
        Assert.True(pieces.Count >= 3, $"{pcm.Length} samples have {pieces.Count} pieces with {LoudMs} ms of voice");
    }

    public static async Task<Sentence> SpokenAsync(string text) => new(await Calling.SpeakAsync(text));

    /// <summary>Again and again with a second between.</summary>
    public short[] Repeated(TimeSpan length)
    {
        short[] once = [.. pcm, .. new short[PauseSamples]];
        return [.. Enumerable.Repeat(once, 1 + ((int)length.TotalSeconds * 8_000 / once.Length)).SelectMany(samples => samples)];
    }

    /// <summary>How like the sentence this is: the median over its pieces of the best correlation.</summary>
    public double In(short[] heard)
    {
        var thin = Thin(heard);
        var found = pieces.Select(piece => Best(piece, Sound.Find(Thin(piece), thin).At * Thinning, heard)).Order().ToList();
        return found[found.Count / 2];
    }

    /// <summary>The same of its last seconds: for those who ask again and again while it grows.</summary>
    public double LatelyIn(short[] heard) => In(heard[Math.Max(0, heard.Length - (int)(Lately.TotalSeconds * 8_000))..]);

    // Speech has most of itself below 1 kHz: where a piece lies is found among averages of four samples, how like it is among all of them.
    private static double Best(short[] piece, int near, short[] heard)
    {
        var from = Math.Max(0, near - Around);
        var there = heard.AsSpan(from, Math.Min(heard.Length - from, piece.Length + (2 * Around)));
        return there.Length < piece.Length ? 0 : Sound.Find(piece, there).Correlation;
    }

    private static short[] Thin(short[] pcm) => [.. pcm.Chunk(Thinning).Select(few => (short)few.Average(sample => sample))];
}
