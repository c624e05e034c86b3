using Sentiric.Speech.Tests.Kit;

namespace Sentiric.Speech.Tests.Synthesis;

/// <summary>What every synthesiser does.</summary>
public abstract class SynthesizerContract
{
    private const string Sentence = "Merhaba, size nasıl yardımcı olabilirim?";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    protected abstract ISpeechSynthesizer Synthesizer { get; }

    [SpeechFact]
    public async Task A_sentence_becomes_audible_speech_at_8_kHz()
    {
        var chunks = await ChunksAsync(new SynthesisRequest(Sentence, "tr"));
        Assert.All(chunks, chunk => Assert.Equal(8000, chunk.SampleRate));
        short[] speech = Pcm(chunks);
        Assert.InRange((double)speech.Length / 8000, 1.0, 6.0);
        Assert.True(Sound.LevelDb(speech) > -35, "the speech can hardly be heard");
    }

    [SpeechFact]
    public async Task It_comes_in_pieces_of_no_more_than_half_a_second()
    {
        var chunks = await ChunksAsync(new SynthesisRequest(Sentence + " " + Sentence, "tr"));
        Assert.True(chunks.Count > 3);
        Assert.All(chunks, chunk => Assert.InRange(chunk.Duration, TimeSpan.FromTicks(1), TimeSpan.FromMilliseconds(500)));
    }

    [SpeechFact]
    public async Task Another_sample_rate_has_the_same_duration()
    {
        int narrow = Pcm(await ChunksAsync(new SynthesisRequest(Sentence, "tr"))).Length;
        int wide = Pcm(await ChunksAsync(new SynthesisRequest(Sentence, "tr", SampleRate: 16_000))).Length;
        Assert.InRange(wide / (double)narrow, 1.98, 2.02);
    }

    [SpeechFact]
    public async Task Faster_is_shorter()
    {
        int usual = Pcm(await ChunksAsync(new SynthesisRequest(Sentence, "tr"))).Length;
        int fast = Pcm(await ChunksAsync(new SynthesisRequest(Sentence, "tr", Rate: 1.5))).Length;
        Assert.InRange(fast / (double)usual, 0.5, 0.85);
    }

    [SpeechFact]
    public async Task An_empty_text_is_no_audio()
    {
        Assert.Empty(await ChunksAsync(new SynthesisRequest("", "tr")));
        Assert.Empty(await ChunksAsync(new SynthesisRequest(" \n ", "tr")));
    }

    [SpeechFact]
    public async Task A_voice_that_there_is_not_is_refused()
    {
        var error = await Assert.ThrowsAsync<SpeechEngineException>(() => ChunksAsync(new SynthesisRequest(Sentence, "tr", Voice: "no such; voice")));
        Assert.Equal(SpeechFault.VoiceUnsupported, error.Fault);
    }

    [SpeechFact]
    public async Task Every_listed_voice_speaks()
    {
        Assert.NotEmpty(Synthesizer.Voices);
        foreach (var voice in Synthesizer.Voices)
        {
            Assert.NotEmpty(await ChunksAsync(new SynthesisRequest("evet", voice.Language == "*" ? "tr" : voice.Language, voice.Id)));
        }
    }

    [SpeechFact]
    public async Task Cancelling_in_the_middle_ends_the_speech()
    {
        using var cancel = new CancellationTokenSource();
        string book = string.Concat(Enumerable.Repeat(Sentence + " ", 100));
        var seen = TimeSpan.Zero;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var chunk in Synthesizer.SynthesizeAsync(new SynthesisRequest(book, "tr"), cancel.Token))
            {
                seen += chunk.Duration;
                await cancel.CancelAsync();
            }
        }).WaitAsync(Patience);
        Assert.InRange(seen, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(60));
    }

    [SpeechFact]
    public async Task A_listener_who_leaves_early_frees_the_engine()
    {
        string book = string.Concat(Enumerable.Repeat(Sentence + " ", 50));
        for (int i = 0; i < 20; i++)
        {
            await foreach (var chunk in Synthesizer.SynthesizeAsync(new SynthesisRequest(book, "tr"), CancellationToken.None))
            {
                Assert.NotEqual(0, chunk.Pcm.Length);
                break;
            }
        }

        Assert.NotEmpty(await ChunksAsync(new SynthesisRequest("tamam", "tr")).WaitAsync(Patience));
    }

    protected async Task<List<AudioChunk>> ChunksAsync(SynthesisRequest request)
    {
        var all = new List<AudioChunk>();
        await foreach (var chunk in Synthesizer.SynthesizeAsync(request, CancellationToken.None))
        {
            all.Add(chunk);
        }

        return all;
    }

    protected static short[] Pcm(IEnumerable<AudioChunk> chunks) => [.. chunks.SelectMany(chunk => chunk.Pcm.ToArray())];
}
