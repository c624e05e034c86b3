using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Sentiric.Media;

/// <summary>What the repair found.</summary>
public enum WavRepairResult
{
    Intact,
    Repaired,

    /// <summary>Not a recording of ours: left alone.</summary>
    NotOurs,

    /// <summary>Still being recorded, or not to be opened: left alone.</summary>
    Unavailable,
}

/// <summary>
/// Makes a recording whole whose process died: the samples are on disk, only the sizes in the header are old. Run it at start.
/// Doing it twice is quiet, and a recording that still runs is locked against it.
/// </summary>
public static class WavRepair
{
    /// <summary>Every *.wav below a folder; says how many needed it. Throws <see cref="IOException"/> when the disk fails.</summary>
    public static int RepairAll(string folder) =>
        Directory.EnumerateFiles(folder, "*.wav", SearchOption.AllDirectories).Count(path => Repair(path) == WavRepairResult.Repaired);

    public static WavRepairResult Repair(string path)
    {
        using var file = TryOpen(path);
        if (file is null) return WavRepairResult.Unavailable;
        Span<byte> header = stackalloc byte[WavHeader.Size];
        var length = file.ReadAtLeast(header, WavHeader.Size, throwOnEndOfStream: false);
        if (length < WavHeader.Size || !IsOurs(header)) return WavRepairResult.NotOurs;
        var blockBytes = BinaryPrimitives.ReadUInt16LittleEndian(header[32..]);
        if (blockBytes == 0) return WavRepairResult.NotOurs;
        // A write cut in the middle of a sample pair would swap the channels of everything behind it.
        var dataBytes = (file.Length - WavHeader.Size) / blockBytes * blockBytes;
        var told = BinaryPrimitives.ReadUInt32LittleEndian(header[40..]);
        if (told == dataBytes && file.Length == WavHeader.Size + dataBytes) return WavRepairResult.Intact;
        WavHeader.SetDataBytes(header, dataBytes);
        file.SetLength(WavHeader.Size + dataBytes);
        file.Position = 0;
        file.Write(header);
        return WavRepairResult.Repaired;
    }

    /// <summary>What a whole WAV file of a recording holds.</summary>
    public static async Task<RecordingResult> DescribeAsync(string path, CancellationToken ct)
    {
        await using var file = File.OpenRead(path);
        var sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct).ConfigureAwait(false));
        var frames = (file.Length - WavHeader.Size) / (CallRecording.Channels * WavHeader.BytesPerSample);
        return new RecordingResult(path, frames / (Tone.SampleRate / 1_000), file.Length, sha256, 0, null);
    }

    private static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsOurs(ReadOnlySpan<byte> header) =>
        header[..4].SequenceEqual("RIFF"u8) && header[8..16].SequenceEqual("WAVEfmt "u8) && header[36..40].SequenceEqual("data"u8);
}
