using System.Security.Cryptography;
using System.Text;

namespace Sentiric.EventStore;

/// <summary>
/// The keys that wrap the data keys of persons. One is current and wraps; the others only unwrap what was wrapped with them before.
/// They live outside the database: whoever has the database alone, or one of its backups, reads nothing personal.
/// </summary>
public sealed class MasterKeys
{
    public const int KeyBytes = 32;
    private const int MaxKeys = 20;
    private const int MaxIdLength = 40;
    private readonly Dictionary<string, byte[]> _keys;

    private MasterKeys(Dictionary<string, byte[]> keys, string current) => (_keys, CurrentId) = (keys, current);

    /// <summary>The id of the key that wraps from now on.</summary>
    public string CurrentId { get; }

    public IReadOnlyCollection<string> Ids => _keys.Keys;

    /// <summary>
    /// One key per line or comma, <c>id:base64</c> with 32 bytes, the current one first; lines that begin with # are comments.
    /// Throws <see cref="MasterKeyException"/>.
    /// </summary>
    public static MasterKeys Parse(string text)
    {
        var keys = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        string? first = null;
        foreach (var line in text.Split(['\n', '\r', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(l => l[0] != '#'))
        {
            var at = line.IndexOf(':', StringComparison.Ordinal);
            var id = at > 0 ? line[..at] : throw new MasterKeyException("A master key has the form 'id:base64'; a line without a colon was found.");
            if (id.Length > MaxIdLength || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
                throw new MasterKeyException($"The id of a master key has 1 to {MaxIdLength} letters, digits, dashes or underscores.");
            if (!keys.TryAdd(id, Bytes(id, line[(at + 1)..]))) throw new MasterKeyException($"The master key '{id}' is given twice.");
            first ??= id;
        }
        if (first is null) throw new MasterKeyException("There is no master key in what was given; one has the form 'id:base64' with 32 bytes.");
        return keys.Count <= MaxKeys ? new MasterKeys(keys, first) : throw new MasterKeyException($"More than {MaxKeys} master keys are given; remove those that wrap nothing.");
    }

    public static MasterKeys FromFile(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new MasterKeyException($"The file of master keys '{path}' cannot be read: {unreadable.Message}", unreadable);
        }
    }

    /// <summary>A line for a file of master keys.</summary>
    public static string NewKey(string id) => $"{id}:{Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes))}";

    /// <summary>Tells one master key from another without telling anything of it.</summary>
    internal string Fingerprint(string id) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(_keys[id], "fingerprint of a master key"u8).AsSpan(0, 16));

    internal bool Has(string id) => _keys.ContainsKey(id);

    /// <summary>A key that is derived from a master key, for something else than wrapping.</summary>
    internal byte[] Derive(string id, string purpose) => HKDF.DeriveKey(HashAlgorithmName.SHA256, _keys[id], KeyBytes, info: Encoding.UTF8.GetBytes(purpose));

    /// <summary>nonce (12) + ciphertext (32) + tag (16); the id of the data key is authenticated along.</summary>
    internal byte[] Wrap(string keyId, ReadOnlySpan<byte> dataKey)
    {
        var wrapped = new byte[SealedText.NonceBytes + KeyBytes + SealedText.TagBytes];
        using var aes = new AesGcm(_keys[CurrentId], SealedText.TagBytes);
        RandomNumberGenerator.Fill(wrapped.AsSpan(0, SealedText.NonceBytes));
        aes.Encrypt(
            wrapped.AsSpan(0, SealedText.NonceBytes), dataKey, wrapped.AsSpan(SealedText.NonceBytes, KeyBytes), wrapped.AsSpan(SealedText.NonceBytes + KeyBytes),
            Encoding.ASCII.GetBytes(keyId));
        return wrapped;
    }

    internal byte[] Unwrap(string masterId, string keyId, ReadOnlySpan<byte> wrapped)
    {
        if (!_keys.TryGetValue(masterId, out var master)) throw new MasterKeyException($"A data key is wrapped with the master key '{masterId}', which is not given.");
        var dataKey = new byte[KeyBytes];
        using var aes = new AesGcm(master, SealedText.TagBytes);
        try
        {
            aes.Decrypt(
                wrapped[..SealedText.NonceBytes], wrapped.Slice(SealedText.NonceBytes, KeyBytes), wrapped[(SealedText.NonceBytes + KeyBytes)..], dataKey,
                Encoding.ASCII.GetBytes(keyId));
            return dataKey;
        }
        catch (Exception wrong) when (wrong is CryptographicException or ArgumentException)
        {
            throw new MasterKeyException($"A data key does not open with the master key '{masterId}': it is another key under the same id, or the row was changed.", wrong);
        }
    }

    private static byte[] Bytes(string id, string base64)
    {
        var key = new byte[KeyBytes + 1];
        return Convert.TryFromBase64String(base64.Trim(), key, out var length) && length == KeyBytes
            ? key[..KeyBytes]
            : throw new MasterKeyException($"The master key '{id}' is not the base64 of {KeyBytes} bytes.");
    }
}
