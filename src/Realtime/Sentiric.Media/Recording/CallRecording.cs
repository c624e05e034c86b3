namespace Sentiric.Media;

/// <summary>A closed recording.</summary>
/// <param name="Sha256">Lower-case hex of the audio file in the clear, as a listener gets it; empty when <paramref name="Error"/> says why it is not whole.</param>
/// <param name="LostFrames">20 ms frames that the disk was too slow for; they are silent in the file.</param>
/// <param name="Bytes">Of that audio file; of what lies on disk when <paramref name="Error"/> is there.</param>
public sealed record RecordingResult(string Path, long DurationMs, long Bytes, string Sha256, long LostFrames, string? Error);

/// <summary>
/// Both directions of a leg in stereo (8 kHz, left the remote party, right us), on disk as it happens; in the clear or sealed.
/// The pacing thread puts frames into a ring and never waits; the writer thread empties it. When the ring is full (the disk hangs
/// for two seconds) frames are lost but their time is kept as silence.
/// </summary>
public sealed class CallRecording
{
    /// <summary>Left and right.</summary>
    public const int Channels = 2;

    /// <summary>How much of a recording one hash vouches for.</summary>
    public static readonly TimeSpan SegmentLength = TimeSpan.FromSeconds(30);

    private const int FrameMs = 20;
    private const int FrameShorts = Channels * MediaLeg.FrameSamples;
    private const int RingFrames = 100;
    private const int HeaderEveryFrames = 50;

    private readonly short[] ring = new short[RingFrames * FrameShorts];
    private readonly RecordingFile file;
    private readonly Action<RecordingSegment>? onSegment;
    private readonly TaskCompletionSource<RecordingResult> closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long head;                // frames put in: written by the leg's owner
    private long tail;                // frames on disk: written by the writer thread
    private long owedSilence, lost;   // the leg's owner
    private long headerAt, segmentAt; // the writer thread
    private int told;                 // the writer thread, and the task that finishes
    private volatile bool closing;
    private string? error;

    /// <summary>
    /// Creates the file and its folder. Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> when it cannot.
    /// </summary>
    /// <param name="seal">Absent: the file is an ordinary audio file.</param>
    /// <param name="onSegment">Hears of every segment that will not change any more, in order, on a thread that may wait for a disk.</param>
    public CallRecording(
        string path, RecordingFormat format = RecordingFormat.Wav, RecordingSeal? seal = null, Action<RecordingSegment>? onSegment = null)
    {
        if (System.IO.Path.GetDirectoryName(path) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
        (Path, this.onSegment) = (path, onSegment);
        file = seal is null ? new ClearRecordingFile(path, format) : new SealedRecordingFile(path, format, seal);
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
            if (error is null && tail - headerAt >= HeaderEveryFrames) Checkpoint();
        }
        catch (IOException problem)
        {
            error = problem.Message; // a full disk ends the recording, not the call
        }
        if (!finish) return false;
        _ = Task.Run(Finish); // the hash of a long call takes a while, and others are recording
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
            file.Write(ring.AsSpan(at * FrameShorts, frames * FrameShorts));
            Volatile.Write(ref tail, tail + frames);
        }
    }

    // Once a second.
    private void Checkpoint()
    {
        headerAt = tail;
        file.Checkpoint();
        if (tail - segmentAt < SegmentLength.TotalMilliseconds / FrameMs) return;
        segmentAt = tail;
        file.EndSegment(tail * FrameMs);
        TellSegments();
    }

    private void TellSegments()
    {
        for (; told < file.Segments.Count; told++) onSegment?.Invoke(file.Segments[told]);
    }

    private void Finish()
    {
        var (bytes, hash) = (0L, "");
        try
        {
            if (error is null) file.Finish(tail * FrameMs);
            bytes = file.Length;
            if (error is null) (hash, bytes) = file.Content();
            TellSegments();
        }
        catch (IOException problem)
        {
            error = problem.Message;
        }
        finally
        {
            file.Dispose();
        }
        closed.TrySetResult(new RecordingResult(Path, tail * FrameMs, bytes, hash, lost, error));
    }
}
