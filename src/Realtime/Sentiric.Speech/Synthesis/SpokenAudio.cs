namespace Sentiric.Speech;

/// <summary>What lies between an engine's samples and the listener: rate, loudness, pieces of one size. One per request.</summary>
internal sealed class SpokenAudio
{
    private readonly SpeechResampler? resampler;
    private readonly LevelNormalizer? level;
    private readonly short[] piece;
    private readonly int sampleRate;
    private int filled;

    /// <param name="nativeRate">Samples per second that the engine makes.</param>
    /// <param name="sampleRate">Samples per second that the listener wants.</param>
    /// <param name="levelDb">Loudness wanted in dBFS; null leaves it as it is.</param>
    /// <param name="chunkMs">Length of the pieces handed on; the last one is shorter.</param>
    public SpokenAudio(int nativeRate, int sampleRate, double? levelDb, int chunkMs)
    {
        this.sampleRate = sampleRate;
        resampler = nativeRate == sampleRate ? null : new SpeechResampler(nativeRate, sampleRate);
        level = levelDb is { } target ? new LevelNormalizer(sampleRate, target) : null;
        piece = new short[sampleRate * chunkMs / 1000];
    }

    public bool HasAudio { get; private set; }

    public IEnumerable<AudioChunk> Add(short[] samples)
    {
        HasAudio |= samples.Length > 0;
        return Cut(Level(Resample(samples)));
    }

    public IEnumerable<AudioChunk> Finish()
    {
        short[] tail = Level(ResampledTail());
        short[] last = level is null ? tail : [.. tail, .. level.Flush()];
        foreach (var chunk in Cut(last))
        {
            yield return chunk;
        }

        if (filled > 0)
        {
            yield return new AudioChunk(piece.AsSpan(0, filled).ToArray(), sampleRate);
            filled = 0;
        }
    }

    private IEnumerable<AudioChunk> Cut(short[] samples)
    {
        for (int taken = 0; taken < samples.Length;)
        {
            int take = Math.Min(samples.Length - taken, piece.Length - filled);
            samples.AsSpan(taken, take).CopyTo(piece.AsSpan(filled));
            taken += take;
            filled += take;
            if (filled == piece.Length)
            {
                filled = 0;
                yield return new AudioChunk(piece.AsSpan().ToArray(), sampleRate);
            }
        }
    }

    private short[] Level(short[] samples) => level is null ? samples : level.Process(samples);

    private short[] Resample(short[] samples)
    {
        if (resampler is null)
        {
            return samples;
        }

        var output = new short[resampler.MaxOutput(samples.Length)];
        return output[..resampler.Process(samples, output)];
    }

    private short[] ResampledTail()
    {
        if (resampler is null)
        {
            return [];
        }

        var output = new short[resampler.MaxOutput(0)];
        return output[..resampler.Flush(output)];
    }
}
