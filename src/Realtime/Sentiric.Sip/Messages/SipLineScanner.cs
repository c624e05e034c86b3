using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sentiric.Sip;

/// <summary>
/// Finds the lines of a message and the first colon of each, 64 bytes at a time. It gives up on a CR without LF or an LF without CR: who
/// needs to know why reads the message line by line.
/// </summary>
internal ref struct SipLineScanner(ReadOnlySpan<byte> text)
{
    private const int Block = 64;
    private static readonly Vector256<byte> LineFeed = Vector256.Create((byte)'\n');
    private static readonly Vector256<byte> CarriageReturn = Vector256.Create((byte)'\r');
    private static readonly Vector256<byte> Colon = Vector256.Create((byte)':');

    private readonly ReadOnlySpan<byte> text = text;

    /// <summary>Line feeds of the block that were not given yet, one bit a byte.</summary>
    private ulong lineFeeds;

    /// <summary>Its colons beyond the last line feed that was given.</summary>
    private ulong colons;

    /// <summary>1 when the last byte of the block before is a CR.</summary>
    private ulong carried;
    private int blockStart = -Block;

    /// <summary>
    /// Where the next CRLF stands, and the first colon before it, -1 when the line has none; false when there is no CRLF, or before it a lone CR
    /// or LF.
    /// </summary>
    public bool TryNext(out int colon, out int end)
    {
        colon = -1;
        while (lineFeeds == 0)
        {
            colon = colon < 0 && colons != 0 ? blockStart + BitOperations.TrailingZeroCount(colons) : colon;
            if (!TryLoad())
            {
                end = 0;
                return false;
            }
        }

        int lineFeed = BitOperations.TrailingZeroCount(lineFeeds);
        int first = BitOperations.TrailingZeroCount(colons);
        colon = colon < 0 && first < lineFeed ? blockStart + first : colon;
        colons &= ulong.MaxValue << lineFeed;
        lineFeeds &= lineFeeds - 1;
        end = blockStart + lineFeed - 1;
        return true;
    }

    private bool TryLoad()
    {
        blockStart += Block;
        int left = text.Length - blockStart;
        return left >= Block ? TryLoad(ref MemoryMarshal.GetReference(text[blockStart..])) : left > 0 && TryLoadLast(text[blockStart..]);
    }

    private bool TryLoadLast(ReadOnlySpan<byte> rest)
    {
        Span<byte> last = stackalloc byte[Block];
        last.Clear();
        rest.CopyTo(last);
        return TryLoad(ref MemoryMarshal.GetReference(last));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryLoad(scoped ref readonly byte first)
    {
        Vector256<byte> low = Vector256.LoadUnsafe(in first), high = Vector256.LoadUnsafe(in first, (nuint)Vector256<byte>.Count);
        ulong returns = Mask(low, high, CarriageReturn);
        lineFeeds = Mask(low, high, LineFeed);
        colons = Mask(low, high, Colon);
        bool paired = lineFeeds == ((returns << 1) | carried);
        carried = returns >> (Block - 1);
        return paired;
    }

    private static ulong Mask(Vector256<byte> low, Vector256<byte> high, Vector256<byte> wanted) =>
        Vector256.Equals(low, wanted).ExtractMostSignificantBits() | ((ulong)Vector256.Equals(high, wanted).ExtractMostSignificantBits() << Vector256<byte>.Count);
}
