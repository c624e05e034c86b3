using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Sentiric.EventStore;

public sealed record PersonalDataOptions
{
    /// <summary>Data keys and grants that one process remembers; the least used ones are asked for again.</summary>
    public int CacheSize { get; init; } = 20_000;

    /// <summary>A key that another process destroyed is not used here for longer than this.</summary>
    public TimeSpan DestructionDelay { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>
/// Erasure by destroying keys: the personal members of facts are stored sealed with a data key per person, and whoever is to be forgotten loses the key.
/// The log stays as it is, hash chains over it stay valid, and what was sealed is unreadable wherever a copy of it lies.
/// <code>
///   append   whom is it about? -> data key (remembered) -> seal texts -> the store
///   read     page -> data keys not remembered, in one query -> open texts; no key any more: blank
/// </code>
/// Before remembered keys are used, and at most once per <see cref="PersonalDataOptions.DestructionDelay"/>, the vault is asked which were destroyed.
/// </summary>
public sealed partial class PersonalDataProtection : IPayloadProtection
{
    private const int HashBytes = 18;
    private const char HashMark = '~';
    private static readonly int HashLength = Base64Url.GetEncodedLength(HashBytes);

    private readonly PersonalDataMap _map;
    private readonly ISubjectVault _vault;
    private readonly SubjectKeys _keys;
    private readonly SemaphoreSlim _starting = new(1, 1);
    private HashSet<StreamAddress> _plainStreams = [];

    // Set once by the start.
    private volatile byte[]? _nameKey;

    public PersonalDataProtection(PersonalDataMap map, ISubjectVault vault, TimeProvider clock, PersonalDataOptions? options = null)
    {
        (_map, _vault) = (map, vault);
        _keys = new SubjectKeys(vault, clock, options ?? new PersonalDataOptions());
    }

    internal PersonalDataMap Map => _map;

    internal ISubjectVault Vault => _vault;

    public async ValueTask StartAsync(CancellationToken ct = default)
    {
        await _starting.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_nameKey is not null) return;
            var key = await _vault.StartAsync(ct).ConfigureAwait(false);
            _plainStreams = [.. (await _vault.PlainStreamsAsync(_map.PrivateStreams, ct).ConfigureAwait(false)).Where(s => StoredStream(key, s.StreamId) != s.StreamId)];
            _nameKey = key;
        }
        finally
        {
            _starting.Release();
        }
    }

    public string StoredStream(string tenant, string streamId) =>
        _map.PrivateStreams.Count == 0 || _plainStreams.Contains(new StreamAddress(tenant, streamId)) ? streamId : StoredStream(NameKey, streamId);

    /// <summary>The keyed hash by which an alias is known; the same alias, the same hash, as long as the installation lives.</summary>
    public string HashOf(string alias) => Hash(NameKey, alias);

    async ValueTask<StreamPlan> IPayloadProtection.ProtectAsync(StreamPlan plan, CancellationToken ct)
    {
        await StartAsync(ct).ConfigureAwait(false);
        var address = plan.Address with { StreamId = StoredStream(plan.Address.Tenant, plan.Address.StreamId) };
        var wishes = Wishes(plan, address);
        IReadOnlyList<SubjectKey> keys = wishes.Wanted.Count == 0 ? [] : await _keys.AcquireAsync(address, wishes.Wanted, ct).ConfigureAwait(false);
        var payloads = new Payload[plan.Payloads.Length];
        using var ciphers = new Ciphers();
        for (var i = 0; i < payloads.Length; i++)
            payloads[i] = Sealed(plan.Payloads[i], address, wishes.Of[i] is var at and >= 0 ? keys[at] : null, ciphers);
        return plan with { Address = address, Payloads = payloads };
    }

    public ValueTask OpenAsync(IList<RecordedEvent> page, CancellationToken ct = default) => OpenAsync(page, null, ct);

    /// <param name="living">Takes the ids of the keys that were found; null: nobody asks.</param>
    private async ValueTask OpenAsync(IList<RecordedEvent> page, ISet<string>? living, CancellationToken ct)
    {
        var marked = new List<int>();
        var keyIds = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < page.Count; i++)
        {
            if (page[i].Json.Span.IndexOf(SealedText.Mark) < 0) continue;
            marked.Add(i);
            CollectKeyIds(page[i].Json.Span, keyIds);
        }
        if (marked.Count == 0) return;
        await StartAsync(ct).ConfigureAwait(false);
        var keys = await _keys.FindAsync(keyIds, ct).ConfigureAwait(false);
        living?.UnionWith(keys.Keys);
        using var opening = new JsonOpening(keys);
        foreach (var i in marked) page[i] = opening.Open(page[i], _map.RuleFor(page[i].EventType));
    }

    /// <summary>The data key of a person, made when there is none; null: of whom the stream named last.</summary>
    internal async ValueTask<SubjectKey> KeyOfAsync(StreamAddress address, SubjectNaming? person, CancellationToken ct)
    {
        var wish = person is null ? new SubjectWish(address.Tenant, null, null, [], AliasChange.None) : Wish(address.Tenant, person);
        return (await _keys.AcquireAsync(address, [wish], ct).ConfigureAwait(false))[0];
    }

    /// <summary>Null when it was destroyed.</summary>
    internal async ValueTask<SubjectKey?> FindKeyAsync(string keyId, CancellationToken ct) =>
        (await _keys.FindAsync([keyId], ct).ConfigureAwait(false)).GetValueOrDefault(keyId);

    /// <summary>Forgets every remembered key that was destroyed until now, wherever that was done.</summary>
    internal ValueTask RefreshAsync(CancellationToken ct) => _keys.RefreshAsync(ct);

    private byte[] NameKey => _nameKey ?? throw new InvalidOperationException("The protection of personal data was not started; ensure the store's schema first.");

    private (List<SubjectWish> Wanted, int[] Of) Wishes(StreamPlan plan, StreamAddress address)
    {
        var (wanted, of) = (new List<SubjectWish>(), new int[plan.Payloads.Length]);
        var current = -1;
        for (var i = 0; i < of.Length; i++)
        {
            var payload = plan.Payloads[i];
            if (_map.SubjectOf(plan.Address.Tenant, plan.Address.StreamId, payload.Event.Data) is { } naming) current = Want(wanted, Wish(address.Tenant, naming));
            else if (current < 0 && _map.RuleFor(payload.Name) is not null) current = Want(wanted, new SubjectWish(address.Tenant, null, null, [], AliasChange.None));
            of[i] = _map.RuleFor(payload.Name) is null ? -1 : current;
        }
        return (wanted, of);
    }

    private SubjectWish Wish(string tenant, SubjectNaming naming)
    {
        var aliases = naming.Aliases is { Count: > 0 } given ? given.Select(HashOf).ToArray() : [];
        return new SubjectWish(naming.Tenant ?? tenant, naming.Subject, naming.Subject is null ? aliases.FirstOrDefault() : null, aliases, naming.Change);
    }

    private static int Want(List<SubjectWish> wanted, SubjectWish wish)
    {
        var at = wanted.FindIndex(w => w.Name == wish.Name && w.Change == wish.Change && w.Aliases.AsSpan().SequenceEqual(wish.Aliases));
        if (at >= 0) return at;
        wanted.Add(wish);
        return wanted.Count - 1;
    }

    private Payload Sealed(Payload payload, StreamAddress address, SubjectKey? key, Ciphers ciphers)
    {
        var rule = key is null ? null : _map.RuleFor(payload.Name);
        var json = payload.Json.Span;
        // § as it is, or as the escape that careful serialisers write.
        if (rule is null && json.IndexOf(SealedText.Mark) < 0 && json.IndexOf("\\u00A7"u8) < 0 && json.IndexOf("\\u00a7"u8) < 0) return payload;
        var place = SealedPlace.Prefix(address.Tenant, address.StreamId, payload.Event.EventId);
        var cipher = key is null ? null : ciphers.Of(key);
        var written = JsonSealing.Rewrite(json, rule, (at, path, text) =>
            at is { IsPersonal: true } && cipher is not null && key is not null
                ? SealedText.Seal(cipher, key.KeyId, text, SealedPlace.Of(place, path))
                : SealedText.Escape(text));
        return written.Length <= EventStoreLimits.MaxEventBytes ? payload with { Json = written } : throw new EventTooLargeException(payload.Name, written.Length);
    }

    // Quick and generous: whatever follows a mark; one id too many costs nothing.
    private static void CollectKeyIds(ReadOnlySpan<byte> json, HashSet<string> keyIds)
    {
        var last = ReadOnlySpan<byte>.Empty;
        for (var at = json.IndexOf(SealedText.SealedMark); at >= 0; at = json.IndexOf(SealedText.SealedMark))
        {
            json = json[(at + SealedText.SealedMark.Length)..];
            if (json.Length <= SealedText.KeyIdLength || json[SealedText.KeyIdLength] != '.') continue;
            var id = json[..SealedText.KeyIdLength];
            // The texts of an event are mostly one person's.
            if (id.SequenceEqual(last) || !Base64Url.IsValid(id)) continue;
            last = id;
            keyIds.Add(Encoding.ASCII.GetString(id));
        }
    }

    private string StoredStream(byte[] key, string streamId)
    {
        if (_map.PrivateStreams.FirstOrDefault(b => streamId.StartsWith(b, StringComparison.Ordinal)) is not { } beginning) return streamId;
        var rest = streamId.AsSpan(beginning.Length);
        var isHashed = rest.Length == HashLength + 1 && rest[0] == HashMark && Base64Url.IsValid(rest[1..]);
        return isHashed || rest.IsEmpty ? streamId : beginning + HashMark + Hash(key, streamId);
    }

    private static string Hash(byte[] key, string value) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(value)).AsSpan(0, HashBytes));

    /// <summary>One cipher per data key for the length of one append or page; a cipher is not for several threads.</summary>
    private sealed class Ciphers : IDisposable
    {
        private readonly Dictionary<string, AesGcm> _ciphers = new(StringComparer.Ordinal);

        public AesGcm Of(SubjectKey key)
        {
            if (_ciphers.TryGetValue(key.KeyId, out var cipher)) return cipher;
            return _ciphers[key.KeyId] = new AesGcm(key.Key, SealedText.TagBytes);
        }

        public void Dispose()
        {
            foreach (var cipher in _ciphers.Values) cipher.Dispose();
        }
    }
}
