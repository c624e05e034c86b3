using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Sentiric.Sip;

/// <summary>
/// Random bytes for tags, branches and sequence numbers, from the system's generator. Asking it costs some microseconds whatever the
/// amount, so each thread asks for many at a time; what was given out is wiped.
/// </summary>
internal static class SipRandom
{
    private const int StockBytes = 1_024;

    [ThreadStatic]
    private static byte[]? stock;

    [ThreadStatic]
    private static int left;

    public static void Fill(Span<byte> bytes)
    {
        if (bytes.Length > StockBytes)
        {
            RandomNumberGenerator.Fill(bytes);
            return;
        }

        byte[] held = stock ??= new byte[StockBytes];
        if (left < bytes.Length)
        {
            RandomNumberGenerator.Fill(held);
            left = StockBytes;
        }

        Span<byte> given = held.AsSpan(left - bytes.Length, bytes.Length);
        given.CopyTo(bytes);
        given.Clear();
        left -= bytes.Length;
    }

    public static ulong NextUInt64()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <summary>A first CSeq: below 2^31, so that it can rise for the life of any dialog (RFC 3261 8.1.1.5).</summary>
    public static uint NextSequence() => (uint)(NextUInt64() & 0xFFFFF) + 1;

    public static string Hex(Span<byte> bytes)
    {
        Fill(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
