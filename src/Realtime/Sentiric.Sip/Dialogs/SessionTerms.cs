using System.Globalization;

namespace Sentiric.Sip;

/// <summary>
/// What two sides agree about the life of a session without refreshes (RFC 4028): the interval, and whether we are the one who refreshes.
/// </summary>
internal readonly record struct SessionTerms(uint Seconds, bool WeRefresh, bool PeerSupports)
{
    /// <summary>RFC 4028 4 and 5: no interval below this is ever valid.</summary>
    public const uint LeastSeconds = 90;

    /// <summary>The option tag (RFC 4028 4).</summary>
    public const string Option = "timer";
    private const string Header = "Session-Expires";
    private const string Compact = "x";
    private const string MinHeader = "Min-SE";

    /// <summary>RFC 4028 9: 422 with our least interval for a peer that knows session timers and asks for less.</summary>
    public static SipAnswer? Refusal(SipRequest request, SipSessionOptions options)
    {
        if (Expires(request) is not { } wanted || wanted.Seconds >= Least(options) || !request.Supports(Option))
        {
            return null;
        }

        return new SipAnswer(422, null, [new(MinHeader, Text(Least(options)))]);
    }

    /// <summary>RFC 4028 9, table 2. Null: the session has no timer.</summary>
    public static SessionTerms? OfUas(SipRequest request, SipSessionOptions options)
    {
        (uint Seconds, string? Refresher)? wanted = Expires(request);
        if (wanted is null && options.Interval is null)
        {
            return null;
        }

        bool supports = request.Supports(Option);
        // Only a peer that knows timers can be told to refresh; otherwise we do. Its own wish holds.
        bool weRefresh = !supports || wanted?.Refresher?.Equals("uas", StringComparison.OrdinalIgnoreCase) == true;
        return new SessionTerms(Interval(wanted?.Seconds, Number(request, MinHeader), options), weRefresh, supports);
    }

    /// <summary>RFC 4028 7.2: what the 2xx says holds; without the header the session has no timer.</summary>
    public static SessionTerms? OfUac(SipResponse response) => Expires(response) is { } agreed
        ? new SessionTerms(Math.Max(agreed.Seconds, LeastSeconds), agreed.Refresher?.Equals("uas", StringComparison.OrdinalIgnoreCase) != true, true)
        : null;

    /// <summary>RFC 4028 7.3: Min-SE of a 422; null when it says none that can be used.</summary>
    public static uint? Demanded(SipResponse? response) =>
        response is not null && Number(response, MinHeader) is { } least && least <= int.MaxValue ? Math.Max(least, LeastSeconds) : null;

    /// <summary>Asks for an interval in a request of ours. Without a refresher the other side chooses (RFC 4028 7.1).</summary>
    public static IEnumerable<KeyValuePair<string, string>> Asking(uint seconds, uint? least, bool? weRefresh)
    {
        string refresher = weRefresh switch { null => "", true => ";refresher=uac", false => ";refresher=uas" };
        yield return new(Header, Text(seconds) + refresher);
        if (least is { } demanded)
        {
            yield return new(MinHeader, Text(demanded));
        }
    }

    /// <summary>Headers of a 2xx of ours; Require when the peer shall refresh, and when it can (RFC 4028 9).</summary>
    public void WriteTo(SipWriter writer)
    {
        writer.Header(Header, Text(Seconds) + (WeRefresh ? ";refresher=uas" : ";refresher=uac"));
        if (PeerSupports)
        {
            writer.Header(SipHeaderId.Require, Option);
        }
    }

    /// <summary>Theirs, or less when we ask for less and they allow it; never more than they asked for.</summary>
    private static uint Interval(uint? wanted, uint? theirLeast, SipSessionOptions options)
    {
        uint least = Math.Max(Least(options), theirLeast ?? 0);
        uint? ours = options.Interval is { } interval ? Seconds32(interval) : null;
        return wanted is not { } asked ? Math.Max(ours ?? LeastSeconds, least)
            : ours is { } shorter && shorter < asked && shorter >= least ? shorter
            : Math.Max(asked, LeastSeconds);
    }

    private static (uint Seconds, string? Refresher)? Expires(SipMessage message)
    {
        if ((message.Header(Header) ?? message.Header(Compact)) is not { } value)
        {
            return null;
        }

        string[] parts = value.Split(';', StringSplitOptions.TrimEntries);
        string? refresher = parts.Skip(1).FirstOrDefault(part => part.StartsWith("refresher=", StringComparison.OrdinalIgnoreCase));
        return uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint seconds) && seconds <= int.MaxValue
            ? (seconds, refresher?[10..]) : null;
    }

    private static uint? Number(SipMessage message, string name) =>
        uint.TryParse((message.Header(name) ?? "").Split(';')[0].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number : null;

    private static uint Least(SipSessionOptions options) => Math.Max(LeastSeconds, Seconds32(options.MinInterval));

    internal static uint Seconds32(TimeSpan span) => (uint)Math.Clamp(span.TotalSeconds, 0, int.MaxValue);

    internal static string Text(uint number) => number.ToString(CultureInfo.InvariantCulture);
}
