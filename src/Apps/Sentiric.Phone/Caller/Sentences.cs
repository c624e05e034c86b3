using Sentiric.Speech;

namespace Sentiric.Phone;

/// <summary>Speaks the sentences of a script before the call is placed, so that no synthesis time is taken for the caller's hesitation.</summary>
internal static class Sentences
{
    private const int SampleRate = 8_000;
    private const int QuietBelow = 250;   // about -42 dBFS: breath and rounding, no speech
    private const int KeptSamples = 160;  // 20 ms around the words, so that no edge clicks

    /// <summary>One array of 8 kHz samples for each step that says something, trimmed to its words.</summary>
    public static async Task<IReadOnlyDictionary<int, short[]>> SpeakAsync(
        ISpeechSynthesizer voice, CallerScript script, IReadOnlyList<CallerStep> steps, CancellationToken ct)
    {
        var spoken = new Dictionary<int, short[]>();
        for (var at = 0; at < steps.Count; at++)
        {
            if (steps[at].Say is { } sentence) spoken[at] = await SpeakAsync(voice, new(sentence, script.Language, script.Voice, SampleRate), ct);
        }

        return spoken;
    }

    private static async Task<short[]> SpeakAsync(ISpeechSynthesizer voice, SynthesisRequest request, CancellationToken ct)
    {
        var pcm = new List<short>();
        await foreach (var piece in voice.SynthesizeAsync(request, ct)) pcm.AddRange(piece.Pcm.Span);
        var words = Trim([.. pcm]);
        return words.Length > 0 ? words : throw new InvalidDataException($"\"{request.Text}\" gives no sound.");
    }

    internal static short[] Trim(short[] pcm)
    {
        var first = Array.FindIndex(pcm, IsLoud);
        if (first < 0) return [];
        var last = Array.FindLastIndex(pcm, IsLoud);
        return pcm[Math.Max(0, first - KeptSamples)..Math.Min(pcm.Length, last + KeptSamples)];
    }

    private static bool IsLoud(short sample) => sample is > QuietBelow or < -QuietBelow;
}
