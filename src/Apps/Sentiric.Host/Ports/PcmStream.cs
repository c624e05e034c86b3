using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sentiric.Host.Ports;

/// <summary>PCM S16LE as bytes: chunks go out as they come and are read back in whole samples.</summary>
public static class PcmStream
{
    public const string ContentType = "audio/L16";
    private const int ReadBytes = 8 * 1024;

    public static async Task WriteAsync(Stream body, IAsyncEnumerable<ReadOnlyMemory<short>> pcm, CancellationToken ct)
    {
        await foreach (var chunk in pcm.WithCancellation(ct))
        {
            await WriteAsync(body, chunk, ct);
            await body.FlushAsync(ct);
        }
    }

    /// <summary>Samples as they come.</summary>
    /// <param name="read">Fills a part of the buffer; 0 is the end.</param>
    public static async IAsyncEnumerable<ReadOnlyMemory<short>> ReadAsync(
        Func<Memory<byte>, CancellationToken, ValueTask<int>> read, [EnumeratorCancellation] CancellationToken ct)
    {
        var buffer = new byte[ReadBytes];
        var kept = 0;
        while (await read(buffer.AsMemory(kept), ct) is var count and > 0)
        {
            var whole = (kept + count) & ~1;
            if (whole > 0)
            {
                yield return MemoryMarshal.Cast<byte, short>(buffer.AsSpan(0, whole)).ToArray();
            }

            kept = kept + count - whole;
            buffer[0] = kept == 1 ? buffer[whole] : buffer[0];
        }
    }

    private static async Task WriteAsync(Stream body, ReadOnlyMemory<short> chunk, CancellationToken ct)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(chunk.Length * 2);
        try
        {
            MemoryMarshal.AsBytes(chunk.Span).CopyTo(bytes);
            await body.WriteAsync(bytes.AsMemory(0, chunk.Length * 2), ct);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
