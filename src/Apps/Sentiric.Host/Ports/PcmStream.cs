using System.Buffers;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sentiric.Host.Ports;

/// <summary>PCM S16LE over HTTP bodies: chunks go out as they come and are read back in whole samples.</summary>
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

    public static async IAsyncEnumerable<ReadOnlyMemory<short>> ReadAsync(Stream body, [EnumeratorCancellation] CancellationToken ct)
    {
        var buffer = new byte[ReadBytes];
        var kept = 0;
        while (await body.ReadAsync(buffer.AsMemory(kept), ct) is var read and > 0)
        {
            var whole = (kept + read) & ~1;
            if (whole > 0)
            {
                yield return MemoryMarshal.Cast<byte, short>(buffer.AsSpan(0, whole)).ToArray();
            }

            kept = kept + read - whole;
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

    /// <summary>A request body that streams while it is produced.</summary>
    public sealed class Content : HttpContent
    {
        private readonly IAsyncEnumerable<ReadOnlyMemory<short>> _pcm;

        public Content(IAsyncEnumerable<ReadOnlyMemory<short>> pcm)
        {
            _pcm = pcm;
            Headers.ContentType = new(ContentType);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => WriteAsync(stream, _pcm, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            WriteAsync(stream, _pcm, cancellationToken);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
