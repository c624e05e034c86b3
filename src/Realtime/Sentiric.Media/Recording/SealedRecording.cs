using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Sentiric.Media;

/// <summary>What can be said of a sealed recording without its key.</summary>
/// <param name="IsComplete">False when the process died while it recorded.</param>
/// <param name="WholeBytes">Up to here records are whole; behind it is the rest of a cut write.</param>
public sealed record SealedRecordingInfo(RecordingFormat Format, string Envelope, bool IsComplete, int Records, long WholeBytes);

/// <summary>A sealed recording was changed since it was written, or the key is another one's.</summary>
public sealed class RecordingTamperedException(string message) : IOException(message);

/// <summary>
/// Reads sealed recordings: without the key what lies open, with it the audio as a file in the clear, from any position on.
/// </summary>
public sealed class SealedRecording : IDisposable
{
    private readonly SealedContent content;

    private SealedRecording(SealedRecordingInfo info, SealedContent content) => (Info, this.content) = (info, content);

    public SealedRecordingInfo Info { get; }

    /// <summary>The WAV or FLAC file; seekable. Throws <see cref="RecordingTamperedException"/> where a record does not open.</summary>
    public Stream Content => content;

    /// <summary>Null when the file is no sealed recording.</summary>
    public static SealedRecordingInfo? Look(Stream file) => Index(file) is { } index ? index.Info : null;

    /// <summary>Whether the file ends as a finished one does: one look at its end, where <see cref="Look"/> reads all of it.</summary>
    public static bool HasEnd(Stream file)
    {
        Span<byte> header = stackalloc byte[SealedRecords.HeaderBytes];
        foreach (var headBytes in new[] { WavHeader.Size, FlacEncoder.HeadSize })
        {
            var at = file.Length - headBytes - SealedRecords.HeaderBytes - SealedRecords.TagBytes;
            if (at < SealedRecords.StartBytes) continue;
            file.Position = at;
            file.ReadExactly(header);
            if (header[0] == SealedRecords.End && BinaryPrimitives.ReadInt32BigEndian(header[1..]) == headBytes) return true;
        }
        return false;
    }

    /// <summary>
    /// Throws <see cref="InvalidDataException"/> for anything but a sealed recording, and <see cref="RecordingTamperedException"/> when the key does not open its end.
    /// The stream belongs to the result.
    /// </summary>
    public static SealedRecording Open(Stream file, byte[] key)
    {
        if (Index(file) is not { } index) throw new InvalidDataException("Not a sealed recording.");
        return new SealedRecording(index.Info, new SealedContent(file, key, index));
    }

    /// <summary>
    /// Makes a file whole whose process died: the rest of a cut write goes away, the end with the true head is added. Answers how much audio is in it.
    /// Doing it twice is quiet. Throws <see cref="RecordingTamperedException"/> when the key does not fit.
    /// </summary>
    public static RecordingResult Repair(string path, byte[] key)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        if (Index(file) is not { } index) throw new InvalidDataException($"{path} is not a sealed recording.");
        if (!index.Info.IsComplete)
        {
            index = CutTo(file, key, index);
            byte[] head;
            using (var content = new SealedContent(new Borrowed(file), key, index)) head = content.Check();
            using var records = new SealedRecords(key, index.Start, index.Info.Records);
            file.Position = file.Length;
            file.Write(records.Seal(SealedRecords.End, head, 0));
            file.Flush(flushToDisk: true);
        }
        using var reader = Open(new Borrowed(file), key);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(reader.Content));
        return new RecordingResult(path, index.Samples / (Tone.SampleRate / 1_000), reader.Content.Length, sha256, 0, null);
    }

    public void Dispose() => content.Dispose();

    internal static SealedIndex? Index(Stream file)
    {
        file.Position = 0;
        Span<byte> fixedPart = stackalloc byte[SealedRecords.StartBytes];
        if (file.ReadAtLeast(fixedPart, fixedPart.Length, throwOnEndOfStream: false) < fixedPart.Length || !fixedPart.StartsWith(SealedRecords.Magic)) return null;
        var envelopeBytes = BinaryPrimitives.ReadUInt16BigEndian(fixedPart[10..]);
        if (fixedPart[8] > (byte)RecordingFormat.Flac || envelopeBytes > SealedRecords.MaxEnvelope) return null;
        var start = new byte[fixedPart.Length + envelopeBytes];
        fixedPart.CopyTo(start);
        if (file.ReadAtLeast(start.AsSpan(fixedPart.Length), envelopeBytes, throwOnEndOfStream: false) < envelopeBytes) return null;
        return Walk(file, start, (RecordingFormat)fixedPart[8], Encoding.UTF8.GetString(start.AsSpan(fixedPart.Length)));
    }

    // Power that failed may leave a record of the right length with the wrong bytes: the last one counts only if it opens. Any other that does not open was
    // changed by somebody, or the key is wrong, and nothing is cut.
    private static SealedIndex CutTo(FileStream file, byte[] key, SealedIndex index)
    {
        using (var content = new SealedContent(new Borrowed(file), key, index))
        {
            var opens = content.CountThatOpen();
            if (opens < index.Records.Count && (opens == 0 || opens < index.Records.Count - 1)) throw new RecordingTamperedException($"Record {opens} of the recording does not open.");
            file.SetLength(opens < index.Records.Count ? index.Records[opens].At : index.Info.WholeBytes);
        }
        return Index(file) ?? throw new InvalidDataException("Not a sealed recording.");
    }

    private static SealedIndex Walk(Stream file, byte[] start, RecordingFormat format, string envelope)
    {
        var (records, length) = (new List<SealedIndex.Record>(), file.Length);
        var (at, plainAt, samples, isComplete) = ((long)start.Length, 0L, 0L, false);
        Span<byte> header = stackalloc byte[SealedRecords.HeaderBytes];
        while (!isComplete && length - at >= SealedRecords.HeaderBytes + SealedRecords.TagBytes)
        {
            file.Position = at;
            file.ReadExactly(header);
            var bytes = BinaryPrimitives.ReadInt32BigEndian(header[1..]);
            var next = at + SealedRecords.HeaderBytes + bytes + SealedRecords.TagBytes;
            if (bytes is < 0 or > SealedRecords.MaxPlain || header[0] is not (SealedRecords.Audio or SealedRecords.End) || next > length) break;
            isComplete = header[0] == SealedRecords.End;
            records.Add(new SealedIndex.Record(at, plainAt, bytes, isComplete));
            samples += BinaryPrimitives.ReadInt32BigEndian(header[5..]);
            if (!isComplete) plainAt += bytes;
            at = next;
        }
        return new SealedIndex(new SealedRecordingInfo(format, envelope, isComplete, records.Count, at), start, records, plainAt, samples);
    }

    /// <summary>A stream that whoever borrows it may not close.</summary>
    private sealed class Borrowed(Stream inner) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => true;
        public override bool CanWrite => false;
        public override long Length => inner.Length;
        public override long Position { get => inner.Position; set => inner.Position = value; }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);
        public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);
        public override void Flush() => inner.Flush();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}

/// <summary>Where each record of a sealed file lies.</summary>
internal sealed record SealedIndex(SealedRecordingInfo Info, byte[] Start, List<SealedIndex.Record> Records, long AudioBytes, long Samples)
{
    /// <param name="At">Of its head in the file.</param>
    /// <param name="PlainAt">Of its first byte in the audio, behind the head.</param>
    public readonly record struct Record(long At, long PlainAt, int Bytes, bool IsEnd);
}
