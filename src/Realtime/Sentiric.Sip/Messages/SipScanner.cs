namespace Sentiric.Sip;

/// <summary>One parameter of a header or a URI; the value keeps its quotes, as it stands on the wire. Null: no value.</summary>
public readonly record struct SipParameter(string Name, string? Value);

/// <summary>A cursor over one unfolded header value (RFC 3261 25.1). Every move goes forward, so reading is linear.</summary>
internal ref struct SipScanner(ReadOnlySpan<byte> text)
{
    private readonly ReadOnlySpan<byte> text = text;
    private int at;

    public readonly bool AtEnd => at >= text.Length;

    public readonly byte Current => at < text.Length ? text[at] : (byte)0;

    public readonly int Position => at;

    public readonly ReadOnlySpan<byte> Rest => text[at..];

    public void MoveTo(int position) => at = position;

    public readonly ReadOnlySpan<byte> Slice(int start, int end) => text[start..end];

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

    public ReadOnlySpan<byte> Token()
    {
        int start = at;
        while (at < text.Length && IsTokenByte(text[at]))
        {
            at++;
        }

        return text[start..at];
    }

    /// <summary>Everything up to one of the stop bytes or white space.</summary>
    public ReadOnlySpan<byte> Until(ReadOnlySpan<byte> stops)
    {
        int start = at;
        while (at < text.Length && !IsSpace(text[at]) && stops.IndexOf(text[at]) < 0)
        {
            at++;
        }

        return text[start..at];
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

    /// <summary>*( SEMI generic-param ), up to a comma or the end. False on an empty name, an empty value or junk.</summary>
    public bool TryParameters(List<SipParameter> into)
    {
        while (true)
        {
            SkipSpace();
            if (AtEnd || Current == ',')
            {
                return true;
            }

            if (!TryTake((byte)';') || into.Count >= SipLimits.ValuesPerHeader || !TryParameter(out SipParameter parameter))
            {
                return false;
            }

            into.Add(parameter);
        }
    }

    private bool TryParameter(out SipParameter parameter)
    {
        parameter = default;
        SkipSpace();
        ReadOnlySpan<byte> name = Token();
        if (name.IsEmpty)
        {
            return false;
        }

        SkipSpace();
        if (!TryTake((byte)'='))
        {
            parameter = new SipParameter(WireText.Wire(name), null);
            return true;
        }

        SkipSpace();
        ReadOnlySpan<byte> value;
        if (Current == '"')
        {
            if (!TryQuoted(out value))
            {
                return false;
            }
        }
        else
        {
            value = Until(";,\"<>"u8);
        }

        parameter = new SipParameter(WireText.Wire(name), WireText.Wire(value));
        return !value.IsEmpty;
    }

    public static bool IsSpace(byte b) => b is (byte)' ' or (byte)'\t';

    public static bool IsTokenByte(byte b) => b is (>= (byte)'a' and <= (byte)'z') or (>= (byte)'A' and <= (byte)'Z') or (>= (byte)'0' and <= (byte)'9')
        or (byte)'-' or (byte)'.' or (byte)'!' or (byte)'%' or (byte)'*' or (byte)'_' or (byte)'+' or (byte)'`' or (byte)'\'' or (byte)'~';

    public static bool IsToken(ReadOnlySpan<byte> text)
    {
        foreach (byte b in text)
        {
            if (!IsTokenByte(b))
            {
                return false;
            }
        }

        return !text.IsEmpty;
    }

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
