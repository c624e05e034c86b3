namespace Sentiric.Sip;

/// <summary>One parameter of a header or a URI; the value keeps its quotes, as it stands on the wire. Null: no value.</summary>
public readonly record struct SipParameter(string Name, string? Value);

/// <summary>
/// Parameters as they stand in a wire string that was checked before, from their first semicolon on (RFC 3261 25.1 generic-param, uri-parameter).
/// Nothing is cut out until it is asked for.
/// </summary>
internal readonly ref struct SipParameterList(ReadOnlySpan<char> text)
{
    private readonly ReadOnlySpan<char> text = text;

    /// <summary>True when there is one of that name, compared without case; its value, empty when it has none.</summary>
    public bool TryFind(ReadOnlySpan<char> name, out ReadOnlySpan<char> value)
    {
        int at = 0;
        while (TryNext(ref at, out ReadOnlySpan<char> found, out value, out _))
        {
            if (found.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>The value of the parameter of that name; null when it is absent or has none.</summary>
    public string? Value(ReadOnlySpan<char> name) => TryFind(name, out ReadOnlySpan<char> value) && !value.IsEmpty ? value.ToString() : null;

    public SipParameter[] ToArray()
    {
        int count = 0, at = 0;
        while (TryNext(ref at, out _, out _, out _))
        {
            count++;
        }

        if (count == 0)
        {
            return [];
        }

        var all = new SipParameter[count];
        at = 0;
        for (int i = 0; i < count && TryNext(ref at, out ReadOnlySpan<char> name, out ReadOnlySpan<char> value, out bool hasValue); i++)
        {
            all[i] = new SipParameter(NameOf(name), hasValue ? value.ToString() : null);
        }

        return all;
    }

    private bool TryNext(scoped ref int at, out ReadOnlySpan<char> name, out ReadOnlySpan<char> value, out bool hasValue)
    {
        name = value = default;
        hasValue = false;
        while (at < text.Length && text[at] is ';' or ' ' or '\t')
        {
            at++;
        }

        if (at >= text.Length)
        {
            return false;
        }

        name = Take(ref at, ";= \t");
        SkipSpace(ref at);
        if (at >= text.Length || text[at] != '=')
        {
            return true;
        }

        at++;
        hasValue = true;
        SkipSpace(ref at);
        value = at < text.Length && text[at] == '"' ? Quoted(ref at) : Take(ref at, "; \t");
        return true;
    }

    private ReadOnlySpan<char> Take(scoped ref int at, ReadOnlySpan<char> stops)
    {
        int length = text[at..].IndexOfAny(stops);
        ReadOnlySpan<char> taken = length < 0 ? text[at..] : text.Slice(at, length);
        at += taken.Length;
        return taken;
    }

    private ReadOnlySpan<char> Quoted(scoped ref int at)
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
        while (at < text.Length && text[at] is ' ' or '\t')
        {
            at++;
        }
    }

    // The names that come with every message need no string of their own.
    private static string NameOf(ReadOnlySpan<char> name) => name switch
    {
        "tag" => "tag",
        "branch" => "branch",
        "rport" => "rport",
        "received" => "received",
        "lr" => "lr",
        "transport" => "transport",
        "expires" => "expires",
        "user" => "user",
        "q" => "q",
        _ => name.ToString(),
    };
}
