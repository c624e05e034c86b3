namespace Sentiric.Media;

/// <summary>
/// Opus both ways on one leg. Its decoder remembers what it heard, so packets are decoded in their order: one that comes after its successor stays
/// unheard, for its place was already filled, from the redundancy of the next packet or by the decoder.
/// <code>
///   packets   n      (n+1 lost)      n+2
///   heard   │ n │ made up, or from n+2 │ n+2 │
/// </code>
/// Not thread-safe: the leg owns it. Allocates nothing after the start.
/// </summary>
internal sealed class OpusVoice(OpusFormat wanted) : IDisposable
{
    /// <summary>100 ms: what was lost beyond fades out like any other hole.</summary>
    private const int MaxRecovered = 800;

    private readonly OpusEncoder encoder = new(wanted);
    private OpusDecoder decoder = new();
    private bool hasHeard;
    private ushort lastSequence;
    private uint follows; // where the last packet's samples end

    public void Use(OpusFormat format) => encoder.Use(format);

    /// <summary>Another stream: the decoder knows nothing.</summary>
    public void ListenAnew()
    {
        decoder.Dispose();
        (decoder, hasHeard) = (new OpusDecoder(), false);
    }

    public int Encode(ReadOnlySpan<short> pcm, Span<byte> payload) => encoder.Encode(pcm, payload);

    /// <summary>Whether its successor was already heard.</summary>
    public bool IsBehind(ushort sequence) => hasHeard && (short)(sequence - lastSequence) <= 0;

    /// <summary>A packet of the stream that is no audio, such as a key: not lost.</summary>
    public void Pass(ushort sequence)
    {
        if (!IsBehind(sequence)) lastSequence = sequence;
    }

    /// <summary>Fills what was lost right before this packet; answers how many samples that were, 0 when nothing was lost or too much. A pause of the speaker is no loss.</summary>
    /// <param name="at">On the timeline of 8 kHz.</param>
    public int Recover(ushort sequence, uint at, ReadOnlySpan<byte> payload, Span<short> pcm)
    {
        var missing = (int)(at - follows);
        var isGap = hasHeard && (ushort)(sequence - lastSequence) > 1 && missing is > 0 and <= MaxRecovered && missing % OpusDecoder.StepSamples == 0;
        if (!isGap || OpusDecoder.SamplesIn(payload) is not { } length) return 0;
        var repeated = Math.Min(missing, length);
        var madeUp = missing - repeated;
        if (madeUp > 0 && decoder.Conceal(pcm[..madeUp]) is null) return 0;
        return decoder.Recover(payload, pcm.Slice(madeUp, repeated)) is null ? 0 : missing;
    }

    /// <summary>Absent when it is no packet of Opus.</summary>
    public int? Decode(ushort sequence, uint at, ReadOnlySpan<byte> payload, Span<short> pcm)
    {
        if (decoder.Decode(payload, pcm) is not { } samples) return null;
        (hasHeard, lastSequence, follows) = (true, sequence, at + (uint)samples);
        return samples;
    }

    public void Dispose()
    {
        encoder.Dispose();
        decoder.Dispose();
    }
}
