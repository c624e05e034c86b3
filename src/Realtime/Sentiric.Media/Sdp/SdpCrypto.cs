using System.Globalization;

namespace Sentiric.Media;

/// <summary>Whether media is encrypted (SDES, RFC 4568: the keys stand in the SDP, so signalling should go over TLS).</summary>
public enum SrtpPolicy
{
    /// <summary>RTP/SAVP is refused.</summary>
    Never,

    /// <summary>RTP/SAVP is answered when it is offered; our own offers are plain.</summary>
    WhenOffered,

    /// <summary>Plain RTP is refused, our own offers are RTP/SAVP.</summary>
    Required,
}

/// <summary>The policies by the names that settings use.</summary>
public static class SrtpPolicies
{
    public static IReadOnlyList<string> Names { get; } = ["never", "offered", "required"];

    /// <summary>Null when the word is none of <see cref="Names"/>.</summary>
    public static SrtpPolicy? Parse(string word) => word switch
    {
        "never" => SrtpPolicy.Never,
        "offered" => SrtpPolicy.WhenOffered,
        "required" => SrtpPolicy.Required,
        _ => null,
    };
}

/// <summary>
/// The <c>a=crypto</c> lines of a stream (RFC 4568):
/// <code>a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:base64[|lifetime][|MKI:length] [session parameters]</code>
/// </summary>
internal static class SdpCrypto
{
    private const string Attribute = "crypto", KeyMethod = "inline:";
    private const int MaxTagDigits = 9; // RFC 4568 9.1
    private const int MaxLines = 32;

    private readonly record struct Line(string Tag, SrtpSuite Suite, SrtpKey Key);

    /// <summary>One line for each of our keys, tags from 1.</summary>
    public static IEnumerable<SdpAttribute> Offer(IReadOnlyList<SrtpKey> keys) => keys.Select((key, at) => Write(TagOf(at), key));

    /// <summary>The first offered line that we can speak, with our own key for its suite; null when there is none.</summary>
    public static (SrtpPair Pair, SdpAttribute Answer)? Choose(SdpMedia offered, IReadOnlyList<SrtpKey> keys)
    {
        foreach (var line in LinesOf(offered))
        {
            if (keys.FirstOrDefault(key => key.Suite == line.Suite) is { } ours) return (new SrtpPair(ours, line.Key), Write(line.Tag, ours));
        }
        return null;
    }

    /// <summary>The line that the answer took of our <see cref="Offer"/>; null when it is none of ours.</summary>
    public static SrtpPair? Read(SdpMedia answer, IReadOnlyList<SrtpKey> offered)
    {
        foreach (var line in LinesOf(answer))
        {
            for (var at = 0; at < offered.Count; at++)
            {
                if (line.Tag == TagOf(at) && line.Suite == offered[at].Suite) return new SrtpPair(offered[at], line.Key);
            }
        }
        return null;
    }

    private static IEnumerable<Line> LinesOf(SdpMedia media) => media.Attributes
        .Where(attribute => attribute.Name == Attribute).Take(MaxLines)
        .Select(attribute => Parse(attribute.Value ?? "")).OfType<Line>();

    // A line with anything in it that we do not do is not for us; another one may be.
    private static Line? Parse(string value)
    {
        var parts = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 3 || parts[0].Length > MaxTagDigits || !parts[0].All(char.IsAsciiDigit)) return null;
        if (SuiteOf(parts[1]) is not { } suite || KeyOf(suite, parts[2]) is not { } key) return null;
        return parts.Skip(3).All(MayBeIgnored) ? new Line(parts[0], suite, key) : null;
    }

    private static SrtpSuite? SuiteOf(string name)
    {
        foreach (var suite in SrtpSuites.All)
        {
            if (suite.WireName() == name) return suite;
        }
        return null;
    }

    // One key without a master key identifier: "1:4" after the bar would put four more bytes into every packet. A lifetime bounds
    // what we send (2^31 at least, RFC 3711 9.2): no call comes near it.
    private static SrtpKey? KeyOf(SrtpSuite suite, string parameters)
    {
        if (!parameters.StartsWith(KeyMethod, StringComparison.OrdinalIgnoreCase) || parameters.Contains(';', StringComparison.Ordinal)) return null;
        var fields = parameters[KeyMethod.Length..].Split('|');
        return fields.Skip(1).Any(field => field.Contains(':', StringComparison.Ordinal)) ? null : SrtpKey.FromBase64(suite, fields[0]);
    }

    // RFC 4568 6.3: WSH is a hint; "-" marks what may be ignored; everything else changes how packets look.
    private static bool MayBeIgnored(string parameter) =>
        parameter.StartsWith("WSH=", StringComparison.Ordinal) || parameter.StartsWith('-');

    private static string TagOf(int at) => (at + 1).ToString(CultureInfo.InvariantCulture);

    private static SdpAttribute Write(string tag, SrtpKey key) => new(Attribute, $"{tag} {key.Suite.WireName()} {KeyMethod}{key.ToBase64()}");
}
