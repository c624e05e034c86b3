using System.Security.Cryptography;

namespace Sentiric.EventStore;

/// <summary>The vault in one process's memory, for tests and for trying things out. One lock owns all state.</summary>
public sealed class InMemorySubjectVault(TimeProvider clock) : ISubjectVault
{
    private readonly Lock _gate = new();
    private readonly byte[] _nameKey = RandomNumberGenerator.GetBytes(MasterKeys.KeyBytes);
    private readonly Dictionary<SubjectId, SubjectKey> _keys = [];
    private readonly List<(string KeyId, DateTimeOffset At)> _destroyed = [];
    private readonly Dictionary<string, (SubjectId First, SubjectId? Now)> _aliases = new(StringComparer.Ordinal);
    private readonly List<(SubjectId Subject, StreamAddress Stream)> _streams = [];

    ValueTask<byte[]> ISubjectVault.StartAsync(CancellationToken ct) => ValueTask.FromResult(_nameKey);

    ValueTask<IReadOnlyList<SubjectKey>> ISubjectVault.AcquireAsync(StreamAddress stream, IReadOnlyList<SubjectWish> wishes, CancellationToken ct)
    {
        var keys = new List<SubjectKey>(wishes.Count);
        lock (_gate)
        {
            foreach (var wish in wishes)
            {
                Change(wish);
                var subject = Resolve(stream, wish);
                if (!_keys.TryGetValue(subject, out var key))
                    _keys[subject] = key = new SubjectKey(subject, SealedText.NewKeyId(), RandomNumberGenerator.GetBytes(MasterKeys.KeyBytes));
                if (!_streams.Contains((subject, stream))) _streams.Add((subject, stream));
                keys.Add(key);
            }
        }
        return ValueTask.FromResult<IReadOnlyList<SubjectKey>>(keys);
    }

    ValueTask<IReadOnlyList<SubjectKey>> ISubjectVault.FindAsync(IReadOnlyCollection<string> keyIds, CancellationToken ct)
    {
        lock (_gate) return ValueTask.FromResult<IReadOnlyList<SubjectKey>>([.. _keys.Values.Where(k => keyIds.Contains(k.KeyId))]);
    }

    ValueTask<(IReadOnlyList<string> KeyIds, DateTimeOffset Now)> ISubjectVault.DestroyedSinceAsync(DateTimeOffset? since, CancellationToken ct)
    {
        lock (_gate) return ValueTask.FromResult<(IReadOnlyList<string>, DateTimeOffset)>(([.. _destroyed.Where(d => since is null || d.At >= since).Select(d => d.KeyId)], clock.GetUtcNow()));
    }

    ValueTask<IReadOnlyList<StreamAddress>> ISubjectVault.PlainStreamsAsync(IReadOnlyList<string> beginnings, CancellationToken ct) =>
        ValueTask.FromResult<IReadOnlyList<StreamAddress>>([]);

    ValueTask<SubjectRecord> ISubjectVault.LookUpAsync(IReadOnlyList<SubjectId> subjects, IReadOnlyList<string> aliases, CancellationToken ct)
    {
        lock (_gate)
        {
            var all = subjects.Concat(aliases.Where(_aliases.ContainsKey).Select(a => _aliases[a].Now).OfType<SubjectId>()).ToHashSet();
            // What an alias did before anybody claimed it belongs to who claimed it first.
            foreach (var alias in _aliases.Where(a => all.Contains(a.Value.First)).ToList())
                all.Add(new SubjectId(alias.Value.First.Tenant, alias.Key));
            if (subjects.Count > 0)
                foreach (var alias in aliases.Where(a => !_aliases.ContainsKey(a))) all.Add(new SubjectId(subjects[0].Tenant, alias));
            return ValueTask.FromResult(new SubjectRecord(
                [.. all], all.Count(_keys.ContainsKey), [.. _streams.Where(s => all.Contains(s.Subject)).Select(s => s.Stream).Distinct()]));
        }
    }

    ValueTask<int> ISubjectVault.DestroyAsync(IReadOnlyList<SubjectId> subjects, CancellationToken ct)
    {
        lock (_gate)
        {
            var destroyed = 0;
            foreach (var subject in subjects)
            {
                foreach (var (alias, owner) in _aliases.Where(a => a.Value.Now == subject).ToList()) _aliases[alias] = (owner.First, null);
                if (!_keys.Remove(subject, out var key)) continue;
                _destroyed.Add((key.KeyId, clock.GetUtcNow()));
                destroyed++;
            }
            return ValueTask.FromResult(destroyed);
        }
    }

    ValueTask ISubjectVault.ShredAsync(CancellationToken ct) => ValueTask.CompletedTask;

    ValueTask<long> ISubjectVault.RewrapAsync(int count, CancellationToken ct) => ValueTask.FromResult(0L);

    private void Change(SubjectWish wish)
    {
        if (wish.Subject is null) return;
        var subject = new SubjectId(wish.Tenant, wish.Subject);
        foreach (var alias in wish.Aliases)
        {
            var known = _aliases.TryGetValue(alias, out var owner);
            if (wish.Change == AliasChange.Claim) _aliases[alias] = known ? (owner.First, owner.Now ?? subject) : (subject, subject);
            else if (wish.Change == AliasChange.Release && known && owner.Now == subject) _aliases[alias] = (owner.First, null);
        }
    }

    private SubjectId Resolve(StreamAddress stream, SubjectWish wish)
    {
        if (wish.Subject is { } subject) return new SubjectId(wish.Tenant, subject);
        if (wish.Alias is { } alias) return _aliases.TryGetValue(alias, out var owner) && owner.Now is { } now ? now : new SubjectId(wish.Tenant, alias);
        return _streams.FindLastIndex(s => s.Stream == stream) is var at and >= 0 ? _streams[at].Subject : new SubjectId(wish.Tenant, "stream:" + stream.StreamId);
    }
}
