namespace Sentiric.Media;

/// <summary>How a playback ended and how much of it went out, in milliseconds.</summary>
/// <param name="Interrupted">True when it was cleared before its end.</param>
/// <param name="HeardMs">What was sent to the remote party.</param>
/// <param name="QueuedMs">What had been given to us to say.</param>
public sealed record PlaybackResult(string PlaybackId, bool Interrupted, long HeardMs, long QueuedMs)
{
    /// <summary>The same in words, where the text is known.</summary>
    public HeardWords? Heard { get; init; }
}

/// <summary>Where playback is: the id is absent when nothing is queued.</summary>
public readonly record struct PlaybackPosition(string? PlaybackId, long PlayedMs, long WaitingMs)
{
    /// <summary>How much of the text was heard, where it is known.</summary>
    public HeardWords? Heard { get; init; }
}

/// <summary>
/// What the remote party is going to hear: playbacks one after the other, each fed in pieces of any size faster than it is played.
/// Arrays given to <see cref="Enqueue"/> belong to the queue from then on. Not thread-safe: the leg owns it.
/// </summary>
public sealed class PlaybackQueue
{
    /// <summary>Half an hour of speech; more is refused.</summary>
    public const long MaxQueuedSamples = 30L * 60 * Tone.SampleRate;
    public const int MaxPlaybacks = 1_000;
    public const int MaxMarks = 10_000;
    private const int SamplesPerMs = Tone.SampleRate / 1_000;

    private readonly LinkedList<Playback> playbacks = new();
    private readonly Queue<MediaEvent.MarkReached> reached = new();
    private long waiting;

    private sealed class Playback(string id)
    {
        public readonly string Id = id;
        public readonly Queue<ReadOnlyMemory<short>> Pieces = new();
        public readonly Queue<(string Name, long At)> Marks = new();
        public readonly TaskCompletionSource<PlaybackResult> Ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public int Offset;
        public long Queued, Played;
        public bool Complete;
        public SpokenWords? Words;

        public bool IsDrained => Complete && Played == Queued;

        public HeardWords? Heard => Words?.HeardAt(Played / SamplesPerMs, Complete ? Queued / SamplesPerMs : null);

        public void End(bool interrupted) =>
            Ended.TrySetResult(new PlaybackResult(Id, interrupted, Played / SamplesPerMs, Queued / SamplesPerMs) { Heard = Heard });
    }

    /// <summary>Opens a playback behind those that wait; an open one of the same id is returned again. Null at the bound.</summary>
    public Task<PlaybackResult>? Open(string playbackId)
    {
        if (Find(playbackId) is { } known) return known.Ended.Task;
        if (playbacks.Count == MaxPlaybacks) return null;
        return playbacks.AddLast(new Playback(playbackId)).Value.Ended.Task;
    }

    /// <summary>False when the playback has ended or was completed, or the bound is reached: nothing was taken.</summary>
    public bool Enqueue(string playbackId, ReadOnlyMemory<short> pcm)
    {
        if (Find(playbackId) is not { Complete: false } playback || waiting + pcm.Length > MaxQueuedSamples) return false;
        if (pcm.IsEmpty) return true;
        playback.Pieces.Enqueue(pcm);
        playback.Queued += pcm.Length;
        waiting += pcm.Length;
        return true;
    }

    /// <summary>What an open playback says. False when it has ended.</summary>
    public bool Say(string playbackId, SpokenWords words)
    {
        if (Find(playbackId) is not { } playback) return false;
        playback.Words = words;
        return true;
    }

    /// <summary>Sets a mark behind what has been queued so far, or at a position of the playback.</summary>
    public bool Mark(string playbackId, string name, long? atMs = null)
    {
        if (Find(playbackId) is not { } playback || playback.Marks.Count == MaxMarks) return false;
        playback.Marks.Enqueue((name, atMs * SamplesPerMs ?? playback.Queued));
        return true;
    }

    /// <summary>No more will come: it finishes when all was played. False when it had ended.</summary>
    public bool Complete(string playbackId)
    {
        if (Find(playbackId) is not { } playback) return false;
        playback.Complete = true;
        Retire();
        return true;
    }

    /// <summary>Forgets everything that was not played yet.</summary>
    public IReadOnlyList<PlaybackResult> Clear()
    {
        Retire();
        var results = new List<PlaybackResult>(playbacks.Count);
        foreach (var playback in playbacks)
        {
            playback.End(interrupted: true);
            results.Add(playback.Ended.Task.Result);
        }
        playbacks.Clear();
        waiting = 0;
        return results;
    }

    public PlaybackPosition Where() =>
        new(playbacks.First?.Value.Id, (playbacks.First?.Value.Played ?? 0) / SamplesPerMs, waiting / SamplesPerMs) { Heard = playbacks.First?.Value.Heard };

    /// <summary>The next 20 ms. False, with a silent frame, when nothing is there to play.</summary>
    public bool Read(Span<short> frame)
    {
        Retire();
        var written = 0;
        while (written < frame.Length && playbacks.First?.Value is { } playback)
        {
            // Half a frame of a voice that is still being synthesised would click: wait for the rest.
            if (!playback.Complete && playback.Queued - playback.Played < frame.Length - written) break;
            written += Take(playback, frame[written..]);
            if (!playback.IsDrained || written == frame.Length) break;
            Retire();
        }
        frame[written..].Clear();
        return written > 0;
    }

    /// <summary>Marks passed since the last time, oldest first.</summary>
    public bool TryTakeReached(out MediaEvent.MarkReached? mark) => reached.TryDequeue(out mark);

    private int Take(Playback playback, Span<short> target)
    {
        var written = 0;
        while (written < target.Length && playback.Pieces.TryPeek(out var piece))
        {
            var count = Math.Min(target.Length - written, piece.Length - playback.Offset);
            piece.Span.Slice(playback.Offset, count).CopyTo(target[written..]);
            playback.Offset += count;
            written += count;
            if (playback.Offset < piece.Length) continue;
            playback.Pieces.Dequeue();
            playback.Offset = 0;
        }
        playback.Played += written;
        waiting -= written;
        PassMarks(playback);
        return written;
    }

    private void PassMarks(Playback playback)
    {
        while (playback.Marks.TryPeek(out var mark) && mark.At <= playback.Played)
        {
            playback.Marks.Dequeue();
            reached.Enqueue(new MediaEvent.MarkReached(playback.Id, mark.Name, mark.At / SamplesPerMs));
        }
    }

    // A drained playback ends one tick after its last samples were handed out, so that "finished" means sent.
    private void Retire()
    {
        while (playbacks.First?.Value is { IsDrained: true } playback)
        {
            PassMarks(playback);
            playback.End(interrupted: false);
            playbacks.RemoveFirst();
        }
    }

    private Playback? Find(string playbackId)
    {
        for (var node = playbacks.Last; node is not null; node = node.Previous)
        {
            if (node.Value.Id == playbackId) return node.Value;
        }
        return null;
    }
}
