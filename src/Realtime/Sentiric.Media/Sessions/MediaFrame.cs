namespace Sentiric.Media;

/// <summary>20 ms of the remote party: 160 samples at 8 kHz, in order, one for every tick since the leg was connected.</summary>
/// <param name="Index">Counts ticks; it jumps only when the process was stalled for longer than can be caught up.</param>
/// <param name="ElapsedMs">20 times the index.</param>
/// <param name="Pcm">For direct listeners valid only during the call; frames read from a <see cref="MediaListener"/> stay valid.</param>
/// <param name="Concealed">True when the samples are invented or silence because nothing (usable) arrived.</param>
public readonly record struct MediaFrame(long Index, long ElapsedMs, ReadOnlyMemory<short> Pcm, bool Concealed)
{
    /// <summary>What was sent to the remote party in the same 20 ms. Given to direct listeners alone, and valid only during the call.</summary>
    public ReadOnlyMemory<short> Sent { get; init; }
}
