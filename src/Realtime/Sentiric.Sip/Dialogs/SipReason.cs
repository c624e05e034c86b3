using System.Globalization;

namespace Sentiric.Sip;

/// <summary>Why a call is cancelled or ended, beyond the status code (RFC 3326): protocol such as <c>SIP</c> or <c>Q.850</c>, cause, text.</summary>
public sealed record SipReason(string Protocol, int Cause, string? Text = null)
{
    /// <summary>Values read per message; more are left out.</summary>
    private const int MaxValues = 8;

    /// <summary>The value of a Reason header.</summary>
    public override string ToString()
    {
        string text = Text is null ? "" : $";text=\"{Text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
        return string.Create(CultureInfo.InvariantCulture, $"{Protocol};cause={Cause}{text}");
    }

    /// <summary>Every readable value of all Reason headers of a message, in order. A value without a cause is left out.</summary>
    public static IReadOnlyList<SipReason> Of(SipMessage message) =>
        message.Raw.Find(SipHeaderId.Reason) < 0 ? [] : Parse(message.Headers("Reason"));

    internal static IReadOnlyList<SipReason> Parse(IEnumerable<string> headers)
    {
        var reasons = new List<SipReason>();
        foreach (string value in headers.SelectMany(header => Cut(header, ',')))
        {
            string[] parts = Cut(value, ';').ToArray();
            if (reasons.Count < MaxValues && parts.Length > 1 && parts[0].Length > 0 && Parameter(parts, "cause") is { } cause
                && int.TryParse(cause, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            {
                reasons.Add(new SipReason(parts[0], number, Parameter(parts, "text")));
            }
        }

        return reasons;
    }

    private static string? Parameter(string[] parts, string name)
    {
        foreach (string part in parts.Skip(1))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && part.AsSpan(0, equals).Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return Unquote(part[(equals + 1)..].Trim());
            }
        }

        return null;
    }

    private static string Unquote(string value) => value is ['"', .., '"']
        ? value[1..^1].Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal)
        : value;

    /// <summary>Cuts at a separator that stands outside of quotes.</summary>
    private static IEnumerable<string> Cut(string text, char separator)
    {
        int start = 0;
        bool quoted = false;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && quoted)
            {
                i++;
            }
            else if (text[i] == '"')
            {
                quoted = !quoted;
            }
            else if (text[i] == separator && !quoted)
            {
                yield return text[start..i].Trim();
                start = i + 1;
            }
        }

        yield return text[start..].Trim();
    }
}
