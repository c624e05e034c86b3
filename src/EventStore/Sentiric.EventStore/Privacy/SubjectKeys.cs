namespace Sentiric.EventStore;

/// <summary>
/// The data keys that this process remembers, bounded, and never used for longer than <see cref="PersonalDataOptions.DestructionDelay"/>
/// after somebody destroyed them. <see cref="_gate"/> owns all state; <see cref="_asking"/> lets one caller ask while the others wait for the answer.
/// </summary>
internal sealed class SubjectKeys(ISubjectVault vault, TimeProvider clock, PersonalDataOptions options)
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _asking = new(1, 1);
    private readonly Remembered<SubjectKey> _keys = new(options.CacheSize);

    // (stream, wish) to the id of the key that was granted for it.
    private readonly Remembered<string> _grants = new(options.CacheSize);
    private DateTimeOffset? _asOf;
    private long _askedAt;

    // How often it was told what is destroyed. A key that was read before the last time may be one of those: it is used, and not remembered.
    private long _answers;

    public async ValueTask<IReadOnlyList<SubjectKey>> AcquireAsync(StreamAddress stream, IReadOnlyList<SubjectWish> wishes, CancellationToken ct)
    {
        await EnsureFreshAsync(ct).ConfigureAwait(false);
        var answers = Answers;
        if (Remembered(stream, wishes) is { } known) return known;
        var keys = await vault.AcquireAsync(stream, wishes, ct).ConfigureAwait(false);
        lock (_gate)
        {
            if (_answers != answers) return keys;
            for (var i = 0; i < keys.Count; i++)
            {
                _keys.Keep(keys[i].KeyId, keys[i]);
                if (Grant(stream, wishes[i]) is { } grant) _grants.Keep(grant, keys[i].KeyId);
            }
            // Whoever speaks next in this stream without naming anybody is the one named last.
            if (keys.Count > 0) _grants.Keep(OwnerGrant(stream), keys[^1].KeyId);
        }
        return keys;
    }

    public async ValueTask<IReadOnlyDictionary<string, SubjectKey>> FindAsync(IReadOnlyCollection<string> keyIds, CancellationToken ct)
    {
        if (keyIds.Count == 0) return new Dictionary<string, SubjectKey>();
        await EnsureFreshAsync(ct).ConfigureAwait(false);
        var found = new Dictionary<string, SubjectKey>(StringComparer.Ordinal);
        var missing = new List<string>();
        long answers;
        lock (_gate)
        {
            answers = _answers;
            foreach (var id in keyIds)
            {
                if (_keys.Find(id) is { } key) found[id] = key;
                else missing.Add(id);
            }
        }
        if (missing.Count == 0) return found;
        var read = await vault.FindAsync(missing, ct).ConfigureAwait(false);
        lock (_gate)
        {
            foreach (var key in read)
            {
                found[key.KeyId] = key;
                if (_answers == answers) _keys.Keep(key.KeyId, key);
            }
        }
        return found;
    }

    public async ValueTask RefreshAsync(CancellationToken ct)
    {
        await _asking.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            await AskAsync(ct).ConfigureAwait(false);
        }
        finally
        {
            _asking.Release();
        }
    }

    private async ValueTask EnsureFreshAsync(CancellationToken ct)
    {
        if (IsFresh()) return;
        await _asking.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (!IsFresh()) await AskAsync(ct).ConfigureAwait(false);
        }
        finally
        {
            _asking.Release();
        }
    }

    private long Answers
    {
        get
        {
            lock (_gate) return _answers;
        }
    }

    private bool IsFresh()
    {
        lock (_gate) return _asOf is not null && clock.GetElapsedTime(_askedAt) < options.DestructionDelay;
    }

    private async ValueTask AskAsync(CancellationToken ct)
    {
        // Read before asking: what is destroyed while the answer travels counts as unknown.
        var asked = clock.GetTimestamp();
        var (destroyed, now) = await vault.DestroyedSinceAsync(_asOf, ct).ConfigureAwait(false);
        lock (_gate)
        {
            foreach (var id in destroyed) _keys.Drop(id);
            (_asOf, _askedAt, _answers) = (now, asked, _answers + 1);
        }
    }

    private List<SubjectKey>? Remembered(StreamAddress stream, IReadOnlyList<SubjectWish> wishes)
    {
        var keys = new List<SubjectKey>(wishes.Count);
        lock (_gate)
        {
            foreach (var wish in wishes)
            {
                if (Grant(stream, wish) is not { } grant || _grants.Find(grant) is not { } id || _keys.Find(id) is not { } key) return null;
                keys.Add(key);
            }
            if (keys.Count > 0) _grants.Keep(OwnerGrant(stream), keys[^1].KeyId);
        }
        return keys;
    }

    // A wish that changes what an alias means goes to the vault every time; so does one that asks an alias, which may mean somebody else by now.
    private static string? Grant(StreamAddress stream, SubjectWish wish) => wish switch
    {
        { Change: not AliasChange.None } => null,
        { Subject: null, Alias: null } => OwnerGrant(stream),
        { Subject: null } => null,
        _ => $"{stream.Tenant}\n{stream.StreamId}\n{wish.Name}",
    };

    private static string OwnerGrant(StreamAddress stream) => $"{stream.Tenant}\n{stream.StreamId}";
}

/// <summary>The most recently used entries. The owner locks.</summary>
internal sealed class Remembered<T>(int capacity)
    where T : class
{
    private readonly Dictionary<string, LinkedListNode<(string Key, T Value)>> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Key, T Value)> _byUse = new();

    public int Count => _entries.Count;

    public T? Find(string key)
    {
        if (!_entries.TryGetValue(key, out var node)) return null;
        if (_byUse.First != node)
        {
            _byUse.Remove(node);
            _byUse.AddFirst(node);
        }
        return node.Value.Value;
    }

    public void Keep(string key, T value)
    {
        Drop(key);
        _entries[key] = _byUse.AddFirst((key, value));
        if (_entries.Count > capacity && _byUse.Last is { } oldest) Drop(oldest.Value.Key);
    }

    public void Drop(string key)
    {
        if (_entries.Remove(key, out var node)) _byUse.Remove(node);
    }
}
