using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Sentiric.Contracts.Services;
using Sentiric.Speech;

namespace Sentiric.Calls;

/// <summary>
/// What a caller hears when nobody takes the call over: spoken once at the start and kept, so that it needs no other service at the moment when
/// something is down. Where even that was impossible, three falling tones.
/// </summary>
public sealed partial class FailSafeVoice(ISpeechSynthesizer synthesizer, IMediaSessions media, ILogger<FailSafeVoice> logger)
{
    private const int SampleRate = 8000;
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestPlayback = TimeSpan.FromSeconds(15);

    private static readonly IReadOnlyDictionary<string, string> Texts = new Dictionary<string, string>
    {
        ["tr"] = "Şu anda teknik bir sorun yaşıyoruz. Lütfen daha sonra tekrar arayın.",
        ["en"] = "We are having a technical problem. Please call again later.",
    };

    private readonly ConcurrentDictionary<string, short[]> _spoken = new(StringComparer.Ordinal);

    /// <summary>Speaks every text once; those that could not be spoken are tried again until they are there.</summary>
    public async Task PrepareAsync(TimeProvider clock, CancellationToken ct)
    {
        while (await SpeakMissingAsync(ct) > 0)
        {
            await Task.Delay(TryAgain, clock, ct);
        }
    }

    private async Task<int> SpeakMissingAsync(CancellationToken ct)
    {
        foreach (var (language, text) in Texts.Where(t => !_spoken.ContainsKey(t.Key)))
        {
            try
            {
                var pcm = new List<short>();
                await foreach (var chunk in synthesizer.SynthesizeAsync(new(text, language), ct))
                {
                    pcm.AddRange(chunk.Pcm.Span);
                }

                _spoken[language] = [.. pcm];
            }
            catch (SpeechEngineException e)
            {
                LogNoVoice(e, language);
            }
        }

        return Texts.Count - _spoken.Count;
    }

    /// <summary>Plays it to the end; a media session that is gone is no news here.</summary>
    public async Task SayAsync(string sessionId, string language)
    {
        using var limit = new CancellationTokenSource(LongestPlayback);
        try
        {
            await media.PlayAsync(sessionId, "fail-safe", Once(_spoken.GetValueOrDefault(language) ?? Tones()), limit.Token);
        }
        catch (Exception e)
        {
            LogNotHeard(e, sessionId);
        }
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<short>> Once(short[] pcm)
    {
        yield return pcm;
        await Task.CompletedTask;
    }

    private static short[] Tones()
    {
        double[] hertz = [950, 1400, 1800];
        const int samplesPerTone = SampleRate / 3;
        return [.. hertz.SelectMany(f => Enumerable.Range(0, samplesPerTone).Select(i => (short)(6000 * Math.Sin(2 * Math.PI * f * i / SampleRate))))];
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The fail-safe announcement cannot be spoken in {Language} yet; tones take its place")]
    private partial void LogNoVoice(Exception e, string language);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The fail-safe announcement was not heard on session {SessionId}")]
    private partial void LogNotHeard(Exception e, string sessionId);
}
