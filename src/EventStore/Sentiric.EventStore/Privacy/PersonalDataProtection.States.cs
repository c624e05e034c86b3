namespace Sentiric.EventStore;

/// <summary>States that were folded from opened events: which keys they rest on, and how they are stored.</summary>
public sealed partial class PersonalDataProtection
{
    /// <summary>A state of more persons is not stored: one erasure among so many would throw it away all the time.</summary>
    internal const int MaxPersonsPerSnapshot = 64;

    ValueTask IPayloadProtection.OpenAsync(IList<RecordedEvent> page, ISet<string> keyIds, CancellationToken ct) => OpenAsync(page, keyIds, ct);

    async ValueTask<bool> IPayloadProtection.AreLivingAsync(IReadOnlyList<string> keyIds, CancellationToken ct) => await AllAsync(keyIds, ct).ConfigureAwait(false) is not null;

    async ValueTask<byte[]?> IPayloadProtection.SealStateAsync(ReadOnlyMemory<byte> json, SnapshotPlace place, IReadOnlyList<string> keyIds, CancellationToken ct)
    {
        if (keyIds.Count > MaxPersonsPerSnapshot) return null;
        await StartAsync(ct).ConfigureAwait(false);
        return await AllAsync(keyIds, ct).ConfigureAwait(false) is { } keys ? SealedState.Seal(json.Span, place, NameKey, keys) : null;
    }

    async ValueTask<byte[]?> IPayloadProtection.OpenStateAsync(ReadOnlyMemory<byte> whole, SnapshotPlace place, IReadOnlyList<string> keyIds, CancellationToken ct)
    {
        await StartAsync(ct).ConfigureAwait(false);
        return await AllAsync(keyIds, ct).ConfigureAwait(false) is { } keys ? SealedState.Open(whole.Span, place, NameKey, keys) : null;
    }

    /// <summary>In the order of their ids; null when one of them is gone.</summary>
    private async ValueTask<IReadOnlyList<SubjectKey>?> AllAsync(IReadOnlyList<string> keyIds, CancellationToken ct)
    {
        var found = await _keys.FindAsync(keyIds, ct).ConfigureAwait(false);
        var keys = keyIds.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Where(found.ContainsKey).Select(id => found[id]).ToList();
        return keys.Count == keyIds.Distinct(StringComparer.Ordinal).Count() ? keys : null;
    }
}
