using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sentiric.Sip;

/// <summary>
/// Finds the line ends of a message, 64 bytes at a time. It gives up on a CR without LF or an LF without CR: who needs to know
/// why reads the message line by line.
/// </summary>
internal ref struct SipLineScanner(ReadOnlySpan<byte> text)
{
    private const int Block = 64;
    private static readonly Vector256<byte> LineFeed = Vector256.Create((byte)'\n');
    private static readonly Vector256<byte> CarriageReturn = Vector256.Create((byte)'\r');

    private readonly ReadOnlySpan<byte> text = text;

    /// <summary>Line feeds of the block that were not given yet, one bit a byte.</summary>
    private ulong lineFeeds;

    /// <summary>1 when the last byte of the block before is a CR.</summary>
    private ulong carried;
    private int blockStart = -Block;

    /// <summary>Where the next CRLF stands; false when there is none, or before it a lone CR or LF.</summary>
    public bool TryNext(out int end)
    {
        while (lineFeeds == 0)
        {
            if (!TryLoad())
            {
                end = 0;
                return false;
            }
        }

        end = blockStart + BitOperations.TrailingZeroCount(lineFeeds) - 1;
        lineFeeds &= lineFeeds - 1;
        return true;
    }

    private bool TryLoad()
    {
        blockStart += Block;
        int left = text.Length - blockStart;
        if (left >= Block)
        {
            return TryLoad(text.Slice(blockStart, Block));
        }

        if (left <= 0)
        {
            return false;
        }

        Span<byte> last = stackalloc byte[Block];
        last.Clear();
        text[blockStart..].CopyTo(last);
        return TryLoad(last);
    }

    private bool TryLoad(scoped ReadOnlySpan<byte> block)
    {
        ref byte first = ref MemoryMarshal.GetReference(block);
        Vector256<byte> low = Vector256.LoadUnsafe(ref first), high = Vector256.LoadUnsafe(ref first, (nuint)Vector256<byte>.Count);
        ulong returns = Mask(low, high, CarriageReturn);
        lineFeeds = Mask(low, high, LineFeed);
        bool paired = lineFeeds == ((returns << 1) | carried);
        carried = returns >> (Block - 1);
        return paired;
    }

    private static ulong Mask(Vector256<byte> low, Vector256<byte> high, Vector256<byte> wanted) =>
        Vector256.Equals(low, wanted).ExtractMostSignificantBits() | ((ulong)Vector256.Equals(high, wanted).ExtractMostSignificantBits() << Vector256<byte>.Count);
}
