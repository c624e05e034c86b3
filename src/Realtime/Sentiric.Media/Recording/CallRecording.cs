using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Sentiric.Media;

/// <summary>A closed recording.</summary>
/// <param name="Sha256">Lower-case hex of the whole file; empty when <paramref name="Error"/> says why it is not whole.</param>
/// <param name="LostFrames">20 ms frames that the disk was too slow for; they are silent in the file.</param>
public sealed record RecordingResult(string Path, long DurationMs, long Bytes, string Sha256, long LostFrames, string? Error);

/// <summary>
/// Both directions of a leg as a stereo WAV file (8 kHz, left the remote party, right us), on disk as it happens.
/// The pacing thread puts frames into a ring and never waits; the writer thread empties it. When the ring is full (the disk hangs
/// for two seconds) frames are lost but their time is kept as silence.
/// </summary>
public sealed class CallRecording
{
    private const int FrameShorts = 2 * MediaLeg.FrameSamples;
    private const int RingFrames = 100;
    private const int HeaderEveryFrames = 50;

    private readonly short[] ring = new short[RingFrames * FrameShorts];
    private readonly FileStream file;
    private readonly TaskCompletionSource<RecordingResult> closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long head;                // frames put in: written by the leg's owner
    private long tail;                // frames on disk: written by the writer thread
    private long owedSilence, lost;   // the leg's owner
    private long headerAt;            // the writer thread
    private volatile bool closing;
    private string? error;

    /// <summary>
    /// Creates the file and its folder. Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> when it cannot.
    /// </summary>
    public CallRecording(string path)
    {
        if (System.IO.Path.GetDirectoryName(path) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
        Path = path;
        file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        file.Write(WavHeader.Make(2, Tone.SampleRate, 0));
    }

    public string Path { get; }

    /// <summary>While paused the timeline goes on in silence.</summary>
    public bool Paused { get; set; }

    public Task<RecordingResult> Closed => closed.Task;

    /// <summary>Adds 20 ms. One thread at a time: the leg's owner.</summary>
    public void Append(ReadOnlySpan<short> remote, ReadOnlySpan<short> local)
    {
        PaySilence();
        if (owedSilence > 0 || IsFull)
        {
            owedSilence++;
            lost++;
            return;
        }
        var frame = ring.AsSpan((int)(head % RingFrames) * FrameShorts, FrameShorts);
        for (var i = 0; i < MediaLeg.FrameSamples; i++)
        {
            frame[2 * i] = Paused ? (short)0 : remote[i];
            frame[2 * i + 1] = Paused ? (short)0 : local[i];
        }
        Volatile.Write(ref head, head + 1);
    }

    /// <summary>Time passed in which nothing was heard or said.</summary>
    public void AppendSilence(int frames)
    {
        owedSilence += frames;
        PaySilence();
    }

    /// <summary>No more frames come; the writer thread finishes the file.</summary>
    public void Close() => closing = true;

    /// <summary>Nothing was recorded and nothing will be: the file goes away.</summary>
    internal void Discard()
    {
        file.Dispose();
        File.Delete(Path);
    }

    /// <summary>Writes what waits; true when the file is finished. Called by the writer thread only.</summary>
    internal bool Drain()
    {
        var finish = closing;
        try
        {
            if (error is null) WriteFrames();
            if (error is null && (finish || tail - headerAt >= HeaderEveryFrames)) WriteSizes();
        }
        catch (IOException problem)
        {
            error = problem.Message; // a full disk ends the recording, not the call
        }
        if (!finish) return false;
        Finish();
        return true;
    }

    private bool IsFull => head - Volatile.Read(ref tail) == RingFrames;

    private void PaySilence()
    {
        for (; owedSilence > 0 && !IsFull; owedSilence--)
        {
            ring.AsSpan((int)(head % RingFrames) * FrameShorts, FrameShorts).Clear();
            Volatile.Write(ref head, head + 1);
        }
    }

    private void WriteFrames()
    {
        for (var end = Volatile.Read(ref head); tail < end;)
        {
            var at = (int)(tail % RingFrames);
            var frames = (int)Math.Min(end - tail, RingFrames - at);
            file.Write(MemoryMarshal.AsBytes(ring.AsSpan(at * FrameShorts, frames * FrameShorts)));
            Volatile.Write(ref tail, tail + frames);
        }
    }

    // Fresh sizes once a second: a player can read along, and after a crash only the last second needs the repair.
    private void WriteSizes()
    {
        headerAt = tail;
        var end = file.Position;
        file.Position = 0;
        file.Write(WavHeader.Make(2, Tone.SampleRate, end - WavHeader.Size));
        file.Position = end;
    }

    private void Finish()
    {
        var (bytes, hash) = (0L, "");
        try
        {
            bytes = file.Length;
            file.Position = 0;
            if (error is null) hash = Convert.ToHexStringLower(SHA256.HashData(file));
            file.Dispose();
        }
        catch (IOException problem)
        {
            error = problem.Message;
        }
        closed.TrySetResult(new RecordingResult(Path, tail * 20, bytes, hash, lost, error));
    }
}
