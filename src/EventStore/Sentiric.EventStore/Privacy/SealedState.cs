using System.Security.Cryptography;
using System.Text;

namespace Sentiric.EventStore;

/// <summary>Where a snapshot belongs: authenticated with it, so that it opens nowhere else and for no other version of the stream.</summary>
/// <param name="Address">As stored.</param>
internal readonly record struct SnapshotPlace(StreamAddress Address, string Name, int Shape, long Version)
{
    public byte[] Bytes => Encoding.UTF8.GetBytes(string.Create(
        System.Globalization.CultureInfo.InvariantCulture, $"snapshot\0{Address.Tenant}\0{Address.StreamId}\0{Name}\0{Shape}\0{Version}"));
}

/// <summary>
/// A state that tells of several persons at once, sealed so that it takes the data keys of all of them to open it.
/// <code>
///   HKDF-SHA256 (RFC 5869)   key of the names | data key of a | data key of b | ...     in the order of their ids
///                            info: where the snapshot belongs
///                                       ▼
///   AES-256-GCM              nonce 12 | ciphertext | tag 16                              authenticated along: the same place, and the ids
/// </code>
/// When one of the keys is destroyed, 256 unknown bits go into the derivation: nobody opens the state any more, wherever a copy of it lies.
/// A rotation of the master keys wraps the same data keys anew, so it leaves snapshots as they are.
/// </summary>
internal static class SealedState
{
    public static byte[] Seal(ReadOnlySpan<byte> json, SnapshotPlace place, byte[] nameKey, IReadOnlyList<SubjectKey> keys)
    {
        var whole = new byte[SealedText.NonceBytes + json.Length + SealedText.TagBytes];
        RandomNumberGenerator.Fill(whole.AsSpan(0, SealedText.NonceBytes));
        using var cipher = Cipher(place, nameKey, keys);
        cipher.Encrypt(
            whole.AsSpan(0, SealedText.NonceBytes), json, whole.AsSpan(SealedText.NonceBytes, json.Length), whole.AsSpan(SealedText.NonceBytes + json.Length), Along(place, keys));
        return whole;
    }

    /// <summary>Null when it does not open: changed, put somewhere else, or sealed with other keys.</summary>
    public static byte[]? Open(ReadOnlySpan<byte> whole, SnapshotPlace place, byte[] nameKey, IReadOnlyList<SubjectKey> keys)
    {
        if (whole.Length < SealedText.NonceBytes + SealedText.TagBytes) return null;
        var json = new byte[whole.Length - SealedText.NonceBytes - SealedText.TagBytes];
        using var cipher = Cipher(place, nameKey, keys);
        try
        {
            cipher.Decrypt(whole[..SealedText.NonceBytes], whole.Slice(SealedText.NonceBytes, json.Length), whole[(SealedText.NonceBytes + json.Length)..], json, Along(place, keys));
            return json;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static AesGcm Cipher(SnapshotPlace place, byte[] nameKey, IReadOnlyList<SubjectKey> keys)
    {
        var together = new byte[(keys.Count + 1) * MasterKeys.KeyBytes];
        nameKey.CopyTo(together, 0);
        for (var i = 0; i < keys.Count; i++) keys[i].Key.CopyTo(together, (i + 1) * MasterKeys.KeyBytes);
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, together, MasterKeys.KeyBytes, info: place.Bytes);
        CryptographicOperations.ZeroMemory(together);
        var cipher = new AesGcm(key, SealedText.TagBytes);
        CryptographicOperations.ZeroMemory(key);
        return cipher;
    }

    private static byte[] Along(SnapshotPlace place, IReadOnlyList<SubjectKey> keys) => [.. place.Bytes, 0, .. Encoding.ASCII.GetBytes(string.Join(',', keys.Select(k => k.KeyId)))];
}
