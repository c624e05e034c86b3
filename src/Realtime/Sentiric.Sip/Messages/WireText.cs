using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Sentiric.Sip;

/// <summary>
/// Two readings of the same bytes. "Wire" strings hold one byte per char (Latin-1), so they go back onto the wire
/// byte for byte whatever they contain; "text" strings are UTF-8 decoded, for people (RFC 3261 7.3.1).
/// </summary>
internal static class WireText
{
    public static string Wire(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    /// <summary>
    /// Bytes that are no UTF-8 become U+FFFD, as they do in <see cref="Encoding.UTF8"/>. That one takes fifty nanoseconds for each of them, so
    /// a message full of them would cost its reader milliseconds.
    /// </summary>
    public static string Text(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Mended(bytes);

    public static string ToText(string wire) => Ascii.IsValid(wire) ? wire : Text(Encoding.Latin1.GetBytes(wire));

    public static string FromText(string text) => Ascii.IsValid(text) ? text : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private static string Mended(ReadOnlySpan<byte> bytes)
    {
        char[] chars = ArrayPool<char>.Shared.Rent(bytes.Length);
        int length = 0;
        while (!bytes.IsEmpty)
        {
            byte first = bytes[0];
            // These begin nothing (RFC 3629 3): most of what is broken, and no decoder needs to be asked.
            if (first < 0x80 || first is < 0xC2 or > 0xF4)
            {
                chars[length++] = first < 0x80 ? (char)first : (char)Rune.ReplacementChar.Value;
                bytes = bytes[1..];
                continue;
            }

            _ = Rune.DecodeFromUtf8(bytes, out Rune rune, out int taken);
            length += rune.EncodeToUtf16(chars.AsSpan(length));
            bytes = bytes[taken..];
        }

        string text = new(chars, 0, length);
        ArrayPool<char>.Shared.Return(chars);
        return text;
    }

    /// <summary>True when the text could end a header early: CR, LF or NUL.</summary>
    public static bool IsUnsafe(ReadOnlySpan<char> text) => text.IndexOfAny('\r', '\n', '\0') >= 0;
}
