using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Sentiric.Contracts.Services;
using Sentiric.Host.Ports;
using Sentiric.Host.Tests.Kit;
using Sentiric.Speech;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Ports;

/// <summary>What the ports of the media, stt and tts roles keep, called directly or over HTTP and WebSocket.</summary>
public abstract class SoundPortsContract : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly FakeMedia _behind = new();
    private Front _front = null!;

    public async Task InitializeAsync() => _front = await ConnectAsync(_behind, new FakeVoice(), new FakeEar());

    public virtual Task DisposeAsync() => Task.CompletedTask;

    private protected abstract Task<Front> ConnectAsync(IMediaSessions media, ISpeechSynthesizer voice, ISpeechRecognizer ear);

    private protected sealed record Front(IMediaSessions Media, ISpeechSynthesizer Voice, ISpeechRecognizer Ear);

    [Fact]
    public async Task A_session_is_opened_or_refused_by_code()
    {
        var call = Guid.CreateVersion7();
        Assert.Equal(
            new MediaOpened(call.ToString("N"), "v=0\r\nanswer\r\n", "127.0.0.1:30000", "127.0.0.1:4000", "PCMA"), (await _front.Media.OpenAsync(new(call, "demo", "v=0\r\n"), None)).Value);
        Assert.Equal("media.ports_exhausted", (await _front.Media.OpenAsync(new(call, "demo", "x"), None)).Refusal?.Code);
        Assert.Equal(new MediaRenegotiated("v=0\r\n", true), (await _front.Media.RenegotiateAsync("held", "v=0\r\n", None)).Value);
        Assert.Equal(new MediaOffered("01930000000070008000000000000001", "demo"), (await _front.Media.OfferAsync(new(new("01930000-0000-7000-8000-000000000001"), "demo"), None)).Value);
        Assert.Equal(new MediaOffered("s", "again"), (await _front.Media.OfferAgainAsync("s", None)).Value);
        Assert.Equal(new MediaOpened("s", "v=0\r\n", "127.0.0.1:1", "127.0.0.1:2", "PCMU"), (await _front.Media.AcceptAsync("s", "v=0\r\n", None)).Value);
        Assert.Equal("demo/s.wav", (await _front.Media.RecordAsync("s", None)).Value.Uri);
        Assert.True((await _front.Media.EchoAsync("s", true, None)).Ok);
        Assert.Equal("s", (await _front.Media.EchoAsync("s", false, None)).Refusal?.Why);
        Assert.True((await _front.Media.MusicAsync("s", true, None)).Ok);
        Assert.Equal("s", (await _front.Media.MusicAsync("s", false, None)).Refusal?.Why);
        Assert.True((await _front.Media.JoinAsync("s", "t", None)).Ok);
        Assert.Equal("s", (await _front.Media.JoinAsync("s", "s", None)).Refusal?.Why);
        var closed = (await _front.Media.CloseAsync("s", None)).Value;
        Assert.Equal((4_000_000_000u, "demo/x.wav"), (closed.Quality!.Ssrc, closed.Recording!.Uri));
    }

    [Fact]
    public async Task What_a_trunk_bears_reaches_the_media()
    {
        var profile = new MediaProfile(["PCMU", "PCMA"], TelephoneEvent: false);
        Assert.Equal("v=0\r\nanswer\r\nPCMU+PCMA False", (await _front.Media.OpenAsync(new(Guid.Empty, "demo", "v=0\r\n", profile), None)).Value.SdpAnswer);
        Assert.Equal("demo True", (await _front.Media.OfferAsync(new(Guid.Empty, "demo", new MediaProfile([])), None)).Value.SdpOffer);
        Assert.Equal("demoPCMA True", (await _front.Media.OfferAsync(new(Guid.Empty, "demo", new MediaProfile(["PCMA"])), None)).Value.SdpOffer);
    }

    [Fact]
    public async Task What_is_played_arrives_sample_by_sample_and_the_outcome_comes_back()
    {
        var voice = Enumerable.Range(0, 20).Select(n => Enumerable.Range(0, n * 97).Select(i => (short)((i * 31) + n)).ToArray()).ToArray();
        var outcome = (await Soon.Within(_front.Media.PlayAsync("s/1", "p 1", Chunks(voice), None).AsTask(), "the playback")).Value;
        var all = voice.SelectMany(c => c).ToArray();
        Assert.Equal(new PlaybackOutcome("p 1", false, all.Length / 8), outcome);
        _behind.Heard.Writer.Complete();
        var heard = new List<short>();
        await foreach (var chunk in _behind.Heard.Reader.ReadAllAsync())
        {
            heard.AddRange(chunk);
        }

        Assert.Equal(all, heard);
    }

    [Fact]
    public async Task D14_ten_minutes_of_voice_in_one_go_are_taken_whole()
    {
        var outcome = (await Soon.Within(_front.Media.PlayAsync("s", "p", Chunks([.. Enumerable.Range(0, 600).Select(_ => new short[8_000])]), None).AsTask(), "the playback")).Value;
        Assert.Equal(600_000, outcome.HeardMs);
    }

    [Fact]
    public async Task Clear_interrupts_a_running_playback_while_its_voice_is_still_being_made()
    {
        var more = new TaskCompletionSource();
        var playing = _front.Media.PlayAsync("s", "p", Slow(more.Task), None).AsTask();
        Assert.Equal(800, (await Soon.Within(_behind.Heard.Reader.ReadAsync().AsTask(), "the first words")).Length);
        Assert.True((await _front.Media.ClearAsync("s", None)).Ok);
        Assert.Equal(new PlaybackOutcome("p", true, 100), (await Soon.Within(playing, "the interruption")).Value);
        more.SetResult();
    }

    [Fact]
    public async Task Playing_to_nobody_is_refused() =>
        Assert.Equal("media.session_unknown", (await Soon.Within(_front.Media.PlayAsync("nobody", "p", Chunks(new short[8]), None).AsTask(), "the refusal")).Refusal?.Code);

    [Fact]
    public async Task A_voice_that_breaks_is_the_players_to_see() => await Assert.ThrowsAsync<SpeechEngineException>(async () =>
        await _front.Media.PlayAsync("s", "p", Broken(), None));

    [Fact]
    public async Task Frames_come_in_order_with_what_is_known_of_them()
    {
        _behind.Frames.AddRange(Enumerable.Range(0, 500).Select(n => new AudioFrame(n, n * 20, Enumerable.Range(0, 160).Select(i => (short)(i - n)).ToArray(), n % 7 == 0)));
        var heard = new List<AudioFrame>();
        await foreach (var frame in _front.Media.ListenAsync("s/1", None))
        {
            heard.Add(frame);
        }

        Assert.Equal(_behind.Frames.Select(f => (f.Index, f.ElapsedMs, f.Concealed)), heard.Select(f => (f.Index, f.ElapsedMs, f.Concealed)));
        Assert.All(heard.Zip(_behind.Frames), pair => Assert.Equal(pair.Second.Pcm.ToArray(), pair.First.Pcm.ToArray()));
    }

    [Fact]
    public async Task A_text_is_spoken_whole_at_the_rate_asked_for()
    {
        var chunks = await SpeakAsync("Çalışma saatlerimiz dokuz ile altı arasıdır.", 16_000);
        Assert.Equal("Çalışma saatlerimiz dokuz ile altı arasıdır.", string.Concat(chunks.SelectMany(c => c.Pcm.ToArray()).Select(s => (char)s)));
        Assert.All(chunks, c => Assert.Equal(16_000, c.SampleRate));
        Assert.Empty(await SpeakAsync(""));
    }

    [Fact]
    public async Task A_voice_that_cannot_speak_says_why() =>
        Assert.Equal(SpeechFault.VoiceUnsupported, (await Assert.ThrowsAsync<SpeechEngineException>(() => SpeakAsync("sus"))).Fault);

    [Fact]
    public async Task A_voice_that_breaks_in_the_middle_of_a_sentence_does_not_end_it_quietly() =>
        await Assert.ThrowsAsync<SpeechEngineException>(() => SpeakAsync("bozul"));

    [Fact]
    public async Task An_utterance_gives_partials_and_one_final()
    {
        await using var session = await _front.Ear.StartAsync(new() { Phrases = ["muayene"] }, None);
        await session.BeginUtteranceAsync(TimeSpan.FromMilliseconds(300), None);
        await session.WriteAsync(new short[] { 1, 2, 3, 4 }, None);
        Assert.Equal("2404 örnek, toplam 10", (await FirstAsync(session.Partials)).Text);
        Assert.Equal("2404 örnek, toplam 10", session.CurrentPartial?.Text);
        await session.WriteAsync(new short[] { -20 }, None);
        var final = await Soon.Within(session.EndUtteranceAsync(None).AsTask(), "the final");
        Assert.Equal((RecognitionKind.Final, "2405 örnek, toplam -10", 0.9f, "tr"), (final.Kind, final.Text, final.Confidence, final.Language));
        Assert.Equal(new RecognitionAlternative("başka", 0.1f), Assert.Single(final.Alternatives));
        Assert.Null(session.CurrentPartial);
    }

    [Fact]
    public async Task D30_utterances_follow_each_other_with_one_final_each()
    {
        await using var session = await _front.Ear.StartAsync(new(), None);
        for (short n = 1; n <= 20; n++)
        {
            await session.WriteAsync(new short[] { n }, None);
            Assert.Equal($"1 örnek, toplam {n}", (await Soon.Within(session.EndUtteranceAsync(None).AsTask(), "the final")).Text);
        }
    }

    [Fact]
    public async Task A_language_that_is_not_spoken_is_refused_with_its_fault()
    {
        var refused = await Assert.ThrowsAsync<SpeechEngineException>(async () => await _front.Ear.StartAsync(new() { Language = "xx" }, None));
        Assert.Equal((SpeechFault.LanguageUnsupported, "xx is not spoken. Use tr.", "Use tr."), (refused.Fault, refused.Message, refused.Remedy));
    }

    [Fact]
    public async Task An_engine_that_fails_in_an_utterance_says_why()
    {
        await using var session = await _front.Ear.StartAsync(new() { Phrases = ["bozul"] }, None);
        await session.WriteAsync(new short[160], None);
        var failed = await Assert.ThrowsAsync<SpeechEngineException>(async () => await Soon.Within(session.EndUtteranceAsync(None).AsTask(), "the failure"));
        Assert.Equal(SpeechFault.Overloaded, failed.Fault);
    }

    private async Task<List<AudioChunk>> SpeakAsync(string text, int rate = 8_000)
    {
        var chunks = new List<AudioChunk>();
        await foreach (var chunk in _front.Voice.SynthesizeAsync(new(text, "tr", SampleRate: rate), None))
        {
            chunks.Add(chunk);
        }

        return chunks;
    }

    private static async Task<RecognitionResult> FirstAsync(IAsyncEnumerable<RecognitionResult> partials)
    {
        var enumerator = partials.GetAsyncEnumerator();
        Assert.True(await Soon.Within(enumerator.MoveNextAsync().AsTask(), "a partial"));
        return enumerator.Current;
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<short>> Chunks(params short[][] chunks)
    {
        foreach (var chunk in chunks)
        {
            await Task.Yield();
            yield return chunk;
        }
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<short>> Slow(Task more, [EnumeratorCancellation] CancellationToken ct = default)
    {
        yield return new short[800];
        await more;
        yield return new short[800];
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<short>> Broken()
    {
        yield return new short[800];
        await Task.Yield();
        throw new SpeechEngineException(SpeechFault.EngineFailed, "Broke.", "");
    }
}

public sealed class SoundPortsInProcess : SoundPortsContract
{
    private protected override Task<Front> ConnectAsync(IMediaSessions media, ISpeechSynthesizer voice, ISpeechRecognizer ear) => Task.FromResult(new Front(media, voice, ear));
}

public sealed class SoundPortsOverHttp : SoundPortsContract
{
    private LoopbackApp _app = null!;

    private protected override async Task<Front> ConnectAsync(IMediaSessions media, ISpeechSynthesizer voice, ISpeechRecognizer ear)
    {
        _app = await LoopbackApp.StartAsync(app =>
        {
            app.UseWebSockets();
            MediaPort.Map(app, media);
            SynthesizerPort.Map(app, voice);
            RecognizerPort.Map(app, ear);
        }, Given.WireJson);
        var client = ServiceClients.ClientFor(_app.Address, Given.ServiceKey);
        return new(new MediaPort(client, Given.ServiceKey), new SynthesizerPort(client), new RecognizerPort(_app.Address, Given.ServiceKey));
    }

    public override async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task Roles_that_do_not_answer_fail_as_what_they_are()
    {
        var nowhere = new Uri("http://127.0.0.1:1/");
        var client = ServiceClients.ClientFor(nowhere, Given.ServiceKey);
        var ear = await Assert.ThrowsAsync<SpeechEngineException>(async () => await new RecognizerPort(nowhere, "k").StartAsync(new(), CancellationToken.None));
        Assert.Equal(SpeechFault.RemoteFailed, ear.Fault);
        await Assert.ThrowsAsync<ServiceUnavailableException>(async () => await new MediaPort(client, "k").PlayAsync("s", "p", AsyncEnumerable.Empty<ReadOnlyMemory<short>>(), CancellationToken.None));
        await Assert.ThrowsAsync<SpeechEngineException>(async () =>
        {
            await foreach (var _ in new SynthesizerPort(client).SynthesizeAsync(new("a", "tr"), CancellationToken.None))
            {
            }
        });
    }

    [Theory]
    [InlineData("/internal/media/listen/s")]
    [InlineData("/internal/media/play/s/p")]
    [InlineData("/internal/stt/stream")]
    public async Task A_socket_path_without_an_upgrade_says_so(string path)
    {
        using var response = await _app.Client.GetAsync(path);
        Assert.Equal(426, (int)response.StatusCode);
    }
}
