namespace Sentiric.Media;

/// <summary>Audio of other rates as a telephone has it.</summary>
public static class TelephoneAudio
{
    /// <summary>The first channel at 8 kHz; null when the rate is none of 8, 16, 24 and 48 kHz.</summary>
    public static short[]? Narrow(WavAudio wav)
    {
        if (wav.SampleRate is not (8_000 or 16_000 or 24_000 or 48_000)) return null;
        var source = wav.Channels[0];
        var (resampler, step) = (new Resampler(wav.SampleRate, Tone.SampleRate), wav.SampleRate / 50);
        var (pcm, written) = (new short[resampler.MostFrom(source.Length)], 0);
        for (var at = 0; at < source.Length; at += step)
        {
            written += resampler.Process(source.AsSpan(at, Math.Min(step, source.Length - at)), pcm.AsSpan(written));
        }
        return pcm[..written];
    }
}
