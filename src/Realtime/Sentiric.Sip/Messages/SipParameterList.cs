using System.Buffers;
using System.Text;

namespace Sentiric.Sip;

/// <summary>One parameter of a header or a URI; the value keeps its quotes, as it stands on the wire. Null: no value.</summary>
public readonly record struct SipParameter(string Name, string? Value);

/// <summary>
/// Parameters as they stand in a value that was checked before, from their first semicolon on (RFC 3261 25.1 generic-param, uri-parameter).
/// Nothing is cut out until it is asked for.
/// </summary>
internal readonly ref struct SipParameterList(ReadOnlySpan<byte> text)
{
    private static readonly SearchValues<byte> ValueStops = SearchValues.Create("; \t"u8);
    private readonly ReadOnlySpan<byte> text = text;

    /// <summary>True when there is one of that name, compared without case; its value, empty when it has none.</summary>
    public bool TryFind(ReadOnlySpan<char> name, out ReadOnlySpan<byte> value)
    {
        int at = 0;
        while (TryNext(ref at, out ReadOnlySpan<byte> found, out value, out _))
        {
            if (found.Length == name.Length && Ascii.EqualsIgnoreCase(found, name))
            {
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>The value of the parameter of that name; null when it is absent or has none.</summary>
    public string? Value(ReadOnlySpan<char> name) => TryFind(name, out ReadOnlySpan<byte> value) && !value.IsEmpty ? WireText.Wire(value) : null;

    public SipParameter[] ToArray()
    {
        // Each begins with a semicolon; more semicolons than parameters there are only where one is empty or quoted.
        int most = text.Count((byte)';'), count = 0, at = 0;
        if (most == 0)
        {
            return [];
        }

        var all = new SipParameter[most];
        for (; count < most && TryNext(ref at, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value, out bool hasValue); count++)
        {
            all[count] = new SipParameter(NameOf(name), hasValue ? WireText.Wire(value) : null);
        }

        return count == most ? all : all[..count];
    }

    private bool TryNext(scoped ref int at, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value, out bool hasValue)
    {
        name = value = default;
        hasValue = false;
        while (at < text.Length && text[at] is (byte)';' or (byte)' ' or (byte)'\t')
        {
            at++;
        }

        if (at >= text.Length)
        {
            return false;
        }

        // Names are short: to step over them costs less than to begin a search.
        int start = at;
        while (at < text.Length && text[at] is not ((byte)';' or (byte)'=' or (byte)' ' or (byte)'\t'))
        {
            at++;
        }

        name = text[start..at];
        SkipSpace(ref at);
        if (at >= text.Length || text[at] != '=')
        {
            return true;
        }

        at++;
        hasValue = true;
        SkipSpace(ref at);
        value = at < text.Length && text[at] == '"' ? Quoted(ref at) : Take(ref at, ValueStops);
        return true;
    }

    private ReadOnlySpan<byte> Take(scoped ref int at, SearchValues<byte> stops)
    {
        int length = text[at..].IndexOfAny(stops);
        ReadOnlySpan<byte> taken = length < 0 ? text[at..] : text.Slice(at, length);
        at += taken.Length;
        return taken;
    }

    private ReadOnlySpan<byte> Quoted(scoped ref int at)
    {
        int start = at++;
        while (at < text.Length && text[at] != '"')
        {
            at += text[at] == '\\' ? 2 : 1;
        }

        at = Math.Min(at + 1, text.Length);
        return text[start..at];
    }

    private void SkipSpace(scoped ref int at)
    {
        while (at < text.Length && SipScanner.IsSpace(text[at]))
        {
            at++;
        }
    }

    // The names that come with every message need no string of their own.
    private static string NameOf(ReadOnlySpan<byte> name)
    {
        string? usual = name.Length switch
        {
            1 => "q",
            2 => "lr",
            3 => "tag",
            4 => "user",
            5 => "rport",
            6 => "branch",
            7 => "expires",
            8 => "received",
            9 => "transport",
            _ => null,
        };
        return usual is not null && Ascii.Equals(name, usual) ? usual : WireText.Wire(name);
    }
}
