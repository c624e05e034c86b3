using System.Buffers;
using System.Text;

namespace Sentiric.Sip;

/// <summary>A cursor over one unfolded header value (RFC 3261 25.1). Every move goes forward, so reading is linear.</summary>
/// <param name="text">The value.</param>
/// <param name="readable">Bytes from its start that may be read, as in <see cref="SipMarks"/>.</param>
internal ref struct SipScanner(ReadOnlySpan<byte> text, int readable)
{
    public static readonly SearchValues<byte> TokenBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~"u8);

    /// <summary>What ends a parameter's value that is not quoted.</summary>
    public static readonly SearchValues<byte> ParameterStops = SearchValues.Create(";,\"<> \t"u8);

    private const int LongestUsualToken = 32;
    private static readonly bool[] TokenTable = [.. Enumerable.Range(0, 256).Select(b => TokenBytes.Contains((byte)b))];

    private readonly ReadOnlySpan<byte> text = text;
    private SipMarks marks = new(text, readable);
    private int at;

    public SipScanner(ReadOnlySpan<byte> text)
        : this(text, text.Length)
    {
    }

    /// <summary>A value at its place in a message.</summary>
    public SipScanner(ReadOnlySpan<byte> message, WirePart place)
        : this(place.Of(message), message.Length - place.Start)
    {
    }

    public readonly ReadOnlySpan<byte> Text => text;

    public readonly bool AtEnd => at >= text.Length;

    public readonly byte Current => at < text.Length ? text[at] : (byte)0;

    public readonly int Position => at;

    public readonly ReadOnlySpan<byte> Rest => text[at..];

    public void MoveTo(int position) => at = position;

    /// <summary>The first mark at or after a place; the length of the text when there is none.</summary>
    public int NextMark(int from) => marks.Next(from);

    /// <summary>From <paramref name="start"/> to here without trailing white space.</summary>
    public readonly WirePart Trimmed(int start)
    {
        int end = at;
        while (end > start && IsSpace(text[end - 1]))
        {
            end--;
        }

        return new WirePart(start, end);
    }

    public void SkipSpace()
    {
        if (at < text.Length && IsSpace(text[at]))
        {
            int run = text[at..].IndexOfAnyExcept((byte)' ', (byte)'\t');
            at = run < 0 ? text.Length : at + run;
        }
    }

    public bool TryTake(byte wanted)
    {
        if (at < text.Length && text[at] == wanted)
        {
            at++;
            return true;
        }

        return false;
    }

    /// <summary>Tokens are short: a look into a table for each byte costs less than to begin a search, which takes over when one is not.</summary>
    public ReadOnlySpan<byte> Token()
    {
        ReadOnlySpan<byte> rest = text[at..];
        ReadOnlySpan<bool> isToken = TokenTable;
        int usual = Math.Min(rest.Length, LongestUsualToken), length = 0;
        while (length < usual && isToken[rest[length]])
        {
            length++;
        }

        return Take(length == LongestUsualToken ? rest.IndexOfAnyExcept(TokenBytes) : length);
    }

    /// <summary>Everything up to one of the stop bytes, which hold white space where that stops too.</summary>
    public ReadOnlySpan<byte> Until(SearchValues<byte> stops) => Take(text[at..].IndexOfAny(stops));

    public ReadOnlySpan<byte> Until(byte stop) => Take(text[at..].IndexOf(stop));

    private ReadOnlySpan<byte> Take(int length)
    {
        ReadOnlySpan<byte> taken = length < 0 ? text[at..] : text.Slice(at, length);
        at += taken.Length;
        return taken;
    }

    /// <summary>A quoted string with its quotes; false when it is not closed.</summary>
    public bool TryQuoted(out ReadOnlySpan<byte> raw)
    {
        int start = at;
        raw = default;
        if (!TryTake((byte)'"'))
        {
            return false;
        }

        while (at < text.Length)
        {
            if (text[at] == '"')
            {
                at++;
                raw = text[start..at];
                return true;
            }

            if (text[at] == '\\')
            {
                // Of many in a row each is looked at: to begin a search behind each would cost more.
                at += 2;
                continue;
            }

            int run = text[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (run < 0)
            {
                break;
            }

            at += run;
        }

        at = text.Length;
        return false;
    }

    /// <summary>
    /// *( SEMI generic-param ), checked, up to a comma or the end. False on an empty name, an empty value or junk.
    /// <paramref name="found"/> is the value of the first parameter of that name, absent when there is none or it has no value.
    /// </summary>
    public bool TrySkipParameters(ReadOnlySpan<byte> wanted, out WirePart found)
    {
        found = WirePart.Absent;
        bool isFound = false;
        for (int count = 0; ; count++)
        {
            SkipSpace();
            if (AtEnd || Current == ',')
            {
                return true;
            }

            if (!TryTake((byte)';') || count >= SipLimits.ValuesPerHeader || !TrySkipParameter(out ReadOnlySpan<byte> name, out WirePart value))
            {
                return false;
            }

            if (!isFound && name.Length == wanted.Length && (name.SequenceEqual(wanted) || Ascii.EqualsIgnoreCase(name, wanted)))
            {
                (isFound, found) = (true, value);
            }
        }
    }

    /// <summary>The next parameter: its name, and where it stands from name to value. False at the end, or where it is malformed.</summary>
    public bool TryParameter(out ReadOnlySpan<byte> name, out WirePart whole)
    {
        name = default;
        whole = default;
        SkipSpace();
        if (!TryTake((byte)';'))
        {
            return false;
        }

        SkipSpace();
        int start = at;
        bool isRead = TrySkipParameter(out name, out _);
        whole = Trimmed(start);
        return isRead;
    }

    private bool TrySkipParameter(out ReadOnlySpan<byte> name, out WirePart value)
    {
        value = WirePart.Absent;
        SkipSpace();
        name = Token();
        if (name.IsEmpty)
        {
            return false;
        }

        SkipSpace();
        if (!TryTake((byte)'='))
        {
            return true;
        }

        SkipSpace();
        int start = at;
        bool isWhole = Current == '"' ? TryQuoted(out _) : TrySkipValue();
        value = new WirePart(start, at);
        return isWhole;
    }

    /// <summary>To the next mark, which nearly always ends the value; where it does not, the end is searched.</summary>
    private bool TrySkipValue()
    {
        int start = at;
        at = NextMark(start);
        if (at < text.Length && text[at] is not ((byte)';' or (byte)',' or (byte)'"' or (byte)'<' or (byte)'>' or (byte)' ' or (byte)'\t'))
        {
            Until(ParameterStops);
        }

        return at > start;
    }

    public static bool IsSpace(byte b) => b is (byte)' ' or (byte)'\t';

    public static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenBytes);

    /// <summary>Without white space at both ends; thousands of blanks are searched, not stepped over.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text)
    {
        int start = text.IndexOfAnyExcept((byte)' ', (byte)'\t');
        return start < 0 ? default : TrimEnd(text[start..]);
    }

    /// <summary>
    /// A part of a message without white space at both ends. One blank in front and none at the end is what everybody writes; more of them are searched.
    /// </summary>
    public static WirePart Trimmed(ReadOnlySpan<byte> text, int start, int end)
    {
        start += start < end && IsSpace(text[start]) ? 1 : 0;
        if (start >= end || (!IsSpace(text[start]) && !IsSpace(text[end - 1])))
        {
            return new WirePart(start, end);
        }

        int run = text[start..end].IndexOfAnyExcept((byte)' ', (byte)'\t');
        start = run < 0 ? end : start + run;
        return new WirePart(start, start + TrimEnd(text[start..end]).Length);
    }

    public static ReadOnlySpan<byte> TrimEnd(ReadOnlySpan<byte> text) =>
        text.IsEmpty || !IsSpace(text[^1]) ? text : text[..(text.LastIndexOfAnyExcept((byte)' ', (byte)'\t') + 1)];

    /// <summary>Digits only; false on signs, junk or overflow of 32 bits.</summary>
    public static bool TryNumber(ReadOnlySpan<byte> digits, out uint number)
    {
        ulong sum = 0;
        number = 0;
        foreach (byte b in digits)
        {
            if (b is < (byte)'0' or > (byte)'9' || (sum = sum * 10 + (uint)(b - '0')) > uint.MaxValue)
            {
                return false;
            }
        }

        number = (uint)sum;
        return !digits.IsEmpty;
    }
}
