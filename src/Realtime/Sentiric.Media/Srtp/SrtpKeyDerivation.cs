namespace Sentiric.Media;

/// <summary>Session keys out of a master key (RFC 3711 4.3, with a derivation rate of zero: once).</summary>
internal static class SrtpKeyDerivation
{
    public const byte RtpCipher = 0, RtpAuthentication = 1, RtpSalt = 2, RtcpCipher = 3, RtcpAuthentication = 4, RtcpSalt = 5;
    private const int LabelAt = 7; // key_id is label and a 48-bit index, right-aligned in the 112 bits of the salt

    /// <summary>Salts of 96 bits (RFC 7714 11) are filled up with zeros on the right.</summary>
    public static byte[] Derive(SrtpKey key, byte label, int length)
    {
        Span<byte> block = stackalloc byte[AesCounter.BlockBytes];
        block.Clear();
        key.Salt.CopyTo(block);
        block[LabelAt] ^= label;
        var derived = new byte[length];
        using var counter = new AesCounter(key.Master);
        counter.Apply(block, derived, derived);
        return derived;
    }
}
