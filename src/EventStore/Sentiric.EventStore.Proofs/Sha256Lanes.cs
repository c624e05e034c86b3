using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sentiric.EventStore.Proofs;

/// <summary>
/// SHA-256 (FIPS 180-4) of eight messages at once: each vector holds the same word of eight messages, one a lane. A message that ends leaves its lane to
/// the next one, so messages of unlike length keep all lanes busy. One step costs about as much as one and a half blocks of the library and does eight.
/// Needs AVX2; with AVX-512VL the rotations are one instruction. Owned by one thread.
/// </summary>
internal sealed class Sha256Lanes
{
    public const int BlockBytes = 64;

    private const int Lanes = 8;
    private const int Words = 8;
    private const int Rounds = 64;

    /// <summary>FIPS 180-4 section 4.2.2.</summary>
    private static readonly uint[] K =
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    /// <summary>FIPS 180-4 section 5.3.3.</summary>
    private static readonly uint[] Initial = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

    private static readonly Vector256<byte> BigEndian = Vector256.Create(
        (byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16, 23, 22, 21, 20, 27, 26, 25, 24, 31, 30, 29, 28);

    private readonly Vector256<uint>[] _state = new Vector256<uint>[Words];
    private readonly Vector256<uint>[] _schedule = new Vector256<uint>[Rounds];

    // Of each lane: which message it works at, where its next block begins, how many are left.
    private readonly int[] _message = new int[Lanes];
    private readonly int[] _at = new int[Lanes];
    private readonly int[] _left = new int[Lanes];

    public static bool IsSupported => Avx2.IsSupported;

    /// <summary>Hashes messages that are padded to whole blocks (FIPS 180-4 section 5.1.1); their hashes go one behind the other into <paramref name="hashes"/>.</summary>
    public void Hash(ReadOnlySpan<byte> padded, ReadOnlySpan<(int At, int Blocks)> messages, Span<byte> hashes)
    {
        var next = 0;
        for (var lane = 0; lane < Lanes; lane++) Take(lane, messages, ref next);
        for (var open = messages.Length; open > 0;)
        {
            Compress(padded);
            for (var lane = 0; lane < Lanes; lane++)
            {
                if (_left[lane] == 0) continue;
                _at[lane] += BlockBytes;
                if (--_left[lane] > 0) continue;
                Finish(lane, hashes);
                Take(lane, messages, ref next);
                open--;
            }
        }
    }

    // A lane without a message works at the first block again; nobody reads what comes of it.
    private void Take(int lane, ReadOnlySpan<(int At, int Blocks)> messages, ref int next)
    {
        (_message[lane], _at[lane], _left[lane]) = next < messages.Length ? (next, messages[next].At, messages[next].Blocks) : (0, 0, 0);
        next++;
        var state = StateWords();
        for (var word = 0; word < Words; word++) state[word * Lanes + lane] = Initial[word];
    }

    private void Finish(int lane, Span<byte> hashes)
    {
        var hash = hashes.Slice(_message[lane] * AuditHash.Size, AuditHash.Size);
        var state = StateWords();
        for (var word = 0; word < Words; word++) BinaryPrimitives.WriteUInt32BigEndian(hash[(word * sizeof(uint))..], state[word * Lanes + lane]);
    }

    private Span<uint> StateWords() => MemoryMarshal.Cast<Vector256<uint>, uint>(_state.AsSpan());

    /// <summary>One block of every lane, FIPS 180-4 section 6.2.2. Compiled at once: unoptimised vectors are fifty times slower, and a short run would see nothing else.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Compress(ReadOnlySpan<byte> padded)
    {
        ref var schedule = ref MemoryMarshal.GetArrayDataReference(_schedule);
        ref var constants = ref MemoryMarshal.GetArrayDataReference(K);
        Load(padded, 0, ref schedule);
        Load(padded, BlockBytes / 2, ref Unsafe.Add(ref schedule, Lanes));
        for (var t = 16; t < Rounds; t++)
        {
            Unsafe.Add(ref schedule, t) = SmallSigma1(Unsafe.Add(ref schedule, t - 2)) + Unsafe.Add(ref schedule, t - 7)
                + SmallSigma0(Unsafe.Add(ref schedule, t - 15)) + Unsafe.Add(ref schedule, t - 16);
        }
        var (a, b, c, d, e, f, g, h) = (_state[0], _state[1], _state[2], _state[3], _state[4], _state[5], _state[6], _state[7]);
        for (var t = 0; t < Rounds; t += Words)
        {
            ref var w = ref Unsafe.Add(ref schedule, t);
            ref var k = ref Unsafe.Add(ref constants, t);
            Round(a, b, c, ref d, e, f, g, ref h, w + Vector256.Create(k));
            Round(h, a, b, ref c, d, e, f, ref g, Unsafe.Add(ref w, 1) + Vector256.Create(Unsafe.Add(ref k, 1)));
            Round(g, h, a, ref b, c, d, e, ref f, Unsafe.Add(ref w, 2) + Vector256.Create(Unsafe.Add(ref k, 2)));
            Round(f, g, h, ref a, b, c, d, ref e, Unsafe.Add(ref w, 3) + Vector256.Create(Unsafe.Add(ref k, 3)));
            Round(e, f, g, ref h, a, b, c, ref d, Unsafe.Add(ref w, 4) + Vector256.Create(Unsafe.Add(ref k, 4)));
            Round(d, e, f, ref g, h, a, b, ref c, Unsafe.Add(ref w, 5) + Vector256.Create(Unsafe.Add(ref k, 5)));
            Round(c, d, e, ref f, g, h, a, ref b, Unsafe.Add(ref w, 6) + Vector256.Create(Unsafe.Add(ref k, 6)));
            Round(b, c, d, ref e, f, g, h, ref a, Unsafe.Add(ref w, 7) + Vector256.Create(Unsafe.Add(ref k, 7)));
        }
        _state[0] += a;
        _state[1] += b;
        _state[2] += c;
        _state[3] += d;
        _state[4] += e;
        _state[5] += f;
        _state[6] += g;
        _state[7] += h;
    }

    /// <summary>Half a block of every lane, eight words each, turned so that a vector holds one word of all lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Load(ReadOnlySpan<byte> padded, int offset, ref Vector256<uint> words)
    {
        var (r0, r1, r2, r3) = (Row(padded, 0, offset), Row(padded, 1, offset), Row(padded, 2, offset), Row(padded, 3, offset));
        var (r4, r5, r6, r7) = (Row(padded, 4, offset), Row(padded, 5, offset), Row(padded, 6, offset), Row(padded, 7, offset));
        var (p0, p1, p2, p3) = (Avx2.UnpackLow(r0, r1), Avx2.UnpackHigh(r0, r1), Avx2.UnpackLow(r2, r3), Avx2.UnpackHigh(r2, r3));
        var (p4, p5, p6, p7) = (Avx2.UnpackLow(r4, r5), Avx2.UnpackHigh(r4, r5), Avx2.UnpackLow(r6, r7), Avx2.UnpackHigh(r6, r7));
        var (q0, q1, q2, q3) = (Low(p0, p2), High(p0, p2), Low(p1, p3), High(p1, p3));
        var (q4, q5, q6, q7) = (Low(p4, p6), High(p4, p6), Low(p5, p7), High(p5, p7));
        words = Avx2.Permute2x128(q0, q4, 0x20);
        Unsafe.Add(ref words, 1) = Avx2.Permute2x128(q1, q5, 0x20);
        Unsafe.Add(ref words, 2) = Avx2.Permute2x128(q2, q6, 0x20);
        Unsafe.Add(ref words, 3) = Avx2.Permute2x128(q3, q7, 0x20);
        Unsafe.Add(ref words, 4) = Avx2.Permute2x128(q0, q4, 0x31);
        Unsafe.Add(ref words, 5) = Avx2.Permute2x128(q1, q5, 0x31);
        Unsafe.Add(ref words, 6) = Avx2.Permute2x128(q2, q6, 0x31);
        Unsafe.Add(ref words, 7) = Avx2.Permute2x128(q3, q7, 0x31);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<uint> Row(ReadOnlySpan<byte> padded, int lane, int offset) =>
        Avx2.Shuffle(Vector256.Create(padded.Slice(_at[lane] + offset, Vector256<byte>.Count)), BigEndian).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Low(Vector256<uint> one, Vector256<uint> other) => Avx2.UnpackLow(one.AsUInt64(), other.AsUInt64()).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> High(Vector256<uint> one, Vector256<uint> other) => Avx2.UnpackHigh(one.AsUInt64(), other.AsUInt64()).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(
        Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, ref Vector256<uint> d, Vector256<uint> e, Vector256<uint> f, Vector256<uint> g, ref Vector256<uint> h, Vector256<uint> word)
    {
        // Ch(e, f, g) and Maj(a, b, c) of FIPS 180-4 section 4.1.2, each with one operation less.
        var one = h + word + (Rotate(e, 6) ^ Rotate(e, 11) ^ Rotate(e, 25)) + (g ^ (e & (f ^ g)));
        d += one;
        h = one + (Rotate(a, 2) ^ Rotate(a, 13) ^ Rotate(a, 22)) + ((a & b) | (c & (a | b)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> SmallSigma0(Vector256<uint> x) => Rotate(x, 7) ^ Rotate(x, 18) ^ (x >>> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> SmallSigma1(Vector256<uint> x) => Rotate(x, 17) ^ Rotate(x, 19) ^ (x >>> 10);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rotate(Vector256<uint> x, [System.Diagnostics.CodeAnalysis.ConstantExpected] byte by) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(x, by) : (x >>> by) | (x << (32 - by));
}
