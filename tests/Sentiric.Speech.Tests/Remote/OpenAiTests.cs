using Sentiric.Speech.Tests.Kit;
using Sentiric.Speech.Tests.Recognition;
using Sentiric.Speech.Tests.Synthesis;

namespace Sentiric.Speech.Tests.Remote;

public class OpenAiRecognizerContract : RecognizerContract, IAsyncLifetime
{
    private readonly HttpClient http = new();
    private FakeSpeechServer? server;

    protected override ISpeechRecognizer Recognizer => new OpenAiSpeechRecognizer(http, OpenAiTests.OptionsFor(Server));

    private FakeSpeechServer Server => server ?? throw new InvalidOperationException("The server has not started.");

    public async Task InitializeAsync() => server = await FakeSpeechServer.StartAsync();

    public async Task DisposeAsync()
    {
        http.Dispose();
        await Server.DisposeAsync();
    }

    protected override Task<short[]> SpeakAsync(string phrase)
    {
        short[] audio = Sound.Noise(900, amplitude: 5000, seed: phrase.Sum(letter => letter));
        Server.Teach(audio, phrase);
        return Task.FromResult(audio);
    }
}

public class OpenAiSynthesizerContract : SynthesizerContract, IAsyncLifetime
{
    private readonly HttpClient http = new();
    private FakeSpeechServer? server;

    protected override ISpeechSynthesizer Synthesizer => new OpenAiSpeechSynthesizer(http, OpenAiTests.OptionsFor(Server));

    private FakeSpeechServer Server => server ?? throw new InvalidOperationException("The server has not started.");

    public async Task InitializeAsync() => server = await FakeSpeechServer.StartAsync();

    public async Task DisposeAsync()
    {
        http.Dispose();
        await Server.DisposeAsync();
    }
}

public sealed class OpenAiTests : IAsyncLifetime
{
    private readonly HttpClient http = new();
    private FakeSpeechServer? server;

    private FakeSpeechServer Server => server ?? throw new InvalidOperationException("The server has not started.");

    public static OpenAiSpeechOptions OptionsFor(FakeSpeechServer server) =>
        new() { BaseAddress = server.Address, ApiKey = FakeSpeechServer.Key, Languages = ["tr", "en"] };

    public async Task InitializeAsync() => server = await FakeSpeechServer.StartAsync();

    public async Task DisposeAsync()
    {
        http.Dispose();
        await Server.DisposeAsync();
    }

    [Fact]
    public async Task The_request_carries_language_model_and_phrases()
    {
        await HearAsync(OptionsFor(Server), new RecognitionOptions { Language = "tr-TR", Phrases = ["Kargom nerede?", "evet"] });
        Assert.Equal("tr", Server.LastForm["language"]);
        Assert.Equal("whisper-1", Server.LastForm["model"]);
        Assert.Equal("Kargom nerede?, evet", Server.LastForm["prompt"]);
    }

    [Fact]
    public async Task An_open_grammar_sends_no_phrases()
    {
        await HearAsync(OptionsFor(Server), new RecognitionOptions { Grammar = GrammarMode.Open, Phrases = ["evet"] });
        Assert.DoesNotContain("prompt", Server.LastForm.Keys);
    }

    [Fact]
    public async Task Silence_is_not_sent_at_all()
    {
        await using var session = await new OpenAiSpeechRecognizer(http, OptionsFor(Server)).StartAsync(new RecognitionOptions(), CancellationToken.None);
        await session.WriteAsync(Sound.Silence(2000), CancellationToken.None);
        Assert.True((await session.EndUtteranceAsync(CancellationToken.None)).IsEmpty);
        Assert.Equal(0, Server.Requests);
    }

    [Theory]
    [InlineData(500, "out of memory", "500: out of memory")]
    [InlineData(200, "<html>", "no transcription")]
    [InlineData(200, "{}", "no transcription")]
    public async Task A_bad_answer_is_told(int status, string body, string told)
    {
        Server.Answer = (status, body);
        var error = await Assert.ThrowsAsync<SpeechEngineException>(() => HearAsync(OptionsFor(Server), new RecognitionOptions()));
        Assert.Equal(SpeechFault.RemoteFailed, error.Fault);
        Assert.Contains(told, error.Message);
    }

    [Fact]
    public async Task An_answer_without_probabilities_has_an_unknown_confidence()
    {
        Server.Answer = (200, """{ "text": " Evet. " }""");
        var result = await HearAsync(OptionsFor(Server), new RecognitionOptions());
        Assert.Equal(("Evet.", OpenAiSpeechRecognizer.UnknownConfidence), (result.Text, result.Confidence));
    }

    [Fact]
    public async Task A_wrong_key_is_told_without_the_key()
    {
        var error = await Assert.ThrowsAsync<SpeechEngineException>(
            () => HearAsync(OptionsFor(Server) with { ApiKey = "guessed" }, new RecognitionOptions()));
        Assert.Contains("401", error.Message);
        Assert.DoesNotContain("guessed", error.Message);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_told()
    {
        var options = OptionsFor(Server);
        await Server.DisposeAsync();
        var error = await Assert.ThrowsAsync<SpeechEngineException>(() => HearAsync(options, new RecognitionOptions()));
        Assert.Equal(SpeechFault.RemoteFailed, error.Fault);
        Assert.Contains("cannot be reached", error.Message);
    }

    [Fact]
    public async Task A_server_that_fails_to_speak_is_told()
    {
        Server.Answer = (503, "busy");
        var synthesizer = new OpenAiSpeechSynthesizer(http, OptionsFor(Server));
        var error = await Assert.ThrowsAsync<SpeechEngineException>(() => Engines.CollectAsync(synthesizer, new SynthesisRequest("evet", "tr")));
        Assert.Contains("503: busy", error.Message);
    }

    private async Task<RecognitionResult> HearAsync(OpenAiSpeechOptions options, RecognitionOptions session)
    {
        await using var recognizer = new OpenAiSpeechRecognizer(http, options);
        await using var listening = await recognizer.StartAsync(session, CancellationToken.None);
        await listening.WriteAsync(Sound.Noise(500, amplitude: 4000), CancellationToken.None);
        return await listening.EndUtteranceAsync(CancellationToken.None);
    }
}
