using System.Text;

namespace Sentiric.Dialogue;

/// <summary>Fills {names} in a sentence. A name without a value leaves nothing, never a brace that would be read aloud.</summary>
internal static class Template
{
    public static string Fill(string template, Func<string, string?> value)
    {
        var filled = new StringBuilder(template.Length + 32);
        var at = 0;
        while (at < template.Length)
        {
            var open = template.IndexOf('{', at);
            var close = open < 0 ? -1 : template.IndexOf('}', open);
            if (close < 0)
            {
                filled.Append(template, at, template.Length - at);
                break;
            }

            filled.Append(template, at, open - at).Append(value(template[(open + 1)..close]) ?? "");
            at = close + 1;
        }

        return filled.ToString().Trim();
    }

    /// <summary>The first letter large, as a sentence begins: an answer may open with a slot's value.</summary>
    public static string Sentence(string text)
    {
        // "{day} günü" suits a weekday; "yarın günü" nobody says.
        var smooth = text.Replace("yarın günü", "yarın", StringComparison.Ordinal).Replace("bugün günü", "bugün", StringComparison.Ordinal);
        return smooth.Length == 0 ? smooth : char.ToUpperInvariant(smooth[0]) + smooth[1..];
    }
}
