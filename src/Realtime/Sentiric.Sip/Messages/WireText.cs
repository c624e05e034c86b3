using System.Text;

namespace Sentiric.Sip;

/// <summary>
/// Two readings of the same bytes. "Wire" strings hold one byte per char (Latin-1), so they go back onto the wire
/// byte for byte whatever they contain; "text" strings are UTF-8 decoded, for people (RFC 3261 7.3.1).
/// </summary>
internal static class WireText
{
    public static string Wire(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    public static string ToText(string wire) => Ascii.IsValid(wire) ? wire : Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(wire));

    public static string FromText(string text) => Ascii.IsValid(text) ? text : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    /// <summary>True when the text could end a header early: CR, LF or NUL.</summary>
    public static bool IsUnsafe(ReadOnlySpan<char> text) => text.IndexOfAny('\r', '\n', '\0') >= 0;
}
