using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Sentiric.EventStore;

/// <summary>
/// The form of a sealed text, an ordinary JSON string:
/// <code>
///   §1.  16 characters  .  base64url( nonce 12 | ciphertext | tag 16 )     sealed with the data key of that id, AES-256-GCM (NIST SP 800-38D)
///   §0.  text                                                               a text that itself began with §, taken as it is
/// </code>
/// What is authenticated along: tenant, stream, event id and the path of the member, so a sealed text opens only where it was put.
/// Nonces are random: with 96 bits a key may seal 2^32 texts (SP 800-38D 8.3), far beyond what one person says.
/// </summary>
internal static class SealedText
{
    public const int NonceBytes = 12;
    public const int TagBytes = 16;
    public const int KeyIdLength = 16;
    private const int KeyIdBytes = 12;
    private const int DataAt = 3 + KeyIdLength + 1;

    public static ReadOnlySpan<byte> Mark => "§"u8;

    public static ReadOnlySpan<byte> SealedMark => "§1."u8;

    public static ReadOnlySpan<byte> EscapeMark => "§0."u8;

    public static string NewKeyId() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(KeyIdBytes));

    public static string Seal(AesGcm key, string keyId, string text, ReadOnlySpan<byte> where)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var whole = new byte[NonceBytes + plain.Length + TagBytes];
        RandomNumberGenerator.Fill(whole.AsSpan(0, NonceBytes));
        key.Encrypt(whole.AsSpan(0, NonceBytes), plain, whole.AsSpan(NonceBytes, plain.Length), whole.AsSpan(NonceBytes + plain.Length), where);
        CryptographicOperations.ZeroMemory(plain);
        return string.Concat("§1.", keyId, ".", Base64Url.EncodeToString(whole));
    }

    /// <summary>Null when it does not open: changed, or put somewhere else.</summary>
    public static string? Open(AesGcm key, string sealedText, ReadOnlySpan<byte> where)
    {
        var whole = Base64Url.DecodeFromChars(sealedText.AsSpan(DataAt));
        var plain = new byte[whole.Length - NonceBytes - TagBytes];
        try
        {
            key.Decrypt(whole.AsSpan(0, NonceBytes), whole.AsSpan(NonceBytes, plain.Length), whole.AsSpan(NonceBytes + plain.Length), plain, where);
            return Encoding.UTF8.GetString(plain);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The id of the key, when the text has the form of a sealed one.</summary>
    public static string? KeyIdOf(string text) =>
        text.Length > DataAt && text.StartsWith("§1.", StringComparison.Ordinal) && text[DataAt - 1] == '.'
        && Base64Url.IsValid(text.AsSpan(3, KeyIdLength)) && Base64Url.IsValid(text.AsSpan(DataAt), out var bytes) && bytes >= NonceBytes + TagBytes
            ? text.Substring(3, KeyIdLength)
            : null;

    /// <summary>A text of the application that looks like one of ours is marked, and unmarked when it is read (<see cref="JsonOpening"/>).</summary>
    public static string Escape(string text) => text.StartsWith('§') ? "§0." + text : text;
}
