using System.Net;

namespace Sentiric.Sip;

/// <summary>Limits on new requests (those that would open a transaction) from one source address.</summary>
public sealed record SourceLimits
{
    public double RequestsPerSecond { get; init; } = 500;

    /// <summary>Requests that may come at once after a quiet time.</summary>
    public int Burst { get; init; } = 1_000;

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

/// <summary>One token bucket per source address in a bounded table. Owned by the shard; not thread-safe.</summary>
public sealed class SourceAdmission(SourceLimits limits, TimeProvider time)
{
    private readonly Dictionary<IPAddress, LinkedListNode<Bucket>> buckets = [];
    private readonly LinkedList<Bucket> byLastSeen = new();

    public int TrackedSources => buckets.Count;

    public AdmissionVerdict Admit(IPAddress source)
    {
        Bucket bucket = Find(source);
        long now = time.GetTimestamp();
        bucket.Tokens = Math.Min(limits.Burst, bucket.Tokens + time.GetElapsedTime(bucket.SeenAt, now).TotalSeconds * limits.RequestsPerSecond);
        bucket.SeenAt = now;
        if (bucket.Tokens >= 1)
        {
            bucket.Tokens -= 1;
            bucket.Refusals = 0;
            return AdmissionVerdict.Admit;
        }

        bucket.Refusals++;
        return bucket.Refusals <= limits.AnsweredRefusals ? AdmissionVerdict.Refuse : AdmissionVerdict.Drop;
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
