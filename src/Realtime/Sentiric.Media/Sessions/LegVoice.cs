namespace Sentiric.Media;

/// <summary>
/// What a leg's codec remembers from packet to packet, both ways, at the engine's 8 kHz: G.711 by table, G.722 with its rate halved and doubled, Opus by its library.
/// Beside it what is heard without being audio: comfort noise, and keys in the audio itself. Not thread-safe: the leg owns it. Allocates when the codec changes.
/// </summary>
internal sealed class LegVoice : IDisposable
{
    private const int WideRate = 16_000;
    private const int MaxWideSamples = 1_920; // 120 ms

    private readonly DtmfDetector keys = new();
    private AudioCodec? codec;
    private Wide? wide;

    public ComfortNoise Noise { get; } = new();

    /// <summary>Opus, while that was agreed on: it is heard packet by packet, in order.</summary>
    public OpusVoice? Opus { get; private set; }

    /// <summary>Starts anew when the codec is another one.</summary>
    /// <param name="opus">What the listener asks for, when the codec is Opus.</param>
    public void Use(AudioCodec agreed, OpusFormat? opus = null)
    {
        if (codec == agreed)
        {
            Opus?.Use(opus ?? OpusFormat.Plain);
            return;
        }
        codec = agreed;
        Opus?.Dispose();
        Opus = agreed == AudioCodec.Opus ? new OpusVoice(opus ?? OpusFormat.Plain) : null;
        wide = agreed == AudioCodec.G722 ? new Wide() : null;
        Noise.Stop();
    }

    /// <summary>Another stream begins: nothing of the old one is heard in it.</summary>
    public void ListenAnew()
    {
        if (codec == AudioCodec.G722) wide = new Wide();
        Opus?.ListenAnew();
        Noise.Stop();
        keys.Reset();
    }

    /// <summary>Answers how many 8 kHz samples the payload held; an octet is a sample in all codecs but <see cref="Opus"/>.</summary>
    public int Decode(ReadOnlySpan<byte> payload, Span<short> pcm)
    {
        Noise.Stop();
        if (wide is { } state) return state.Decode(payload, pcm);
        G711.Decode(codec ?? AudioCodec.Pcma, payload, pcm);
        return payload.Length;
    }

    /// <summary>Answers how many octets the frame became.</summary>
    public int Encode(ReadOnlySpan<short> pcm, Span<byte> payload)
    {
        if (Opus is { } opus) return opus.Encode(pcm, payload);
        if (wide is { } state) return state.Encode(pcm, payload);
        G711.Encode(codec ?? AudioCodec.Pcma, pcm, payload);
        return pcm.Length;
    }

    /// <summary>A key pressed in the audio, told once.</summary>
    public char? HearKey(ReadOnlySpan<short> pcm) => keys.Hear(pcm);

    public void Dispose() => Opus?.Dispose();

    private sealed class Wide
    {
        private readonly G722Encoder encoder = new();
        private readonly G722Decoder decoder = new();
        private readonly Resampler up = new(Tone.SampleRate, WideRate), down = new(WideRate, Tone.SampleRate);
        private readonly short[] samples = new short[MaxWideSamples];

        public int Decode(ReadOnlySpan<byte> payload, Span<short> pcm)
        {
            var count = decoder.Decode(payload, samples);
            return down.Process(samples.AsSpan(0, count), pcm);
        }

        public int Encode(ReadOnlySpan<short> pcm, Span<byte> payload)
        {
            var count = up.Process(pcm, samples);
            return encoder.Encode(samples.AsSpan(0, count), payload);
        }
    }
}
