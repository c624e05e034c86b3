using Sentiric.Media;
using Sentiric.Scenarios.Kit;

namespace Sentiric.Scenarios.Peers;

/// <summary>What a phone without a mind of its own plays: silence while the agent greets, one sentence, silence while it answers.</summary>
internal static class SpokenFile
{
    public static readonly TimeSpan Greeting = TimeSpan.FromSeconds(13);
    public static readonly TimeSpan Answer = TimeSpan.FromSeconds(10);

    /// <summary>By the name's ending: .alaw (bare G.711) or .wav.</summary>
    public static async Task WriteAsync(string path, string sentence)
    {
        short[] pcm = [.. Tone.Sine(100, Greeting, 0), .. await Calling.SpeakAsync(sentence), .. Tone.Sine(100, Answer, 0)];
        if (path.EndsWith(".wav", StringComparison.Ordinal))
        {
            WavFile.Write(path, pcm);
            return;
        }

        var encoded = new byte[pcm.Length];
        G711.Encode(AudioCodec.Pcma, pcm, encoded);
        await File.WriteAllBytesAsync(path, encoded);
    }
}
