using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Sentiric.Sip;

/// <summary>Hash of a digest (RFC 7616 3.2, RFC 8760).</summary>
public enum DigestAlgorithm
{
    Md5,
    Sha256,
}

/// <summary>The parameters behind "Digest" in a challenge or in credentials, unquoted, names in lower case.</summary>
internal sealed class DigestParameters
{
    private static readonly SearchValues<byte> ValueStops = SearchValues.Create(", \t"u8);

    private readonly Dictionary<string, string> values = new(StringComparer.OrdinalIgnoreCase);

    public string? this[string name] => values.GetValueOrDefault(name);

    /// <summary>MD5 when none is named; null when it is one that we do not know.</summary>
    public DigestAlgorithm? Algorithm => (this["algorithm"] ?? "MD5").ToUpperInvariant() switch
    {
        "MD5" => DigestAlgorithm.Md5,
        "SHA-256" => DigestAlgorithm.Sha256,
        _ => null,
    };

    public static string NameOf(DigestAlgorithm algorithm) => algorithm switch { DigestAlgorithm.Md5 => "MD5", DigestAlgorithm.Sha256 => "SHA-256" };

    /// <summary>Null when the scheme is another or the parameters are malformed.</summary>
    public static DigestParameters? Parse(string header)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(WireText.FromText(header));
        var scanner = new SipScanner(bytes);
        if (!Ascii.EqualsIgnoreCase(scanner.Token(), "Digest"u8))
        {
            return null;
        }

        var parameters = new DigestParameters();
        do
        {
            if (parameters.values.Count >= SipLimits.ValuesPerHeader || !parameters.TryRead(ref scanner))
            {
                return null;
            }
        }
        while (scanner.TryTake((byte)','));
        return scanner.AtEnd ? parameters : null;
    }

    private bool TryRead(ref SipScanner scanner)
    {
        scanner.SkipSpace();
        string name = WireText.Wire(scanner.Token());
        scanner.SkipSpace();
        if (name.Length == 0 || !scanner.TryTake((byte)'='))
        {
            return false;
        }

        scanner.SkipSpace();
        string value;
        if (scanner.Current == '"')
        {
            if (!scanner.TryQuoted(out ReadOnlySpan<byte> quoted))
            {
                return false;
            }

            value = WireText.Wire(quoted[1..^1]).Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal);
        }
        else
        {
            value = WireText.Wire(scanner.Until(ValueStops));
        }

        scanner.SkipSpace();
        return values.TryAdd(name, WireText.ToText(value));
    }
}

/// <summary>The arithmetic of RFC 7616 3.4.</summary>
internal static class DigestMath
{
    public static string Hash(DigestAlgorithm algorithm, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return Convert.ToHexStringLower(algorithm switch
        {
            // MD5 is what most phones and carriers speak; RFC 8760 keeps it for them.
            DigestAlgorithm.Md5 => MD5.HashData(bytes),
            DigestAlgorithm.Sha256 => SHA256.HashData(bytes),
        });
    }

    public static string Secret(DigestAlgorithm algorithm, string userName, string realm, string password) =>
        Hash(algorithm, $"{userName}:{realm}:{password}");

    /// <summary>With qop=auth; without qop the RFC 2069 form (7616 3.4.1 note).</summary>
    public static string Response(DigestAlgorithm algorithm, string secret, string method, string uri, string nonce, string? qop, string? nc, string? cnonce)
    {
        string request = Hash(algorithm, $"{method}:{uri}");
        return Hash(algorithm, qop is null ? $"{secret}:{nonce}:{request}" : $"{secret}:{nonce}:{nc}:{cnonce}:{qop}:{request}");
    }
}
