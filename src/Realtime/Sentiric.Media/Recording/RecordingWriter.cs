namespace Sentiric.Media;

/// <summary>The one thread of an engine that touches the disk: empties every open recording ten times a second.</summary>
internal sealed class RecordingWriter : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();
    private readonly List<CallRecording> open = [];
    private readonly AutoResetEvent wake = new(false);
    private readonly Thread thread;
    private volatile bool stopping;

    public RecordingWriter()
    {
        thread = new Thread(Run) { Name = "media recording", IsBackground = true };
        thread.Start();
    }

    public void Add(CallRecording recording)
    {
        lock (gate) open.Add(recording);
    }

    public Task<RecordingResult> Finish(CallRecording recording)
    {
        recording.Close();
        wake.Set();
        return recording.Closed;
    }

    /// <summary>Finishes what is still open, then ends.</summary>
    public void Dispose()
    {
        lock (gate) open.ForEach(r => r.Close());
        stopping = true;
        wake.Set();
        thread.Join();
        wake.Dispose();
    }

    private void Run()
    {
        while (!stopping)
        {
            wake.WaitOne(Pause);
            DrainAll();
        }
        DrainAll();
    }

    private void DrainAll()
    {
        CallRecording[] now;
        lock (gate) now = [.. open];
        foreach (var recording in now)
        {
            if (!recording.Drain()) continue;
            lock (gate) open.Remove(recording);
        }
    }
}
