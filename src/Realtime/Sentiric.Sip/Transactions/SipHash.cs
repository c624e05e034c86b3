using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Sentiric.Sip;

/// <summary>
/// SipHash-2-4 with 128 bits (Aumasson and Bernstein 2012): a keyed hash for short texts. Whoever does not know the key cannot make two
/// texts meet, and by chance they meet once in 2^64 texts.
/// </summary>
internal static class SipHash
{
    public static (ulong Low, ulong High) Of(ReadOnlySpan<byte> text, ulong key0, ulong key1)
    {
        ulong v0 = key0 ^ 0x736F6D6570736575, v1 = key1 ^ 0x646F72616E646F6D ^ 0xEE, v2 = key0 ^ 0x6C7967656E657261, v3 = key1 ^ 0x7465646279746573;
        ulong last = (ulong)text.Length << 56;
        for (; text.Length >= sizeof(ulong); text = text[sizeof(ulong)..])
        {
            Word(BinaryPrimitives.ReadUInt64LittleEndian(text), ref v0, ref v1, ref v2, ref v3);
        }

        for (int i = 0; i < text.Length; i++)
        {
            last |= (ulong)text[i] << (8 * i);
        }

        Word(last, ref v0, ref v1, ref v2, ref v3);
        v2 ^= 0xEE;
        Rounds(4, ref v0, ref v1, ref v2, ref v3);
        ulong low = v0 ^ v1 ^ v2 ^ v3;
        v1 ^= 0xDD;
        Rounds(4, ref v0, ref v1, ref v2, ref v3);
        return (low, v0 ^ v1 ^ v2 ^ v3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Word(ulong word, ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v3 ^= word;
        Rounds(2, ref v0, ref v1, ref v2, ref v3);
        v0 ^= word;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Rounds(int count, ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        for (; count > 0; count--)
        {
            v0 += v1;
            v2 += v3;
            v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
            v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
            v0 = BitOperations.RotateLeft(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
            v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
            v2 = BitOperations.RotateLeft(v2, 32);
        }
    }
}
