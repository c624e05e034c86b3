using System.Globalization;

namespace Sentiric.Sip;

/// <summary>RFC 3262 7.2: the reliable response that a PRACK acknowledges.</summary>
internal readonly record struct RAck(uint ResponseNumber, uint Sequence, string Method)
{
    public static RAck? Of(SipRequest prack)
    {
        string[] parts = (prack.Header("RAck") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return parts.Length == 3
            && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint response)
            && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint sequence)
            ? new RAck(response, sequence, parts[2]) : null;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{ResponseNumber} {Sequence} {Method}");
}

/// <summary>Questions about headers that a session asks.</summary>
internal static class DialogHeaders
{
    /// <summary>The option tag stands in Supported or Require (RFC 3261 20.37, 20.32).</summary>
    public static bool Supports(this SipMessage message, string option) =>
        message.Lists(SipHeaderId.Supported, option) || message.Lists(SipHeaderId.Require, option);

    public static bool Requires(this SipMessage message, string option) => message.Lists(SipHeaderId.Require, option);

    /// <summary>The method stands in Allow (RFC 3261 20.5).</summary>
    public static bool Allows(this SipMessage message, string method) => message.Tokens("Allow").Contains(method, StringComparer.Ordinal);

    /// <summary>13.2.2.4: an ACK carries the credentials of its INVITE.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Credentials(this RequestDraft sent)
    {
        List<KeyValuePair<string, string>>? some = null;
        foreach (KeyValuePair<string, string> header in sent.Headers)
        {
            if (header.Key is "Authorization" or "Proxy-Authorization")
            {
                (some ??= []).Add(header);
            }
        }

        return some ?? (IReadOnlyList<KeyValuePair<string, string>>)[];
    }

    /// <summary>Looks without an object when the header is absent.</summary>
    private static bool Lists(this SipMessage message, SipHeaderId header, string option) =>
        message.Raw.Find(header) >= 0 && message.Tokens(SipHeaderNames.Of(header)).Contains(option, StringComparer.OrdinalIgnoreCase);
}
