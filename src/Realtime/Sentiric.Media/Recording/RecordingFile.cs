using System.Buffers;
using System.Security.Cryptography;

namespace Sentiric.Media;

/// <summary>A stretch of a recording's file that will not change any more.</summary>
/// <param name="Number">From 0.</param>
/// <param name="Offset">Of its first byte in the file; the stretches follow each other without gaps.</param>
/// <param name="Sha256">Lower-case hex of those bytes of the file as it lies there: whoever has no key can check it, too.</param>
public sealed record RecordingSegment(int Number, long FromMs, long DurationMs, long Offset, long Bytes, string Sha256);

/// <summary>
/// Where the bytes of a recording go, and their segments. Owned by the writer thread, and by one task that finishes it.
/// <code> samples ─► encoder (WAV, FLAC) ─► file: as it is, or sealed ─► disk, SHA-256 per segment </code>
/// </summary>
internal abstract class RecordingFile : IDisposable
{
    private readonly IRecordingEncoder encoder;
    private readonly ArrayBufferWriter<byte> encoded = new(64 * 1024);
    private readonly IncrementalHash segmentHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<RecordingSegment> segments = [];
    private long segmentOffset, segmentFromMs, audioBytes, samples;

    protected RecordingFile(string path, RecordingFormat format)
    {
        encoder = format.NewEncoder();
        File = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
    }

    /// <summary>Segments that are closed; grows until the end.</summary>
    public IReadOnlyList<RecordingSegment> Segments => segments;

    public long Length => File.Length;

    protected FileStream File { get; }

    /// <summary>Adds samples; what was encoded is on disk when this returns. Throws <see cref="IOException"/>.</summary>
    public void Write(ReadOnlySpan<short> interleaved)
    {
        encoder.Encode(interleaved, encoded);
        WriteEncoded();
    }

    /// <summary>Closes a segment that ends at this moment of the recording.</summary>
    public void EndSegment(long atMs)
    {
        var bytes = File.Length - segmentOffset;
        if (bytes == 0) return;
        segments.Add(new RecordingSegment(
            segments.Count, segmentFromMs, atMs - segmentFromMs, segmentOffset, bytes, Convert.ToHexStringLower(segmentHash.GetHashAndReset())));
        (segmentOffset, segmentFromMs) = (File.Length, atMs);
    }

    /// <summary>A player can read along, and after a crash only little needs the repair.</summary>
    public virtual void Checkpoint()
    {
    }

    /// <summary>Writes what is left, the true head, and the last segment.</summary>
    public void Finish(long atMs)
    {
        encoder.Flush(encoded);
        WriteEncoded();
        WriteEnd(encoder.Head(audioBytes));
        EndSegment(atMs);
        File.Flush(flushToDisk: true);
    }

    /// <summary>SHA-256 and length of what a listener gets: the file in the clear, head first.</summary>
    public abstract (string Sha256, long Bytes) Content();

    public void Dispose()
    {
        File.Dispose();
        segmentHash.Dispose();
        (encoder as IDisposable)?.Dispose();
    }

    /// <param name="samples">Per channel, in these bytes.</param>
    protected abstract void WriteAudio(ReadOnlySpan<byte> audio, int samples);

    protected abstract void WriteEnd(ReadOnlySpan<byte> head);

    protected byte[] OpenHead() => encoder.OpenHead(audioBytes);

    /// <summary>Appends bytes that stay as they are.</summary>
    protected void Append(ReadOnlySpan<byte> bytes)
    {
        File.Write(bytes);
        segmentHash.AppendData(bytes);
    }

    /// <summary>The first bytes of a file may be written again; no segment holds them.</summary>
    protected void SkipHead() => segmentOffset = File.Length;

    private void WriteEncoded()
    {
        if (encoded.WrittenCount == 0) return;
        WriteAudio(encoded.WrittenSpan, (int)(encoder.EncodedSamples - samples));
        samples = encoder.EncodedSamples;
        audioBytes += encoded.WrittenCount;
        encoded.ResetWrittenCount();
    }
}

/// <summary>A recording in the clear: any player opens the file.</summary>
internal sealed class ClearRecordingFile : RecordingFile
{
    public ClearRecordingFile(string path, RecordingFormat format)
        : base(path, format)
    {
        File.Write(OpenHead());
        SkipHead();
    }

    public override void Checkpoint() => WriteHead(OpenHead());

    public override (string Sha256, long Bytes) Content()
    {
        File.Position = 0;
        return (Convert.ToHexStringLower(SHA256.HashData(File)), File.Length);
    }

    protected override void WriteAudio(ReadOnlySpan<byte> audio, int samples) => Append(audio);

    protected override void WriteEnd(ReadOnlySpan<byte> head) => WriteHead(head);

    private void WriteHead(ReadOnlySpan<byte> head)
    {
        File.Position = 0;
        File.Write(head);
        File.Position = File.Length;
    }
}
