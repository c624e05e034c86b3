using System.Net;

namespace Sentiric.Sip;

/// <summary>Limits on new requests (those that would open a transaction) from one source address, and from all together.</summary>
public sealed record SourceLimits
{
    public double RequestsPerSecond { get; init; } = 500;

    /// <summary>Requests that may come at once after a quiet time.</summary>
    public int Burst { get; init; } = 1_000;

    /// <summary>From all sources together.</summary>
    public double OverallPerSecond { get; init; } = 10_000;

    public int OverallBurst { get; init; } = 20_000;

    /// <summary>Refusals that are answered with 503 in a row; after that, silence.</summary>
    public int AnsweredRefusals { get; init; } = 10;

    /// <summary>Sources remembered; beyond it the longest unseen one is forgotten.</summary>
    public int TrackedSources { get; init; } = 10_000;
}

public enum AdmissionVerdict
{
    Admit,

    /// <summary>Answer 503 with Retry-After.</summary>
    Refuse,

    /// <summary>Say nothing.</summary>
    Drop,
}

/// <summary>
/// One token bucket per source (an IPv4 address, the /64 of an IPv6 one, as whoever has one address there has them all) in a bounded table, and one for all. Owned by the
/// shard; not thread-safe.
/// </summary>
public sealed class SourceAdmission(SourceLimits limits, TimeProvider time)
{
    private readonly Dictionary<IPAddress, LinkedListNode<Bucket>> buckets = [];
    private readonly LinkedList<Bucket> byLastSeen = new();
    private double overallTokens = limits.OverallBurst;
    private long overallAt = time.GetTimestamp();

    public int TrackedSources => buckets.Count;

    public AdmissionVerdict Admit(IPAddress source)
    {
        Bucket bucket = Find(Prefix(source));
        long now = time.GetTimestamp();
        bucket.Tokens = Math.Min(limits.Burst, bucket.Tokens + time.GetElapsedTime(bucket.SeenAt, now).TotalSeconds * limits.RequestsPerSecond);
        bucket.SeenAt = now;
        overallTokens = Math.Min(limits.OverallBurst, overallTokens + time.GetElapsedTime(overallAt, now).TotalSeconds * limits.OverallPerSecond);
        overallAt = now;
        // A source that has no token of its own takes none of all.
        if (bucket.Tokens >= 1 && overallTokens >= 1)
        {
            bucket.Tokens -= 1;
            overallTokens -= 1;
            bucket.Refusals = 0;
            return AdmissionVerdict.Admit;
        }

        bucket.Refusals++;
        return bucket.Refusals <= limits.AnsweredRefusals ? AdmissionVerdict.Refuse : AdmissionVerdict.Drop;
    }

    /// <summary>Without an allocation for IPv4.</summary>
    internal static IPAddress Prefix(IPAddress source)
    {
        if (source.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork)
        {
            return source;
        }

        if (source.IsIPv4MappedToIPv6)
        {
            return source.MapToIPv4();
        }

        Span<byte> bytes = stackalloc byte[16];
        source.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }

    private Bucket Find(IPAddress source)
    {
        if (buckets.TryGetValue(source, out LinkedListNode<Bucket>? node))
        {
            byLastSeen.Remove(node);
            byLastSeen.AddLast(node);
            return node.Value;
        }

        if (buckets.Count >= limits.TrackedSources && byLastSeen.First is { } oldest)
        {
            byLastSeen.RemoveFirst();
            buckets.Remove(oldest.Value.Source);
        }

        var bucket = new Bucket { Source = source, Tokens = limits.Burst, SeenAt = time.GetTimestamp() };
        buckets[source] = byLastSeen.AddLast(bucket);
        return bucket;
    }

    private sealed class Bucket
    {
        public required IPAddress Source { get; init; }

        public double Tokens { get; set; }

        public long SeenAt { get; set; }

        public int Refusals { get; set; }
    }
}
