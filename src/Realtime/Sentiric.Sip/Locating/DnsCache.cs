namespace Sentiric.Sip;

/// <summary>
/// Remembers answers for as long as they hold, failures and names that do not exist among them, in a bounded table; who asks what is being asked
/// already waits for that answer. Thread-safe.
/// </summary>
/// <param name="capacity">Answers remembered; beyond it the oldest goes.</param>
public sealed class DnsCache(IDnsLookup source, TimeProvider time, int capacity = DnsCache.DefaultCapacity) : IDnsLookup
{
    public const int DefaultCapacity = 1_024;

    /// <summary>A record that may not be kept at all would make three questions of every request.</summary>
    private static readonly TimeSpan ShortestLife = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();

    // All three guarded by the gate.
    private readonly Dictionary<Key, LinkedListNode<Entry>> entries = [];
    private readonly LinkedList<Entry> byAge = new();
    private readonly Dictionary<Key, Task<DnsAnswer>> asking = [];

    public int Count
    {
        get
        {
            lock (gate)
            {
                return entries.Count;
            }
        }
    }

    public Task<DnsAnswer> AskAsync(string name, DnsRecordType type, CancellationToken ct)
    {
        var key = new Key(name.TrimEnd('.').ToLowerInvariant(), type);
        Task<DnsAnswer> answer;
        lock (gate)
        {
            if (entries.TryGetValue(key, out LinkedListNode<Entry>? known))
            {
                if (time.GetElapsedTime(known.Value.Since) < known.Value.Answer.TimeToLive)
                {
                    return Task.FromResult(known.Value.Answer);
                }

                Forget(known);
            }

            if (!asking.TryGetValue(key, out answer!))
            {
                // Not the asker's token: others may come to wait for this answer too, and the client below has a limit of its own.
                answer = FetchAsync(key);
                if (!answer.IsCompleted)
                {
                    asking[key] = answer;
                }
            }
        }

        return answer.WaitAsync(ct);
    }

    private async Task<DnsAnswer> FetchAsync(Key key)
    {
        DnsAnswer answer = DnsAnswer.Failure;
        try
        {
            answer = await source.AskAsync(key.Name, key.Type, CancellationToken.None).ConfigureAwait(false);
            answer = answer.TimeToLive < ShortestLife ? answer with { TimeToLive = ShortestLife } : answer;
            return answer;
        }
        finally
        {
            lock (gate)
            {
                asking.Remove(key);
                Remember(key, answer);
            }
        }
    }

    private void Remember(Key key, DnsAnswer answer)
    {
        if (entries.TryGetValue(key, out LinkedListNode<Entry>? old))
        {
            Forget(old);
        }

        if (entries.Count >= capacity && byAge.First is { } oldest)
        {
            Forget(oldest);
        }

        entries[key] = byAge.AddLast(new Entry(key, answer, time.GetTimestamp()));
    }

    private void Forget(LinkedListNode<Entry> entry)
    {
        entries.Remove(entry.Value.Key);
        byAge.Remove(entry);
    }

    private readonly record struct Key(string Name, DnsRecordType Type);

    private sealed record Entry(Key Key, DnsAnswer Answer, long Since);
}
