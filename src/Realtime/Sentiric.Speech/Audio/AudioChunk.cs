namespace Sentiric.Speech;

/// <summary>A piece of mono S16 audio. The memory belongs to the receiver; whoever made it does not touch it again.</summary>
public readonly record struct AudioChunk(ReadOnlyMemory<short> Pcm, int SampleRate)
{
    public TimeSpan Duration => TimeSpan.FromSeconds((double)Pcm.Length / SampleRate);
}
