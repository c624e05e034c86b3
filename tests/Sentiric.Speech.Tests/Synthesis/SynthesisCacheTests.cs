using System.Runtime.CompilerServices;
using Sentiric.Speech.Tests.Kit;

namespace Sentiric.Speech.Tests.Synthesis;

public class SynthesisCacheTests
{
    private readonly CountingSynthesizer inner = new();

    [Fact]
    public async Task The_same_prompt_is_spoken_once()
    {
        var cache = new SynthesisCache(inner);
        short[] first = await SayAsync(cache, "Hoş geldiniz");
        Assert.Equal(first, await SayAsync(cache, "Hoş geldiniz"));
        Assert.Equal(1, inner.Spoken);
    }

    [Fact]
    public async Task Another_voice_rate_or_sample_rate_is_another_prompt()
    {
        var cache = new SynthesisCache(inner);
        var request = new SynthesisRequest("Hoş geldiniz", "tr");
        foreach (var other in (SynthesisRequest[])[request, request with { Voice = "f" }, request with { Rate = 1.2 }, request with { SampleRate = 16_000 }])
        {
            await Engines.CollectAsync(cache, other);
        }

        Assert.Equal(4, inner.Spoken);
    }

    [Fact]
    public async Task At_the_bound_the_prompt_not_asked_for_the_longest_goes()
    {
        var cache = new SynthesisCache(inner, capacity: TimeSpan.FromSeconds(2));
        await SayAsync(cache, "bir");
        await SayAsync(cache, "iki");
        await SayAsync(cache, "bir");
        await SayAsync(cache, "üç");
        Assert.Equal(TimeSpan.FromSeconds(2), cache.Held);
        Assert.Equal(3, inner.Spoken);
        await SayAsync(cache, "bir");
        Assert.Equal(3, inner.Spoken);
        await SayAsync(cache, "iki");
        Assert.Equal(4, inner.Spoken);
    }

    [Fact]
    public async Task What_was_broken_off_is_not_kept()
    {
        var cache = new SynthesisCache(inner);
        await foreach (var chunk in cache.SynthesizeAsync(new SynthesisRequest("bir", "tr"), CancellationToken.None))
        {
            Assert.NotEqual(0, chunk.Pcm.Length);
            break;
        }

        Assert.Equal(TimeSpan.Zero, cache.Held);
        Assert.Equal(8000, (await SayAsync(cache, "bir")).Length);
    }

    private static Task<short[]> SayAsync(SynthesisCache cache, string text) => Engines.CollectAsync(cache, new SynthesisRequest(text, "tr"));

    /// <summary>Says any text as one second of silence in two pieces and counts.</summary>
    private sealed class CountingSynthesizer : ISpeechSynthesizer
    {
        public IReadOnlyList<VoiceInfo> Voices => [];

        public int Spoken { get; private set; }

        public async IAsyncEnumerable<AudioChunk> SynthesizeAsync(SynthesisRequest request, [EnumeratorCancellation] CancellationToken cancel)
        {
            Spoken++;
            yield return new AudioChunk(new short[request.SampleRate / 2], request.SampleRate);
            await Task.Yield();
            yield return new AudioChunk(new short[request.SampleRate / 2], request.SampleRate);
        }
    }
}
