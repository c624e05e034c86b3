using Microsoft.Extensions.Logging.Abstractions;
using Sentiric.Calls.Media;
using Sentiric.Calls.Tests.Kit;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Media;
using Sentiric.Testing.Loopback;

namespace Sentiric.Calls.Tests.Media;

/// <summary>Supervisors, and music for those who wait: over the real engine, with telephones on loopback sockets, by what each hears.</summary>
public sealed class SittingBesideACall : IAsyncLifetime
{
    private const double Clear = 0.85, Nothing = 0.3;
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("sentiric-beside-").FullName;
    private readonly JournalRecorder _journal = new();
    private readonly Guid _call = Guid.CreateVersion7();
    private readonly MediaEngine _engine = new();
    private FactWriter _facts = null!;
    private MediaSessions _media = null!;

    public Task InitializeAsync()
    {
        _facts = new FactWriter(_journal, TimeProvider.System, NullLogger<FactWriter>.Instance);
        var music = Path.Combine(_folder, "music.wav");
        WavFile.Write(music, Said(2_300));
        var shelf = new RecordingShelf(new RecordingPlace(_folder), new OneKey(), _facts, TimeProvider.System, NullLogger<RecordingShelf>.Instance);
        _media = new MediaSessions(_engine, _facts, shelf, TimeProvider.System, NullLogger<MediaSessions>.Instance, HoldMusic.From(music));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _facts.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Trait("Category", "Slow")]
    [Fact]
    public async Task A_listener_hears_the_caller_left_and_what_the_caller_hears_right_and_nobody_hears_him()
    {
        var (caller, session) = await ConnectedAsync(null);
        Repeat(caller, 300);
        await using var supervision = _media.Supervise("demo", _call, "key:ofis", SupervisionMode.Listen).Value;
        Assert.False(supervision.IsBridged);
        _ = _media.PlayAsync(session, "p", Once(Repeated(1_100)), None).AsTask();
        supervision.Speak(Repeated(1_900));
        var (left, right) = await HearBothAsync(supervision, 2);
        Assert.True(Likeness(300, left) > Clear, $"the caller: {Likeness(300, left)}");
        Assert.True(Likeness(1_100, right) > Clear, $"the platform: {Likeness(1_100, right)}");
        Assert.True(Likeness(1_100, left) < Nothing && Likeness(300, right) < Nothing, "the sides are mixed up");
        Assert.True(Likeness(1_900, await HearAsync(caller, 1)) < Nothing, "the caller hears the listener");
    }

    [Trait("Category", "Slow")]
    [Fact]
    public async Task A_whisper_is_heard_by_the_person_and_not_by_the_caller()
    {
        var (caller, human) = await BridgedAsync();
        await using var supervision = _media.Supervise("demo", _call, "key:ofis", SupervisionMode.Whisper).Value;
        Assert.True(supervision.IsBridged);
        using var over = new CancellationTokenSource();
        var speaking = SpeakAsync(supervision, 1_900, over.Token);
        Repeat(caller, 300);
        var heard = await Task.WhenAll(HearAsync(caller, 2), HearAsync(human, 2));
        Assert.True(Likeness(1_900, heard[1]) > 0.6, $"the person hears {Likeness(1_900, heard[1])}");
        Assert.True(Likeness(300, heard[1]) > 0.2, $"and the caller, turned down: {Likeness(300, heard[1])}");
        Assert.True(Likeness(1_900, heard[0]) < Nothing, $"the caller hears {Likeness(1_900, heard[0])}");

        Assert.True(supervision.Use(SupervisionMode.Join).Ok);
        Assert.True(await Soon.Within(HearsAsync(caller, 1_900), "the caller to hear who joined"));
        // Who joined does not hear himself.
        while (supervision.Frames.TryRead(out _))
        {
        }

        var (_, right) = await HearBothAsync(supervision, 1);
        Assert.True(Likeness(1_900, right) < Nothing, $"his own voice comes back: {Likeness(1_900, right)}");
        await over.CancelAsync();
        await speaking;
    }

    [Fact]
    public async Task Who_listens_and_how_long_is_written_into_the_story_of_the_call()
    {
        await BridgedAsync();
        var supervision = _media.Supervise("demo", _call, "key:ofis", SupervisionMode.Listen).Value;
        Assert.True(supervision.Use(SupervisionMode.Whisper).Ok);
        await supervision.DisposeAsync();
        await supervision.DisposeAsync();
        var story = await _journal.UntilAsync<SupervisionEnded>();
        Assert.Equal([SupervisionMode.Listen, SupervisionMode.Whisper], story.OfType<CallSupervised>().Select(s => s.Mode));
        Assert.All(story.OfType<CallSupervised>(), s => Assert.Equal("key:ofis", s.By));
        Assert.Equal("key:ofis", Assert.Single(story.OfType<SupervisionEnded>()).By);
    }

    [Fact]
    public async Task Nobody_is_whispered_to_where_nobody_is_and_another_tenant_s_call_is_unknown()
    {
        await ConnectedAsync(null);
        Assert.Equal("call.not_bridged", _media.Supervise("demo", _call, "key:x", SupervisionMode.Whisper).Refusal?.Code);
        Assert.Equal("call.unknown", _media.Supervise("other", _call, "key:x", SupervisionMode.Listen).Refusal?.Code);
        Assert.Equal("call.unknown", _media.Supervise("demo", Guid.NewGuid(), "key:x", SupervisionMode.Listen).Refusal?.Code);
        var four = Enumerable.Range(0, 4).Select(_ => _media.Supervise("demo", _call, "key:x", SupervisionMode.Listen).Value).ToList();
        Assert.Equal("call.too_many_listeners", _media.Supervise("demo", _call, "key:x", SupervisionMode.Listen).Refusal?.Code);
        await four[0].DisposeAsync();
        Assert.True(_media.Supervise("demo", _call, "key:x", SupervisionMode.Listen).Ok);
    }

    [Fact]
    public async Task The_ear_ends_with_the_call()
    {
        var (_, session) = await ConnectedAsync(null);
        await using var supervision = _media.Supervise("demo", _call, "key:x", SupervisionMode.Listen).Value;
        await _media.CloseAsync(session, None);
        await Soon.Within(DrainAsync(supervision), "the end of the frames");

        static async Task DrainAsync(Supervision supervision)
        {
            await foreach (var _ in supervision.Frames.ReadAllAsync())
            {
            }
        }
    }

    [Trait("Category", "Slow")]
    [Fact]
    public async Task Who_waits_hears_the_music_until_it_is_switched_off()
    {
        var (caller, session) = await ConnectedAsync(null);
        Assert.True((await _media.MusicAsync(session, true, None)).Ok);
        Assert.True((await _media.MusicAsync(session, true, None)).Ok);
        Assert.True(Likeness(2_300, await HearAsync(caller, 2)) > 0.95);
        await _media.MusicAsync(session, false, None);
        await HearAsync(caller, 1);
        Assert.True(Likeness(2_300, await HearAsync(caller, 1)) < Nothing);
        Assert.Equal("media.session_unknown", (await _media.MusicAsync("nobody", true, None)).Refusal?.Code);
    }

    [Fact]
    public async Task Beside_one_who_sends_silence_the_music_plays_and_beside_one_who_speaks_it_does_not()
    {
        var (caller, human) = await BridgedAsync();
        await _media.MusicAsync(Id(null), true, None);
        Assert.True(await Soon.Within(HearsAsync(caller, 2_300), "the music beside a telephone that sends silence"));
        Repeat(human, 300);
        Assert.True(await Soon.Within(HearsAsync(caller, 300), "the other's own music"));
        Assert.True(Likeness(2_300, await HearAsync(caller, 1)) < Nothing, "both at once");
    }

    private string Id(string? leg) => _call.ToString("N") + (leg is null ? "" : "-" + leg);

    private async Task<(MediaSession Phone, string Session)> ConnectedAsync(string? leg)
    {
        var phone = _engine.Open().Session!;
        var offered = (await _media.OfferAsync(new OfferMedia(_call, "demo", Leg: leg), None)).Value;
        Assert.True((await _media.AcceptAsync(offered.SessionId, phone.Answer(offered.SdpOffer).Sdp!, None)).Ok);
        return (phone, offered.SessionId);
    }

    private async Task<(MediaSession Caller, MediaSession Human)> BridgedAsync()
    {
        var ((caller, one), (human, other)) = (await ConnectedAsync(null), await ConnectedAsync("transfer"));
        Assert.True((await _media.JoinAsync(one, other, None)).Ok);
        return (caller, human);
    }

    // 300 ms that no other beginning resembles, and a pause.
    private static short[] Said(int hertz) => [.. Tone.Sweep(hertz, hertz + 500, TimeSpan.FromMilliseconds(300), 0.2), .. new short[800], .. Tone.Sweep(hertz + 500, hertz, TimeSpan.FromMilliseconds(600), 0.2)];

    private static short[] Repeated(int hertz) => [.. Enumerable.Repeat(Said(hertz), 40).SelectMany(s => s)];

    private static void Repeat(MediaSession phone, int hertz) => phone.Play("says", Repeated(hertz));

    private static async IAsyncEnumerable<ReadOnlyMemory<short>> Once(short[] pcm)
    {
        await Task.CompletedTask;
        yield return pcm;
    }

    // As fast as the media clock takes it, like a microphone.
    private async Task SpeakAsync(Supervision supervision, int hertz, CancellationToken over)
    {
        var (said, at) = (Repeated(hertz), 0);
        var clock = _engine.Open().Session!;
        clock.Connect(new NegotiatedAudio(new(System.Net.IPAddress.Loopback, 9), new(System.Net.IPAddress.Loopback, 9), AudioCodec.Pcma, 8, null, MediaDirection.SendRecv, RtcpMux: true));
        using var ticks = clock.Listen();
        while (!over.IsCancellationRequested)
        {
            await ticks.Frames.ReadAsync(None);
            supervision.Speak(said.AsSpan(at, 160));
            at = (at + 160) % (said.Length - 160);
        }
    }

    private static async Task<short[]> HearAsync(MediaSession phone, int seconds)
    {
        using var ear = phone.Listen(boundFrames: 500);
        var heard = new List<short>();
        while (heard.Count < seconds * 8_000)
        {
            heard.AddRange((await ear.Frames.ReadAsync()).Pcm.Span);
        }

        return [.. heard];
    }

    private static async Task<bool> HearsAsync(MediaSession phone, int hertz)
    {
        while (Likeness(hertz, await HearAsync(phone, 1)) < Clear)
        {
        }

        return true;
    }

    private static async Task<(short[] Left, short[] Right)> HearBothAsync(Supervision supervision, int seconds)
    {
        var (left, right) = (new List<short>(), new List<short>());
        while (left.Count < seconds * 8_000)
        {
            var frame = (await Soon.Within(supervision.Frames.ReadAsync().AsTask(), "a frame of both sides")).Pcm;
            for (var i = 0; i < frame.Length; i += 2)
            {
                left.Add(frame.Span[i]);
                right.Add(frame.Span[i + 1]);
            }
        }

        return ([.. left], [.. right]);
    }

    // The best correlation of 100 ms of what was said, anywhere in what was heard.
    private static double Likeness(int hertz, short[] heard)
    {
        var piece = Said(hertz).AsSpan(800, 800);
        double own = 0, best = 0;
        foreach (var s in piece)
        {
            own += (double)s * s;
        }

        for (var at = 0; at + piece.Length <= heard.Length; at++)
        {
            double product = 0, energy = 1e5;
            for (var i = 0; i < piece.Length; i++)
            {
                product += (double)piece[i] * heard[at + i];
                energy += (double)heard[at + i] * heard[at + i];
            }

            best = Math.Max(best, product / Math.Sqrt(own * energy));
        }

        return best;
    }
}
