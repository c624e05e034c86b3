using System.Runtime.InteropServices;

namespace Sentiric.Speech;

/// <summary>
/// A language model over letters: interpolated Witten-Bell n-grams (Witten and Bell, 1991), counts kept exactly.
/// A model may lie over another one: its own lines count <c>weight</c> times each, the lower one's lines once; so a session adds its
/// phrases to the general text without copying it. Read-only after it is built, shared between threads.
/// </summary>
internal sealed class CharGrams
{
    private const int SymbolBits = 6;
    private readonly Dictionary<ulong, Gram> grams = [];
    private readonly CharGrams? below;
    private readonly int order;
    private readonly int symbolCount;
    private readonly ulong historyMask;

    public CharGrams(CtcAlphabet alphabet, IEnumerable<string> lines, int order, int weight = 1, CharGrams? below = null)
    {
        this.below = below;
        this.order = order;
        symbolCount = alphabet.Count;
        historyMask = (1UL << (SymbolBits * (order - 1))) - 1;
        Space = alphabet.Space;
        foreach (string line in lines)
        {
            Learn(alphabet.Encode(line), weight);
        }
    }

    /// <summary>Contexts and grams held, without those of the model below.</summary>
    public int Size => grams.Count;

    public int Space { get; }

    /// <summary>The history at the start of an utterance: nothing but spaces.</summary>
    public ulong Start
    {
        get
        {
            ulong history = 0;
            for (int i = 1; i < order; i++)
            {
                history = Push(history, Space);
            }

            return history;
        }
    }

    /// <summary>The history after one more symbol; the most recent one stands in the lowest bits.</summary>
    public ulong Push(ulong history, int symbol) => ((history << SymbolBits) | (uint)(symbol + 1)) & historyMask;

    /// <summary>Natural logarithm of the probability that the symbol follows the history.</summary>
    public float LogProbability(ulong history, int symbol)
    {
        double probability = 1.0 / symbolCount;
        for (int length = 0; length < order; length++)
        {
            ulong context = history & ((1UL << (SymbolBits * length)) - 1);
            var (total, types) = Followers(context);
            if (total == 0)
            {
                break;
            }

            probability = (CountOf(GramKey(context, symbol)) + (types * probability)) / (total + types);
        }

        return (float)Math.Log(probability);
    }

    /// <summary>The mean logarithm per letter of a whole text, its end included.</summary>
    public double PerLetter(ReadOnlySpan<int> symbols)
    {
        ulong history = Start;
        double sum = 0;
        foreach (int symbol in symbols)
        {
            sum += LogProbability(history, symbol);
            history = Push(history, symbol);
        }

        return (sum + LogProbability(history, Space)) / (symbols.Length + 1);
    }

    private void Learn(int[] line, int weight)
    {
        ulong history = Start;
        for (int i = 0; i <= line.Length; i++)
        {
            // every line ends with a space, as words do
            int symbol = i < line.Length ? line[i] : Space;
            for (int length = 0; length < order; length++)
            {
                Count(history & ((1UL << (SymbolBits * length)) - 1), symbol, weight);
            }

            history = Push(history, symbol);
        }
    }

    private void Count(ulong context, int symbol, int weight)
    {
        ulong key = GramKey(context, symbol);
        ref var gram = ref CollectionsMarshal.GetValueRefOrAddDefault(grams, key, out _);
        bool isNew = gram.Count == 0 && (below is null || below.CountOf(key) == 0);
        gram.Count += weight;
        ref var followers = ref CollectionsMarshal.GetValueRefOrAddDefault(grams, context, out _);
        followers.Total += weight;
        followers.Types += isNew ? 1 : 0;
    }

    private int CountOf(ulong key)
    {
        int lower = below?.CountOf(key) ?? 0;
        return grams.TryGetValue(key, out var gram) ? lower + gram.Count : lower;
    }

    private (int Total, int Types) Followers(ulong context)
    {
        var (total, types) = below?.Followers(context) ?? (0, 0);
        return grams.TryGetValue(context, out var gram) ? (total + gram.Total, types + gram.Types) : (total, types);
    }

    private static ulong GramKey(ulong context, int symbol) => (context << SymbolBits) | (uint)(symbol + 1);

    /// <summary>A row of letters, both as a gram (how often) and as a context (followed how often, by how many different letters).</summary>
    private struct Gram
    {
        public int Count;
        public int Total;
        public int Types;
    }
}
