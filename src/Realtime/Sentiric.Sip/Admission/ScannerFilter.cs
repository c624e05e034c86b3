using System.Buffers;

namespace Sentiric.Sip;

/// <summary>
/// Knows the tools that look for open SIP servers by what they call themselves. They lie easily; those that do not are most of the traffic on an open port, and silence
/// makes them go on to the next address.
/// </summary>
public sealed class ScannerFilter(IReadOnlyList<string> names)
{
    private const int LongestAgent = 256;
    private readonly SearchValues<string> known = SearchValues.Create([.. names], StringComparison.OrdinalIgnoreCase);

    /// <summary>Parts of names of agents that only scan: sipvicious and what is built on it, and mass scanners.</summary>
    public static IReadOnlyList<string> UsualNames { get; } =
    [
        "friendly-scanner", "friendly-request", "sipvicious", "sipcli", "sip-scan", "sundayddr", "VaxSIPUserAgent", "pplsip", "siparmyknife", "sipptk", "zmap", "masscan",
        "random-scanner", "voipscan",
    ];

    public static ScannerFilter Usual { get; } = new(UsualNames);

    /// <summary>True when User-Agent names one of them.</summary>
    public bool IsScanner(SipRequest request)
    {
        int index = request.Raw.Find(SipHeaderId.UserAgent);
        if (index < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> agent = request.Raw.Value(index);
        Span<char> text = stackalloc char[LongestAgent];
        int length = System.Text.Encoding.Latin1.GetChars(agent[..Math.Min(agent.Length, LongestAgent)], text);
        return text[..length].ContainsAny(known);
    }
}
