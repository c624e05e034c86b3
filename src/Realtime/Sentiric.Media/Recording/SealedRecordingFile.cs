using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Sentiric.Media;

/// <summary>What closes a recording.</summary>
/// <param name="Key">32 bytes, for this recording alone: two files under one key would repeat nonces.</param>
/// <param name="Envelope">Tells whoever may open it how to get the key; kept in the file as it is. At most 4 KiB as UTF-8.</param>
public sealed record RecordingSeal(byte[] Key, string Envelope);

/// <summary>
/// A recording that only its key opens. Each record is sealed by itself (AES-256-GCM), so what was on disk when a process died opens.
/// <code>
///   file    "CALLREC1" | format (8) | 0 (8) | envelope bytes (16) | envelope | record …
///   record  kind (8): 1 audio, 2 end | bytes (32) | samples (32) | ciphertext | tag (128)
/// </code>
/// The nonce is the record's number: records cannot change places, and nothing repeats under a key that serves one file. Authenticated along:
/// SHA-256 of everything before the first record, and the record's head. The end holds the true head of the audio file; a file without an end was cut.
/// </summary>
internal sealed class SealedRecordingFile : RecordingFile
{
    private readonly SealedRecords records;
    private readonly string path;
    private readonly byte[] key;

    public SealedRecordingFile(string path, RecordingFormat format, RecordingSeal seal)
        : base(path, format)
    {
        (this.path, key) = (path, seal.Key);
        var start = SealedRecords.Start(format, seal.Envelope);
        records = new SealedRecords(seal.Key, start);
        Append(start);
    }

    public override (string Sha256, long Bytes) Content()
    {
        using var reader = SealedRecording.Open(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), key);
        return (Convert.ToHexStringLower(SHA256.HashData(reader.Content)), reader.Content.Length);
    }

    // At most what the ring holds, two seconds.
    protected override void WriteAudio(ReadOnlySpan<byte> audio, int samples) => Append(records.Seal(SealedRecords.Audio, audio, samples));

    protected override void WriteEnd(ReadOnlySpan<byte> head)
    {
        Append(records.Seal(SealedRecords.End, head, 0));
        records.Dispose();
    }
}

/// <summary>The records of one sealed file, in order. Not thread-safe.</summary>
internal sealed class SealedRecords : IDisposable
{
    public const byte Audio = 1, End = 2;
    public const int MaxPlain = 1 << 20;
    public const int HeaderBytes = 9;
    public const int TagBytes = 16;
    public const int StartBytes = 12;
    public const int MaxEnvelope = 4_096;
    private const int NonceBytes = 12;
    private const int KeyBytes = 32;

    private readonly AesGcm cipher;
    private readonly byte[] place = new byte[SHA256.HashSizeInBytes + HeaderBytes];
    private byte[] sealedBytes = [];
    private long number;

    public SealedRecords(byte[] key, ReadOnlySpan<byte> start, long number = 0)
    {
        if (key.Length != KeyBytes) throw new ArgumentException($"A recording's key has {KeyBytes} bytes.", nameof(key));
        cipher = new AesGcm(key, TagBytes);
        SHA256.HashData(start, place);
        this.number = number;
    }

    public static ReadOnlySpan<byte> Magic => "CALLREC1"u8;

    public static byte[] Start(RecordingFormat format, string envelope)
    {
        var text = Encoding.UTF8.GetBytes(envelope);
        if (text.Length > MaxEnvelope) throw new ArgumentException($"An envelope has at most {MaxEnvelope} bytes.", nameof(envelope));
        var start = new byte[StartBytes + text.Length];
        Magic.CopyTo(start);
        start[8] = (byte)format;
        BinaryPrimitives.WriteUInt16BigEndian(start.AsSpan(10), (ushort)text.Length);
        text.CopyTo(start, StartBytes);
        return start;
    }

    /// <summary>The record as it goes to disk; valid until the next call.</summary>
    public ReadOnlySpan<byte> Seal(byte kind, ReadOnlySpan<byte> plain, int samples)
    {
        if (plain.Length > MaxPlain) throw new ArgumentException($"A record holds at most {MaxPlain} bytes.", nameof(plain));
        var size = HeaderBytes + plain.Length + TagBytes;
        if (sealedBytes.Length < size) sealedBytes = new byte[size];
        var record = sealedBytes.AsSpan(0, size);
        record[0] = kind;
        BinaryPrimitives.WriteInt32BigEndian(record[1..], plain.Length);
        BinaryPrimitives.WriteInt32BigEndian(record[5..], samples);
        record[..HeaderBytes].CopyTo(place.AsSpan(SHA256.HashSizeInBytes));
        Span<byte> nonce = stackalloc byte[NonceBytes];
        NonceOf(number++, nonce);
        cipher.Encrypt(nonce, plain, record.Slice(HeaderBytes, plain.Length), record[^TagBytes..], place);
        return record;
    }

    /// <summary>False when the record was changed, moved, or sealed with another key.</summary>
    /// <param name="header">As it lies in front of the ciphertext.</param>
    public bool TryOpen(long at, ReadOnlySpan<byte> header, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plain)
    {
        header.CopyTo(place.AsSpan(SHA256.HashSizeInBytes));
        Span<byte> nonce = stackalloc byte[NonceBytes];
        NonceOf(at, nonce);
        try
        {
            cipher.Decrypt(nonce, ciphertext, tag, plain[..ciphertext.Length], place);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => cipher.Dispose();

    private static void NonceOf(long number, Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt64BigEndian(nonce[4..], number);
    }
}
