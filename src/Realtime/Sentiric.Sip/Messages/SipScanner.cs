using System.Buffers;

namespace Sentiric.Sip;

/// <summary>A cursor over one unfolded header value (RFC 3261 25.1). Every move goes forward, so reading is linear.</summary>
internal ref struct SipScanner(ReadOnlySpan<byte> text)
{
    public static readonly SearchValues<byte> TokenBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~"u8);

    /// <summary>What ends a parameter's value that is not quoted.</summary>
    public static readonly SearchValues<byte> ParameterStops = SearchValues.Create(";,\"<> \t"u8);

    private readonly ReadOnlySpan<byte> text = text;
    private int at;

    public readonly bool AtEnd => at >= text.Length;

    public readonly byte Current => at < text.Length ? text[at] : (byte)0;

    public readonly int Position => at;

    public readonly ReadOnlySpan<byte> Rest => text[at..];

    public void MoveTo(int position) => at = position;

    /// <summary>From <paramref name="start"/> to here without trailing white space.</summary>
    public readonly WirePart Trimmed(int start) => new(start, start + text[start..at].TrimEnd(" \t"u8).Length);

    public void SkipSpace()
    {
        while (at < text.Length && IsSpace(text[at]))
        {
            at++;
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

    public ReadOnlySpan<byte> Token() => Take(text[at..].IndexOfAnyExcept(TokenBytes));

    /// <summary>Everything up to one of the stop bytes, which hold white space where that stops too.</summary>
    public ReadOnlySpan<byte> Until(SearchValues<byte> stops) => Take(text[at..].IndexOfAny(stops));

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
            byte b = text[at++];
            if (b == '\\')
            {
                at++;
            }
            else if (b == '"')
            {
                raw = text[start..at];
                return true;
            }
        }

        at = text.Length;
        return false;
    }

    /// <summary>*( SEMI generic-param ), checked, up to a comma or the end. False on an empty name, an empty value or junk.</summary>
    public bool TrySkipParameters()
    {
        for (int count = 0; ; count++)
        {
            SkipSpace();
            if (AtEnd || Current == ',')
            {
                return true;
            }

            if (!TryTake((byte)';') || count >= SipLimits.ValuesPerHeader || !TrySkipParameter())
            {
                return false;
            }
        }
    }

    private bool TrySkipParameter()
    {
        SkipSpace();
        if (Token().IsEmpty)
        {
            return false;
        }

        SkipSpace();
        if (!TryTake((byte)'='))
        {
            return true;
        }

        SkipSpace();
        return Current == '"' ? TryQuoted(out _) : !Until(ParameterStops).IsEmpty;
    }

    public static bool IsSpace(byte b) => b is (byte)' ' or (byte)'\t';

    public static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenBytes);

    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text.Trim(" \t"u8);

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
