using Sentiric.Speech.Tests.Kit;

namespace Sentiric.Speech.Tests.Recognition;

[Needs(Need.Runtime | Need.CtcModel | Need.Espeak)]
public class CtcRecognizerContract : RecognizerContract
{
    protected override ISpeechRecognizer Recognizer => Engines.Ctc;

    protected override async Task<short[]> SpeakAsync(string phrase) => Sound.OverThePhone(await Engines.SayAsync(phrase));
}

/// <summary>The built-in recogniser on what it is made for: synthetic callers, a phrase list, a telephone line.</summary>
[Needs(Need.Runtime | Need.CtcModel | Need.Espeak)]
public class CtcRecognizerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly string[] Phrases =
    [
        "merhaba randevu almak istiyorum", "yarın saat on dörtte gelebilir miyim", "evet", "hayır", "tamam", "iptal etmek istiyorum",
        "adım ahmet yılmaz", "kargom nerede", "müşteri temsilcisine bağlanmak istiyorum", "çalışma saatleriniz nedir",
        "teşekkür ederim iyi günler", "sipariş numaram üç beş yedi iki", "faturamı ödemek istiyorum", "salı günü saat onda uygun",
    ];

    [Trait("Category", "Slow")]
    [SpeechFact]
    public async Task Nine_of_ten_phrases_of_the_list_are_heard_exactly_over_a_noisy_line()
    {
        var (right, heard) = await HearAllAsync(GrammarMode.Biased, noise: 250);
        Assert.True(right >= 0.9 * Phrases.Length * 2, $"only {right} of {Phrases.Length * 2}: {string.Join(" | ", heard)}");
    }

    [Trait("Category", "Slow")]
    [SpeechFact]
    public async Task Every_phrase_of_a_closed_list_is_heard_over_a_noisy_line()
    {
        var (right, heard) = await HearAllAsync(GrammarMode.Closed, noise: 250);
        Assert.True(right == Phrases.Length * 2, $"only {right} of {Phrases.Length * 2}: {string.Join(" | ", heard)}");
    }

    [SpeechFact]
    public async Task A_clean_phrase_is_surer_than_another_sentence_and_that_surer_than_noise()
    {
        float clean = (await HearAsync(await PhoneAsync("merhaba randevu almak istiyorum"), GrammarMode.Biased)).Confidence;
        float foreign = (await HearAsync(await PhoneAsync("köpekler gürültülü bahçede oynaşıyorlarmış"), GrammarMode.Biased)).Confidence;
        float noise = (await HearAsync(Sound.Noise(2000, amplitude: 3000), GrammarMode.Biased)).Confidence;
        Assert.True(clean > foreign + 0.2 && foreign >= noise, $"clean {clean:F2}, foreign {foreign:F2}, noise {noise:F2}");
        Assert.True(clean > 0.7, $"clean {clean:F2}");
        Assert.True(noise < 0.3, $"noise {noise:F2}");
    }

    [SpeechFact]
    public async Task Something_that_is_not_in_a_closed_list_is_hardly_believed()
    {
        var result = await HearAsync(await PhoneAsync("dün akşam sinemaya gittik"), GrammarMode.Closed);
        Assert.True(result.Confidence < 0.2, $"\"{result.Text}\" {result.Confidence:F2}");
    }

    [SpeechFact]
    public async Task Noise_before_and_after_the_words_does_not_matter()
    {
        short[] noise = Sound.Noise(1500, amplitude: 120);
        var result = await HearAsync([.. noise, .. await PhoneAsync("faturamı ödemek istiyorum"), .. noise], GrammarMode.Biased);
        Assert.Equal("faturamı ödemek istiyorum", result.Text);
        Assert.InRange(result.Start, TimeSpan.FromSeconds(1.2), TimeSpan.FromSeconds(2.3));
    }

    [SpeechFact]
    public async Task Partials_grow_while_the_caller_speaks()
    {
        var session = await Engines.Ctc.StartAsync(new RecognitionOptions { Phrases = Phrases }, CancellationToken.None);
        var reading = ReadAsync(session);
        await Engines.WriteFramesAsync(session, await PhoneAsync("müşteri temsilcisine bağlanmak istiyorum"));
        await session.EndUtteranceAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
        await session.DisposeAsync();
        var partials = await reading.WaitAsync(Patience);
        Assert.NotEmpty(partials);
        Assert.All(partials, partial => Assert.Equal(RecognitionKind.Partial, partial.Kind));
        Assert.All(partials, partial => Assert.InRange(partial.Confidence, 0f, 1f));
        Assert.StartsWith("müşteri", partials[^1].Text);
    }

    [SpeechFact]
    public async Task Other_readings_come_when_asked_for_best_first()
    {
        await using var session = await Engines.Ctc.StartAsync(
            new RecognitionOptions { Phrases = Phrases, MaxAlternatives = 3 }, CancellationToken.None);
        await Engines.WriteFramesAsync(session, Sound.Mix(await PhoneAsync("adım ahmet yılmaz"), Sound.Noise(1000, amplitude: 1500)));
        var result = await session.EndUtteranceAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
        Assert.InRange(result.Alternatives.Count, 1, 3);
        Assert.DoesNotContain(result.Alternatives, other => other.Text == result.Text);
    }

    [SpeechFact]
    public async Task Audio_at_16_kHz_is_heard_as_well()
    {
        short[] wide = SpeechResampler.Convert(await PhoneAsync("kargom nerede"), 8000, 16_000);
        await using var session = await Engines.Ctc.StartAsync(
            new RecognitionOptions { Phrases = Phrases, SampleRate = 16_000 }, CancellationToken.None);
        await session.WriteAsync(wide, CancellationToken.None);
        Assert.Equal("kargom nerede", (await session.EndUtteranceAsync(CancellationToken.None).AsTask().WaitAsync(Patience)).Text);
    }

    [SpeechFact]
    public async Task One_session_more_than_the_limit_is_refused_and_a_closed_one_makes_room()
    {
        using var pool = new SpeechWorkerPool(1);
        await using var recognizer = new CtcRecognizer(
            Engines.Runtime, new CtcRecognizerOptions { ModelPath = SpeechFiles.Required(SpeechFiles.CtcModel), MaxSessions = 1 }, pool);
        var only = await recognizer.StartAsync(new RecognitionOptions(), CancellationToken.None);
        var error = await Assert.ThrowsAsync<SpeechEngineException>(async () => await recognizer.StartAsync(new RecognitionOptions(), CancellationToken.None));
        Assert.Equal(SpeechFault.Overloaded, error.Fault);
        await only.DisposeAsync();
        await using var next = await recognizer.StartAsync(new RecognitionOptions(), CancellationToken.None);
    }

    [Trait("Category", "Slow")]
    [SpeechFact]
    public async Task Twenty_callers_at_once_are_each_understood()
    {
        short[] audio = [.. await PhoneAsync("kargom nerede"), .. Sound.Silence(300)];
        var heard = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => HearAsync(audio, GrammarMode.Biased))).WaitAsync(Patience);
        Assert.All(heard, result => Assert.Equal("kargom nerede", result.Text));
    }

    private static async Task<(int Right, List<string> Wrong)> HearAllAsync(GrammarMode grammar, int noise)
    {
        int right = 0;
        var wrong = new List<string>();
        foreach (string phrase in Phrases)
        {
            foreach (string voice in (string[])["tr", "tr+f2"])
            {
                short[] audio = [.. Sound.Silence(300), .. await Engines.SayAsync(phrase, voice), .. Sound.Silence(400)];
                var result = await HearAsync(Sound.OverThePhone(Sound.Mix(audio, Sound.Noise(3000, noise))), grammar);
                right += result.Text == phrase ? 1 : 0;
                if (result.Text != phrase)
                {
                    wrong.Add($"{phrase} -> {result.Text}");
                }
            }
        }

        return (right, wrong);
    }

    private static async Task<RecognitionResult> HearAsync(short[] audio, GrammarMode grammar)
    {
        await using var session = await Engines.Ctc.StartAsync(
            new RecognitionOptions { Phrases = Phrases, Grammar = grammar }, CancellationToken.None);
        await Engines.WriteFramesAsync(session, audio);
        return await session.EndUtteranceAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
    }

    private static async Task<short[]> PhoneAsync(string text) => Sound.OverThePhone([.. Sound.Silence(300), .. await Engines.SayAsync(text), .. Sound.Silence(400)]);

    private static async Task<List<RecognitionResult>> ReadAsync(IRecognitionSession session)
    {
        var all = new List<RecognitionResult>();
        await foreach (var partial in session.Partials)
        {
            all.Add(partial);
        }

        return all;
    }
}
