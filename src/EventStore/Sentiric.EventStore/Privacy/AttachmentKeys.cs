using System.Security.Cryptography;

namespace Sentiric.EventStore;

/// <summary>A key that was made for one attachment.</summary>
/// <param name="Key">32 bytes.</param>
/// <param name="Envelope">The key, sealed with the data key of the person; keep it with the attachment.</param>
public sealed record AttachmentKey(byte[] Key, string Envelope);

/// <summary>
/// Keys for what lies outside of the log and tells of a person all the same: recordings, scans. Each attachment has a key of its own, which lies beside it
/// sealed with the data key of the person, which lies in the vault wrapped with a master key. Whoever is forgotten loses the data key, and with it every
/// attachment, wherever a copy of it lies. A rotation of the master keys leaves envelopes as they are.
/// <code> master key ─wraps─► data key of the person ─seals─► key of the attachment ─seals─► the attachment </code>
/// </summary>
public sealed class AttachmentKeys(PersonalDataProtection protection)
{
    /// <summary>A new key; the stream is noted as one that the person is in.</summary>
    /// <param name="name">Of the attachment: its envelope opens under this name only.</param>
    /// <param name="person">Null: whom the stream named last.</param>
    public async ValueTask<AttachmentKey> IssueAsync(string tenant, string streamId, string name, SubjectNaming? person, CancellationToken ct = default)
    {
        await protection.StartAsync(ct).ConfigureAwait(false);
        var address = new StreamAddress(tenant, protection.StoredStream(tenant, streamId));
        var owner = await protection.KeyOfAsync(address, person, ct).ConfigureAwait(false);
        var key = RandomNumberGenerator.GetBytes(MasterKeys.KeyBytes);
        using var cipher = new AesGcm(owner.Key, SealedText.TagBytes);
        return new AttachmentKey(key, SealedText.Seal(cipher, owner.KeyId, Convert.ToBase64String(key), Place(address, name)));
    }

    /// <summary>
    /// The key of an envelope; null when the person was forgotten. Throws <see cref="PersonalDataTamperedException"/> when the envelope was changed or belongs
    /// to something else.
    /// </summary>
    public async ValueTask<byte[]?> OpenAsync(string tenant, string streamId, string name, string envelope, CancellationToken ct = default)
    {
        await protection.StartAsync(ct).ConfigureAwait(false);
        var address = new StreamAddress(tenant, protection.StoredStream(tenant, streamId));
        if (SealedText.KeyIdOf(envelope) is not { } keyId) throw new PersonalDataTamperedException(streamId, Guid.Empty, name);
        if (await protection.FindKeyAsync(keyId, ct).ConfigureAwait(false) is not { } owner) return null;
        using var cipher = new AesGcm(owner.Key, SealedText.TagBytes);
        return SealedText.Open(cipher, envelope, Place(address, name)) is { } text
            ? Convert.FromBase64String(text)
            : throw new PersonalDataTamperedException(streamId, Guid.Empty, name);
    }

    // An attachment is no event: the empty id keeps its place apart from theirs.
    private static byte[] Place(StreamAddress address, string name) =>
        SealedPlace.Of(SealedPlace.Prefix(address.Tenant, address.StreamId, Guid.Empty), System.Text.Encoding.UTF8.GetBytes(name));
}
