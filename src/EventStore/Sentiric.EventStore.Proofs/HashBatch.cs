using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Sentiric.EventStore.Proofs;

/// <summary>
/// Many short messages whose hashes are wanted together: they are gathered, and hashed side by side when they are asked for. A call of the library for each
/// costs more than the hashing itself. Where the processor has no such lanes, the library does it, message by message; the hashes are the same.
/// <code>
///   Add, Add, Add ... (until IsFull) -> Run -> the hashes, in the order of the messages; then it is empty again
/// </code>
/// Owned by one thread.
/// </summary>
public sealed class HashBatch
{
    /// <summary>More messages are never gathered.</summary>
    public const int MaxMessages = 1_024;

    /// <summary>Messages may fill this many bytes; only the last one can reach beyond.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const int FirstBytes = 64 * 1024;

    /// <summary>A message this long would keep one lane busy after the others are done; the library is quick with it.</summary>
    private const int LongBlocks = 64;

    /// <summary>Fewer messages do not fill enough lanes.</summary>
    private const int FewMessages = 3;

    // FIPS 180-4 section 5.1.1: one bit, zeros, and the length in bits as eight bytes.
    private const byte EndMark = 0x80;
    private const int PaddingBytes = 1 + sizeof(long);

    private readonly Sha256Lanes? _lanes;
    private readonly byte[] _hashes = new byte[MaxMessages * AuditHash.Size];
    private readonly (int At, int Length)[] _messages = new (int, int)[MaxMessages];
    private readonly (int At, int Blocks)[] _inLanes = new (int, int)[MaxMessages];
    private readonly int[] _ofLane = new int[MaxMessages];
    private readonly byte[] _fromLanes = new byte[MaxMessages * AuditHash.Size];
    private byte[] _bytes = new byte[FirstBytes];
    private int _end;

    public HashBatch()
        : this(Sha256Lanes.IsSupported)
    {
    }

    internal HashBatch(bool useLanes) => _lanes = useLanes ? new Sha256Lanes() : null;

    public int Count { get; private set; }

    /// <summary>Run it before adding more.</summary>
    public bool IsFull => Count == MaxMessages || _end >= MaxBytes;

    /// <summary>Gathers a message that consists of up to three parts, and returns its number.</summary>
    public int Add(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third = default)
    {
        if (IsFull) throw new InvalidOperationException("The batch is full: run it first.");
        var length = first.Length + second.Length + third.Length;
        var padded = Blocks(length) * Sha256Lanes.BlockBytes;
        Reserve(padded);
        var message = _bytes.AsSpan(_end, padded);
        first.CopyTo(message);
        second.CopyTo(message[first.Length..]);
        third.CopyTo(message[(first.Length + second.Length)..]);
        message[length..].Clear();
        message[length] = EndMark;
        BinaryPrimitives.WriteInt64BigEndian(message[^sizeof(long)..], (long)length * 8);
        _messages[Count] = (_end, length);
        _end += padded;
        return Count++;
    }

    /// <summary>A message as it was gathered. Valid until the next message is added, also after <see cref="Run"/>.</summary>
    public ReadOnlySpan<byte> Message(int number) => _bytes.AsSpan(_messages[number].At, _messages[number].Length);

    /// <summary>The hashes of all messages, <see cref="AuditHash.Size"/> bytes each, valid until the next run; the batch is empty then.</summary>
    public ReadOnlySpan<byte> Run()
    {
        var (count, inLanes) = (Count, 0);
        (Count, _end) = (0, 0);
        for (var i = 0; i < count; i++)
        {
            var blocks = Blocks(_messages[i].Length);
            if (_lanes is null || count < FewMessages || blocks >= LongBlocks) SHA256.HashData(Message(i), _hashes.AsSpan(i * AuditHash.Size, AuditHash.Size));
            else (_inLanes[inLanes], _ofLane[inLanes++]) = ((_messages[i].At, blocks), i);
        }
        if (inLanes == count) _lanes?.Hash(_bytes, _inLanes.AsSpan(0, inLanes), _hashes);
        else if (inLanes > 0) Scatter(inLanes);
        return _hashes.AsSpan(0, count * AuditHash.Size);
    }

    private void Scatter(int inLanes)
    {
        _lanes?.Hash(_bytes, _inLanes.AsSpan(0, inLanes), _fromLanes);
        for (var i = 0; i < inLanes; i++) _fromLanes.AsSpan(i * AuditHash.Size, AuditHash.Size).CopyTo(_hashes.AsSpan(_ofLane[i] * AuditHash.Size));
    }

    private void Reserve(int padded)
    {
        if (_end + padded <= _bytes.Length) return;
        Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max((long)_bytes.Length * 2, (long)_end + padded)));
    }

    private static int Blocks(int length) => (length + PaddingBytes + Sha256Lanes.BlockBytes - 1) / Sha256Lanes.BlockBytes;
}
