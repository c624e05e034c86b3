using System.Security.Cryptography;

namespace Sentiric.Media;

/// <summary>The audio file inside a sealed recording: head, then the records in order. Opens one record at a time. Not thread-safe.</summary>
internal sealed class SealedContent : Stream
{
    private readonly Stream file;
    private readonly SealedIndex index;
    private readonly SealedRecords records;
    private readonly byte[] head;
    private byte[] plain = [], sealedBytes = [];
    private int opened = -1;
    private long position;

    public SealedContent(Stream file, byte[] key, SealedIndex index)
    {
        (this.file, this.index) = (file, index);
        records = new SealedRecords(key, index.Start);
        head = index.Info.IsComplete ? OpenRecord(index.Records.Count - 1).ToArray() : HeadOfCut();
    }

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => head.Length + index.AudioBytes;

    public override long Position
    {
        get => position;
        set => position = Math.Max(0, value);
    }

    public override int Read(Span<byte> buffer)
    {
        if (position >= Length || buffer.IsEmpty) return 0;
        var source = position < head.Length ? head.AsSpan((int)position) : Rest(position - head.Length);
        var count = Math.Min(buffer.Length, source.Length);
        source[..count].CopyTo(buffer);
        position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer, offset, count));

    public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => position,
        SeekOrigin.End => Length,
        _ => throw new ArgumentOutOfRangeException(nameof(origin)),
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>How many records open, from the first on.</summary>
    public int CountThatOpen()
    {
        var number = 0;
        try
        {
            for (; number < index.Records.Count; number++) OpenRecord(number);
        }
        catch (RecordingTamperedException)
        {
            return number;
        }
        return number;
    }

    /// <summary>Opens every record, so that a key that does not fit changes nothing; answers the head that belongs to them.</summary>
    public byte[] Check()
    {
        for (var number = 0; number < index.Records.Count; number++) OpenRecord(number);
        return head;
    }

    protected override void Dispose(bool disposing)
    {
        records.Dispose();
        file.Dispose();
        CryptographicOperations.ZeroMemory(plain);
        base.Dispose(disposing);
    }

    private byte[] HeadOfCut() => index.Info.Format switch
    {
        RecordingFormat.Wav => WavHeader.Make(CallRecording.Channels, Tone.SampleRate, index.AudioBytes),
        RecordingFormat.Flac => FlacEncoder.HeadOfCut(index.Samples),
    };

    private Span<byte> Rest(long audioAt)
    {
        var record = Find(audioAt);
        return OpenRecord(record)[(int)(audioAt - index.Records[record].PlainAt)..];
    }

    // The last record that begins at or before the position.
    private int Find(long audioAt)
    {
        var (low, high) = (0, index.Records.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (index.Records[middle].PlainAt <= audioAt && !index.Records[middle].IsEnd) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    private Span<byte> OpenRecord(int number)
    {
        var record = index.Records[number];
        if (number == opened) return plain.AsSpan(0, record.Bytes);
        var size = SealedRecords.HeaderBytes + record.Bytes + SealedRecords.TagBytes;
        if (sealedBytes.Length < size) (sealedBytes, plain) = (new byte[size], new byte[size]);
        file.Position = record.At;
        file.ReadExactly(sealedBytes, 0, size);
        var header = sealedBytes.AsSpan(0, SealedRecords.HeaderBytes);
        var rest = sealedBytes.AsSpan(SealedRecords.HeaderBytes, size - SealedRecords.HeaderBytes);
        if (!records.TryOpen(number, header, rest[..record.Bytes], rest[record.Bytes..], plain))
        {
            throw new RecordingTamperedException($"Record {number} of the recording does not open: it was changed, or the key is not the right one.");
        }
        opened = number;
        return plain.AsSpan(0, record.Bytes);
    }
}
