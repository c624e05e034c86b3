using System.Security.Cryptography;

namespace Sentiric.Media;

/// <summary>How media is encrypted and authenticated. Names on the wire: RFC 4568 6.2, RFC 7714 14.2.</summary>
public enum SrtpSuite
{
    AeadAes128Gcm,
    AesCm128HmacSha1Tag80,

    /// <summary>The same with RTP tags of 32 bits; RTCP keeps 80 (RFC 4568 6.2.2).</summary>
    AesCm128HmacSha1Tag32,
}

public static class SrtpSuites
{
    public const int MasterKeyBytes = 16;

    /// <summary>Strongest first: the order of our own offers.</summary>
    public static IReadOnlyList<SrtpSuite> All { get; } = [SrtpSuite.AeadAes128Gcm, SrtpSuite.AesCm128HmacSha1Tag80, SrtpSuite.AesCm128HmacSha1Tag32];

    public static string WireName(this SrtpSuite suite) => suite switch
    {
        SrtpSuite.AeadAes128Gcm => "AEAD_AES_128_GCM",
        SrtpSuite.AesCm128HmacSha1Tag80 => "AES_CM_128_HMAC_SHA1_80",
        SrtpSuite.AesCm128HmacSha1Tag32 => "AES_CM_128_HMAC_SHA1_32",
    };

    /// <summary>RFC 3711 8.2 and RFC 7714 12: 112 and 96 bits.</summary>
    public static int MasterSaltBytes(this SrtpSuite suite) => suite switch
    {
        SrtpSuite.AeadAes128Gcm => 12,
        SrtpSuite.AesCm128HmacSha1Tag80 or SrtpSuite.AesCm128HmacSha1Tag32 => 14,
    };
}

/// <summary>
/// A master key with its salt, for one direction of one leg. Equal when the bytes are: a repeated offer changes nothing.
/// Its text says the suite only, so that no log ever holds a key.
/// </summary>
public sealed class SrtpKey : IEquatable<SrtpKey>
{
    private readonly byte[] bytes;

    private SrtpKey(SrtpSuite suite, byte[] bytes) => (Suite, this.bytes) = (suite, bytes);

    public SrtpSuite Suite { get; }
    internal ReadOnlySpan<byte> Master => bytes.AsSpan(0, SrtpSuites.MasterKeyBytes);
    internal ReadOnlySpan<byte> Salt => bytes.AsSpan(SrtpSuites.MasterKeyBytes);

    /// <summary>A fresh one of the system's random generator.</summary>
    public static SrtpKey Draw(SrtpSuite suite) => new(suite, RandomNumberGenerator.GetBytes(Length(suite)));

    /// <summary>Key and salt one after the other; null when the length is not the suite's.</summary>
    public static SrtpKey? Of(SrtpSuite suite, ReadOnlySpan<byte> keyAndSalt) =>
        keyAndSalt.Length == Length(suite) ? new SrtpKey(suite, keyAndSalt.ToArray()) : null;

    /// <summary>As in SDP (RFC 4568 6.1); null when it is not base64 of the right length.</summary>
    public static SrtpKey? FromBase64(SrtpSuite suite, ReadOnlySpan<char> text)
    {
        Span<byte> decoded = stackalloc byte[64];
        return Convert.TryFromBase64Chars(text, decoded, out var length) ? Of(suite, decoded[..length]) : null;
    }

    public string ToBase64() => Convert.ToBase64String(bytes);

    public bool Equals(SrtpKey? other) => other is not null && other.Suite == Suite && CryptographicOperations.FixedTimeEquals(bytes, other.bytes);

    public override bool Equals(object? obj) => Equals(obj as SrtpKey);

    public override int GetHashCode() => HashCode.Combine(Suite, bytes[0], bytes[1]);

    public override string ToString() => Suite.WireName();

    private static int Length(SrtpSuite suite) => SrtpSuites.MasterKeyBytes + suite.MasterSaltBytes();
}

/// <summary>What offer and answer agreed on: each side chooses the key that it sends with (RFC 4568 5.1).</summary>
public sealed record SrtpPair(SrtpKey Ours, SrtpKey Theirs);
