using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sentiric.Sip;

/// <summary>
/// Where the bytes stand that part a header value: controls, blank, quote, comma, DEL and <c>: ; &lt; = &gt; ? @</c>. Values are short, so 64 bytes are
/// looked at once and every part is then found with a few instructions, where a search for each would cost more to begin than to run.
/// </summary>
/// <param name="text">The value.</param>
/// <param name="readable">Bytes from its start that may be read, though those beyond it are not looked at; never less than its length.</param>
internal ref struct SipMarks(ReadOnlySpan<byte> text, int readable)
{
    private const int Window = 64;
    private const byte LastControl = 0x20, Quote = (byte)'"', Comma = (byte)',', Delete = 0x7F, FirstSign = (byte)':', Signs = '@' - ':';

    private readonly ReadOnlySpan<byte> text = text;
    private readonly int readable = readable;

    /// <summary>One bit for each byte from <see cref="start"/> on; the first beyond the text is marked, too.</summary>
    private ulong marks;

    /// <summary>A multiple of the window; none was looked at yet.</summary>
    private int start = -Window;

    /// <summary>The first mark at or after a place within the text; the length of the text when there is none.</summary>
    public int Next(int from)
    {
        int window = from & -Window;
        if (window != start)
        {
            Load(window);
        }

        ulong ahead = marks >> (from & (Window - 1));
        while (ahead == 0)
        {
            from = window += Window;
            Load(window);
            ahead = marks;
        }

        return from + BitOperations.TrailingZeroCount(ahead);
    }

    private void Load(int window)
    {
        start = window;
        int left = text.Length - window;
        marks = readable - window >= Window
            ? Look(ref MemoryMarshal.GetReference(text), (nuint)window)
            : LookAtLast(text[window..]);
        if (left < Window)
        {
            marks = (marks & ((1UL << left) - 1)) | (1UL << left);
        }
    }

    private static ulong LookAtLast(ReadOnlySpan<byte> last)
    {
        Span<byte> copy = stackalloc byte[Window];
        last.CopyTo(copy);
        return Look(ref MemoryMarshal.GetReference(copy), 0);
    }

    private static ulong Look(ref byte first, nuint at) =>
        Look(Vector256.LoadUnsafe(ref first, at)) | ((ulong)Look(Vector256.LoadUnsafe(ref first, at + (nuint)Vector256<byte>.Count)) << Vector256<byte>.Count);

    private static uint Look(Vector256<byte> bytes)
    {
        Vector256<byte> signs = bytes - Vector256.Create(FirstSign);
        return (Vector256.LessThanOrEqual(bytes, Vector256.Create(LastControl))
            | Vector256.LessThanOrEqual(signs, Vector256.Create(Signs))
            | Vector256.Equals(bytes, Vector256.Create(Quote))
            | Vector256.Equals(bytes, Vector256.Create(Comma))
            | Vector256.Equals(bytes, Vector256.Create(Delete))).ExtractMostSignificantBits();
    }
}
