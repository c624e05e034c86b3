using System.Security.Cryptography;
using System.Text;

namespace Sentiric.Speech;

/// <summary>A session's phrases made ready: as they came, as symbols, and as a language model over the general one. Shared, read-only.</summary>
internal sealed record PhraseSet(IReadOnlyList<string> Phrases, IReadOnlyList<int[]> Symbols, CharGrams Language);

/// <summary>Phrase sets by their content, so that all calls of a tenant share one. Bounded; the set not used the longest goes.</summary>
internal sealed class PhraseSetCache(CtcAlphabet alphabet, CharGrams general, int phraseWeight)
{
    public const int Capacity = 32;
    private readonly Lock gate = new();
    private readonly Dictionary<string, LinkedListNode<(string Key, PhraseSet Set)>> known = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Key, PhraseSet Set)> byUse = new();

    public int Count
    {
        get
        {
            lock (gate)
            {
                return known.Count;
            }
        }
    }

    /// <summary>Finds or builds the set; building takes about 50 µs per phrase.</summary>
    public PhraseSet For(IReadOnlyList<string> phrases)
    {
        string key = KeyOf(phrases);
        if (Find(key) is { } found)
        {
            return found;
        }

        // two sessions may build the same set at once; the first one in stays
        var built = Build(phrases);
        lock (gate)
        {
            if (known.TryGetValue(key, out var other))
            {
                return other.Value.Set;
            }

            known[key] = byUse.AddFirst((key, built));
            if (known.Count > Capacity && byUse.Last is { } oldest)
            {
                byUse.RemoveLast();
                known.Remove(oldest.Value.Key);
            }
        }

        return built;
    }

    private PhraseSet? Find(string key)
    {
        lock (gate)
        {
            if (!known.TryGetValue(key, out var node))
            {
                return null;
            }

            byUse.Remove(node);
            byUse.AddFirst(node);
            return node.Value.Set;
        }
    }

    private PhraseSet Build(IReadOnlyList<string> phrases)
    {
        var kept = new List<string>();
        var symbols = new List<int[]>();
        var spelled = new List<string>();
        foreach (string phrase in phrases.Take(RecognitionOptions.MaxPhrases))
        {
            string spoken = TurkishSpelling.Spell(phrase);
            int[] encoded = alphabet.Encode(spoken);
            if (encoded.Length > 0)
            {
                kept.Add(phrase);
                symbols.Add(encoded);
                spelled.Add(spoken);
            }
        }

        return new PhraseSet(kept, symbols, new CharGrams(alphabet, spelled, CtcRecognizer.LanguageOrder, phraseWeight, general));
    }

    private static string KeyOf(IReadOnlyList<string> phrases)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string phrase in phrases.Take(RecognitionOptions.MaxPhrases))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(phrase));
            hash.AppendData("\n"u8);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
