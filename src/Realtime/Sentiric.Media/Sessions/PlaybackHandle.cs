namespace Sentiric.Media;

/// <summary>One playback of a session, from its first piece to its end.</summary>
public sealed class PlaybackHandle
{
    private readonly MediaSession session;

    internal PlaybackHandle(MediaSession session, string id, Task<PlaybackResult> finished) =>
        (this.session, Id, Finished) = (session, id, finished);

    public string Id { get; }

    /// <summary>Ends when all was sent, or the playback was cleared, or the session closed.</summary>
    public Task<PlaybackResult> Finished { get; }

    /// <summary>Adds 8 kHz samples behind those that wait; they are copied. False when the playback ended or is full.</summary>
    public bool Enqueue(ReadOnlyMemory<short> pcm) => session.Enqueue(Id, pcm);

    /// <summary>Tells when playback passes this point: behind what was enqueued so far, or at a time of this playback.</summary>
    public bool Mark(string name, long? atMs = null) => session.Mark(Id, name, atMs);

    /// <summary>What it says, so that what was heard can be told in words. Best before the first piece.</summary>
    public bool Say(SpokenWords words) => session.Say(Id, words);

    /// <summary>No more pieces come.</summary>
    public bool Complete() => session.Complete(Id);
}
