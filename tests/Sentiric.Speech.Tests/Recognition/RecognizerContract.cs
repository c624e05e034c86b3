using Sentiric.Speech.Tests.Kit;

namespace Sentiric.Speech.Tests.Recognition;

/// <summary>What every recogniser does. Audio comes as 20 ms frames of a telephone call.</summary>
public abstract class RecognizerContract
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    protected abstract ISpeechRecognizer Recognizer { get; }

    /// <summary>The phrase, spoken as the caller of this recogniser would.</summary>
    protected abstract Task<short[]> SpeakAsync(string phrase);

    [SpeechFact]
    public async Task What_was_said_is_heard()
    {
        await using var session = await StartAsync();
        await Engines.WriteFramesAsync(session, [.. await SpeakAsync("randevu almak istiyorum"), .. Sound.Silence(400)]);
        var result = await EndAsync(session);
        Assert.Equal(RecognitionKind.Final, result.Kind);
        Assert.Equal("randevu almak istiyorum", result.Text);
        Assert.Equal("tr", result.Language);
        Assert.InRange(result.Confidence, 0.3f, 1f);
        Assert.InRange(result.End, result.Start + TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5));
    }

    [SpeechFact]
    public async Task Each_utterance_of_a_session_has_its_own_result()
    {
        await using var session = await StartAsync();
        var ends = new List<TimeSpan>();
        foreach (string phrase in (string[])["evet", "kargom nerede", "evet"])
        {
            await Engines.WriteFramesAsync(session, [.. Sound.Silence(200), .. await SpeakAsync(phrase), .. Sound.Silence(400)]);
            var result = await EndAsync(session);
            Assert.Equal(phrase, result.Text);
            ends.Add(result.End);
        }

        Assert.Equal(ends.Order(), ends);
    }

    [SpeechFact]
    public async Task Silence_is_an_empty_text_with_confidence_0()
    {
        await using var session = await StartAsync();
        await Engines.WriteFramesAsync(session, Sound.Silence(1500));
        var result = await EndAsync(session);
        Assert.Equal(("", 0f), (result.Text, result.Confidence));
        Assert.True(result.IsEmpty);
    }

    [SpeechFact]
    public async Task No_audio_at_all_is_an_empty_text_too()
    {
        await using var session = await StartAsync();
        await session.WriteAsync(ReadOnlyMemory<short>.Empty, CancellationToken.None);
        Assert.Equal("", (await EndAsync(session)).Text);
        Assert.Null(session.CurrentPartial);
    }

    [SpeechFact]
    public async Task What_was_heard_before_the_utterance_began_is_forgotten()
    {
        await using var session = await StartAsync();
        await Engines.WriteFramesAsync(session, [.. await SpeakAsync("merhaba"), .. Sound.Silence(600)]);
        await session.BeginUtteranceAsync(TimeSpan.FromMilliseconds(300), CancellationToken.None);
        await Engines.WriteFramesAsync(session, [.. await SpeakAsync("kargom nerede"), .. Sound.Silence(400)]);
        Assert.Equal("kargom nerede", (await EndAsync(session)).Text);
    }

    [SpeechFact]
    public async Task The_pre_roll_keeps_the_first_syllable()
    {
        await using var session = await StartAsync();
        short[] speech = await SpeakAsync("kargom nerede");
        await Engines.WriteFramesAsync(session, [.. Sound.Silence(1000), .. speech[..1600]]);
        await session.BeginUtteranceAsync(TimeSpan.FromMilliseconds(500), CancellationToken.None);
        await Engines.WriteFramesAsync(session, [.. speech[1600..], .. Sound.Silence(400)]);
        Assert.Equal("kargom nerede", (await EndAsync(session)).Text);
    }

    [SpeechFact]
    public async Task A_closed_list_answers_with_one_of_its_phrases_as_it_is_written_there()
    {
        await using var session = await StartAsync(new RecognitionOptions
        {
            Grammar = GrammarMode.Closed,
            Phrases = ["Fatura sorgulama", "Kargom nerede?", "Müşteri temsilcisi"],
        });
        await Engines.WriteFramesAsync(session, [.. await SpeakAsync("kargom nerede"), .. Sound.Silence(400)]);
        Assert.Equal("Kargom nerede?", (await EndAsync(session)).Text);
    }

    [SpeechFact]
    public async Task A_language_that_it_does_not_know_is_refused_with_the_ones_that_it_knows()
    {
        var error = await Assert.ThrowsAsync<SpeechEngineException>(async () => await StartAsync(new RecognitionOptions { Language = "ja" }));
        Assert.Equal(SpeechFault.LanguageUnsupported, error.Fault);
        Assert.Contains("tr", error.Message);
        Assert.Contains("ja", error.Message);
    }

    [SpeechFact]
    public async Task A_region_does_not_matter()
    {
        await using var session = await StartAsync(new RecognitionOptions { Language = "tr-TR" });
        Assert.Equal("", (await EndAsync(session)).Text);
    }

    [SpeechFact]
    public async Task A_cancelled_wish_is_given_up()
    {
        await using var session = await StartAsync();
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await session.WriteAsync(new short[160], cancelled));
    }

    [SpeechFact]
    public async Task After_its_end_a_session_takes_nothing_and_its_partials_end()
    {
        var session = await StartAsync();
        await session.DisposeAsync();
        await session.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await session.WriteAsync(new short[160], CancellationToken.None));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await session.EndUtteranceAsync(CancellationToken.None));
        await DrainAsync(session).WaitAsync(Patience);
    }

    protected ValueTask<IRecognitionSession> StartAsync(RecognitionOptions? options = null) =>
        Recognizer.StartAsync(options ?? new RecognitionOptions { Phrases = ["kargom nerede", "evet", "merhaba"] }, CancellationToken.None);

    protected static async Task<RecognitionResult> EndAsync(IRecognitionSession session) =>
        await session.EndUtteranceAsync(CancellationToken.None).AsTask().WaitAsync(Patience);

    protected static async Task<List<RecognitionResult>> DrainAsync(IRecognitionSession session)
    {
        var all = new List<RecognitionResult>();
        await foreach (var partial in session.Partials)
        {
            all.Add(partial);
        }

        return all;
    }
}
