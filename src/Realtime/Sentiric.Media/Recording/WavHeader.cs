using System.Buffers.Binary;

namespace Sentiric.Media;

/// <summary>The 44 byte header of a PCM WAV file with one data chunk.</summary>
public static class WavHeader
{
    public const int Size = 44;
    public const int BytesPerSample = 2;

    public static byte[] Make(int channels, int sampleRate, long dataBytes)
    {
        var header = new byte[Size];
        "RIFF"u8.CopyTo(header);
        "WAVEfmt "u8.CopyTo(header.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(22), (short)channels);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(24), sampleRate);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(28), sampleRate * channels * BytesPerSample);
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(32), (short)(channels * BytesPerSample));
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(34), 8 * BytesPerSample);
        "data"u8.CopyTo(header.AsSpan(36));
        SetDataBytes(header, dataBytes);
        return header;
    }

    /// <summary>Sizes are 32 bits: a recording over 4 GiB (37 hours in stereo) says the largest that fits.</summary>
    public static void SetDataBytes(Span<byte> header, long dataBytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)Math.Min(uint.MaxValue, dataBytes + Size - 8));
        BinaryPrimitives.WriteUInt32LittleEndian(header[40..], (uint)Math.Min(uint.MaxValue, dataBytes));
    }
}
