using System.Net;

namespace Sentiric.Sip;

/// <summary>
/// Places that failed a short while ago (RFC 3263 4.3): they are tried last until their rest is over. Owned by the shard's queue.
/// </summary>
internal sealed class RestingTargets(TimeProvider time)
{
    /// <summary>Beyond it all are forgotten: the cost is one more try at each.</summary>
    public const int MaxRemembered = 256;
    public static readonly TimeSpan UsualRest = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestRest = TimeSpan.FromHours(1);

    private readonly Dictionary<(SipTransportKind, IPEndPoint), DateTimeOffset> until = [];

    public int Count => until.Count;

    public void Rest(SipTarget target, TimeSpan? wished = null)
    {
        if (until.Count >= MaxRemembered)
        {
            until.Clear();
        }

        TimeSpan rest = wished is { } given && given < LongestRest ? given : wished is null ? UsualRest : LongestRest;
        until[(target.Transport.Kind, target.Remote)] = time.GetUtcNow() + rest;
    }

    public bool Rests(SipTarget target)
    {
        var key = (target.Transport.Kind, target.Remote);
        if (until.Count == 0 || !until.TryGetValue(key, out DateTimeOffset end))
        {
            return false;
        }

        if (end > time.GetUtcNow())
        {
            return true;
        }

        until.Remove(key);
        return false;
    }

    /// <summary>The same targets, those that rest behind the others; nobody is left out, for all may be resting.</summary>
    public List<SipTarget> Order(IEnumerable<SipTarget> targets) => targets.OrderBy(Rests).ToList();
}
