using System.Text;

namespace Sentiric.Speech;

/// <summary>The letters of a CTC model. Symbol s is letter s of the text; in the model's output the blank stands first, then symbol 0.</summary>
internal sealed class CtcAlphabet
{
    public const string Turkish = "abcçdefgğhıijklmnoöprsştuüvyz ";

    // six bits hold a symbol in the packed histories of the language model, one value is "none"
    private const int MaxSymbols = 62;
    private readonly Dictionary<char, int> symbols = [];

    public CtcAlphabet(string letters)
    {
        Letters = letters;
        for (int i = 0; i < letters.Length; i++)
        {
            symbols.Add(letters[i], i);
        }

        Space = letters.IndexOf(' ', StringComparison.Ordinal);
        if (Space < 0 || letters.Length > MaxSymbols)
        {
            throw new ArgumentException($"An alphabet has a space and at most {MaxSymbols} letters.", nameof(letters));
        }
    }

    public string Letters { get; }

    public int Count => Letters.Length;

    public int Space { get; }

    /// <summary>Symbols of a text that is already spelled in this alphabet; other characters are left out.</summary>
    public int[] Encode(string text)
    {
        var encoded = new List<int>(text.Length);
        foreach (char letter in text)
        {
            if (symbols.TryGetValue(letter, out int symbol))
            {
                encoded.Add(symbol);
            }
        }

        return [.. encoded];
    }

    /// <summary>The text of a row of symbols, with single spaces and none at the ends.</summary>
    public string Decode(IReadOnlyList<int> row)
    {
        var text = new StringBuilder(row.Count);
        foreach (int symbol in row)
        {
            if (symbol != Space || (text.Length > 0 && text[^1] != ' '))
            {
                text.Append(Letters[symbol]);
            }
        }

        return text.ToString().TrimEnd(' ');
    }
}
