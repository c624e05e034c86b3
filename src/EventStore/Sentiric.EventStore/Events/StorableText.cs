using System.Buffers;
using System.Text;

namespace Sentiric.EventStore;

/// <summary>Which texts the storage holds: UTF-8 without U+0000 (PostgreSQL, "Character Types").</summary>
internal static class StorableText
{
    public const string Why = "it holds the character U+0000 or half a surrogate pair.";
    private static readonly SearchValues<char> Suspects = SearchValues.Create(['\0', .. Enumerable.Range(0xD800, 0x800).Select(c => (char)c)]);

    public static bool IsStorable(string text)
    {
        var rest = text.AsSpan();
        while (rest.IndexOfAny(Suspects) is >= 0 and var at)
        {
            if (!Rune.TryGetRuneAt(text, text.Length - rest.Length + at, out var rune) || rune.Value == 0) return false;
            rest = rest[(at + rune.Utf16SequenceLength)..];
        }
        return true;
    }
}
