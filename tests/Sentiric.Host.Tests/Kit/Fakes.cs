using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Services;
using Sentiric.Speech;

namespace Sentiric.Host.Tests.Kit;

/// <summary>The roles behind the ports, in memory: they remember what they were asked and answer so that a test can tell that it was they.</summary>
internal sealed class Fakes : IUsers, IDialplans, ICallJournal, IKnowledge, IConnectors, IAssistants, IChats, IEventBus, ITrunks, IRegistrations
{
    public static readonly AssistantDefinition Assistant = new(
        "Sena", "tr", "Merhaba", "Kısa konuş.", [new("book", ["randevu"], [new("day", "day", "Hangi gün?", [])], "takvim", "book", "Tamam", "Olmadı", "")], true, ["muayene"]);

    public static readonly DialplanResolution Resolution = new(
        "demo", "ai", 3, DialplanAction.StartAiConversation, new("demo-agent", Record: false), "+902121234567", null, "tr", "normal", ["kural 1", "kural 2"], Assistant, null);

    public static readonly TrunkReport[] Trunks =
    [
        new("carrier", "sip:carrier.example", TrunkCondition.Down, DateTimeOffset.UnixEpoch, new(DateTimeOffset.UnixEpoch, 503, "Bakımda"),
            new(TrunkRegistrationState.Registered, 200, "OK", DateTimeOffset.UnixEpoch), 3),
        new("in-only", null, TrunkCondition.Unknown, null, null, null, 0),
    ];

    public ValueTask<IReadOnlyList<TrunkReport>> ListAsync(CancellationToken ct) => ValueTask.FromResult<IReadOnlyList<TrunkReport>>(Trunks);

    public ValueTask<Page<RegistrationRow>> ListAsync(RegistrationQuestion question, CancellationToken ct)
    {
        Asked.Enqueue(question);
        return ValueTask.FromResult(new Page<RegistrationRow>([], null));
    }

    public ValueTask<Result<Done>> RemoveAsync(RemoveRegistration request, CancellationToken ct) => Say<Done>(request, Done.It);

    public ConcurrentQueue<object> Asked { get; } = new();

    public List<JournalEntry> Journal { get; } = [];

    public Channel<EventEnvelope> Published { get; } = Channel.CreateUnbounded<EventEnvelope>();

    public ValueTask<Result<CallerIdentity>> IdentifyAsync(IdentifyCaller request, CancellationToken ct) => Say<CallerIdentity>(request, request.Policy == GuestPolicy.Reject
        ? new Refusal("caller.unknown", "Bilinmiyor: \"x\".")
        : new CallerIdentity(request.CallId, "Ayşe Yılmaz", UserType.Guest, request.Language, request.From, true));

    public ValueTask<Result<SipCredential>> FindCredentialAsync(string realm, string username, CancellationToken ct) =>
        Say<SipCredential>((realm, username), new SipCredential("demo", Guid.Empty, realm, username, "md5", "sha", true));

    public ValueTask<Result<RouteDecision>> FindRouteAsync(FindRoute request, CancellationToken ct) => Say<RouteDecision>(request, request.To == "404"
        ? new Refusal("route.unknown", "No such number.")
        : new RouteDecision("demo", request.To, "en", GuestPolicy.StayUnknown, true));

    public ValueTask<DialplanResolution> ResolveAsync(ResolveDialplan request, CancellationToken ct)
    {
        Asked.Enqueue(request);
        return ValueTask.FromResult(Resolution);
    }

    public ValueTask<Result<Done>> AppendAsync(string tenant, string stream, IReadOnlyList<JournalEntry> entries, CancellationToken ct)
    {
        Journal.AddRange(entries);
        return Say<Done>((tenant, stream), stream == "full" ? new Refusal("journal.invalid", "No.") : Done.It);
    }

    public ValueTask<IReadOnlyList<KnowledgeHit>> SearchAsync(SearchKnowledge request, CancellationToken ct)
    {
        Asked.Enqueue(request);
        return ValueTask.FromResult<IReadOnlyList<KnowledgeHit>>(request.Query == "yok" ? [] : [new("hours", "Saatler", "Dokuzda.", 0.75)]);
    }

    public ValueTask<IReadOnlyList<string>> QuestionsAsync(string tenant, string language, CancellationToken ct) =>
        ValueTask.FromResult<IReadOnlyList<string>>([tenant, language, "kaçta açıksınız"]);

    public ValueTask<Result<ConnectorOutcome>> ExecuteAsync(ExecuteConnector request, CancellationToken ct) => Say<ConnectorOutcome>(request, request.Action == "taken"
        ? new Refusal("calendar.slot_taken", "Dolu.")
        : new ConnectorOutcome(new Dictionary<string, string> { ["appointment_id"] = request.IdempotencyKey, ["day"] = request.Parameters["day"] }));

    public ValueTask<Result<AssistantDefinition>> FindAsync(string tenant, string assistantId, CancellationToken ct) =>
        Say<AssistantDefinition>((tenant, assistantId), assistantId == "none" ? new Refusal("assistant.unknown", "None.") : Assistant);

    public ValueTask<Result<ChatReply>> StartAsync(StartChat request, CancellationToken ct) => Say<ChatReply>(request, request.AssistantId == "none"
        ? new Refusal("assistant.unknown", "None.")
        : new ChatReply(Guid.Empty, ["Merhaba", request.Contact ?? "kimse"], false));

    public ValueTask<Result<ChatReply>> SayAsync(string tenant, Guid chatId, string text, CancellationToken ct) =>
        Say<ChatReply>((tenant, chatId, text), new ChatReply(chatId, [text], true));

    public async Task PublishAsync(EventEnvelope envelope, CancellationToken ct) => await Published.Writer.WriteAsync(envelope, ct);

    private ValueTask<Result<T>> Say<T>(object question, Result<T> answer)
    {
        Asked.Enqueue(question);
        return ValueTask.FromResult(answer);
    }
}

/// <summary>A media role without wire: it plays into a list and speaks from one.</summary>
internal sealed class FakeMedia : IMediaSessions
{
    private readonly TaskCompletionSource _cleared = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Channel<short[]> Heard { get; } = Channel.CreateUnbounded<short[]>();

    public List<AudioFrame> Frames { get; } = [];

    public ValueTask<Result<MediaOpened>> OpenAsync(OpenMedia request, CancellationToken ct) => ValueTask.FromResult<Result<MediaOpened>>(
        request.SdpOffer.StartsWith("v=0", StringComparison.Ordinal)
            ? new MediaOpened(request.CallId.ToString("N"), request.SdpOffer + "answer\r\n" + Told(request.Profile), "127.0.0.1:30000", "127.0.0.1:4000", "PCMA")
            : new Refusal("media.ports_exhausted", "All RTP ports are in use."));

    public ValueTask<Result<MediaOffered>> OfferAsync(OfferMedia request, CancellationToken ct) =>
        ValueTask.FromResult<Result<MediaOffered>>(new MediaOffered(request.CallId.ToString("N"), request.Tenant + Told(request.Profile)));

    public ValueTask<Result<MediaOffered>> OfferAgainAsync(string sessionId, CancellationToken ct) =>
        ValueTask.FromResult<Result<MediaOffered>>(new MediaOffered(sessionId, "again"));

    public ValueTask<Result<MediaOpened>> AcceptAsync(string sessionId, string sdpAnswer, CancellationToken ct) =>
        ValueTask.FromResult<Result<MediaOpened>>(new MediaOpened(sessionId, sdpAnswer, "127.0.0.1:1", "127.0.0.1:2", "PCMU"));

    public ValueTask<Result<MediaRenegotiated>> RenegotiateAsync(string sessionId, string sdpOffer, CancellationToken ct) =>
        ValueTask.FromResult<Result<MediaRenegotiated>>(new MediaRenegotiated(sdpOffer, sessionId == "held"));

    private static string Told(MediaProfile? profile) => profile is null ? "" : $"{string.Join('+', profile.Codecs)} {profile.TelephoneEvent}";

    /// <summary>Plays until all of it has come or it is cleared, however long the voice takes.</summary>
    public async ValueTask<Result<PlaybackOutcome>> PlayAsync(string sessionId, string playbackId, IAsyncEnumerable<ReadOnlyMemory<short>> pcm, CancellationToken ct)
    {
        if (sessionId == "nobody")
        {
            return new Refusal("media.session_unknown", "There is no such session.");
        }

        var chunks = pcm.GetAsyncEnumerator(ct);
        var samples = 0;
        while (true)
        {
            var next = chunks.MoveNextAsync().AsTask();
            if (await Task.WhenAny(next, _cleared.Task) == _cleared.Task)
            {
                return new PlaybackOutcome(playbackId, true, samples / 8);
            }

            if (!await next)
            {
                await chunks.DisposeAsync();
                return new PlaybackOutcome(playbackId, false, samples / 8);
            }

            samples += chunks.Current.Length;
            Heard.Writer.TryWrite(chunks.Current.ToArray());
        }
    }

    public ValueTask<Result<Done>> ClearAsync(string sessionId, CancellationToken ct)
    {
        _cleared.TrySetResult();
        return ValueTask.FromResult<Result<Done>>(Done.It);
    }

    public ValueTask<Result<Done>> EchoAsync(string sessionId, bool on, CancellationToken ct) =>
        ValueTask.FromResult<Result<Done>>(on ? Done.It : new Refusal("media.session_unknown", sessionId));

    public ValueTask<Result<Done>> MusicAsync(string sessionId, bool on, CancellationToken ct) =>
        ValueTask.FromResult<Result<Done>>(on ? Done.It : new Refusal("media.session_unknown", sessionId));

    public ValueTask<Result<Done>> JoinAsync(string sessionId, string otherSessionId, CancellationToken ct) =>
        ValueTask.FromResult<Result<Done>>(sessionId != otherSessionId ? Done.It : new Refusal("media.session_unknown", otherSessionId));

    public async IAsyncEnumerable<AudioFrame> ListenAsync(string sessionId, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var frame in Frames)
        {
            await Task.Yield();
            yield return frame;
        }
    }

    public ValueTask<Result<RecordingOpened>> RecordAsync(string sessionId, CancellationToken ct) =>
        ValueTask.FromResult<Result<RecordingOpened>>(new RecordingOpened($"demo/{sessionId}.wav"));

    public ValueTask<Result<MediaClosed>> CloseAsync(string sessionId, CancellationToken ct) => ValueTask.FromResult<Result<MediaClosed>>(new MediaClosed(
        new(DateTimeOffset.UnixEpoch, true, "PCMA", 4_000_000_000, 1, 2, 3, 4, 5, 1.5, 0, 4.2, 6), new(DateTimeOffset.UnixEpoch, "demo/x.wav", "wav", 1, 2, "ab")));
}

/// <summary>Says as many samples as the text has letters, in chunks of three; "sus" and "bozul" fail at once and in the middle.</summary>
internal sealed class FakeVoice : ISpeechSynthesizer
{
    public IReadOnlyList<VoiceInfo> Voices => [];

    public async IAsyncEnumerable<AudioChunk> SynthesizeAsync(SynthesisRequest request, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (request.Text == "sus")
        {
            throw new SpeechEngineException(SpeechFault.VoiceUnsupported, "No such voice.", "Use another.");
        }

        foreach (var letters in request.Text.Chunk(3))
        {
            await Task.Yield();
            yield return new(letters.Select(c => (short)c).ToArray(), request.SampleRate);
        }

        if (request.Text == "bozul")
        {
            throw new SpeechEngineException(SpeechFault.EngineFailed, "Broke.", "");
        }
    }
}

/// <summary>Hears how many samples came since the utterance began.</summary>
internal sealed class FakeEar : ISpeechRecognizer
{
    public RecognizerInfo Info { get; } = new("fake", "fake", ["tr"], true, 8000);

    public ValueTask<IRecognitionSession> StartAsync(RecognitionOptions options, CancellationToken cancel) => options.Language == "tr"
        ? ValueTask.FromResult<IRecognitionSession>(new Session(options))
        : throw new SpeechEngineException(SpeechFault.LanguageUnsupported, $"{options.Language} is not spoken.", "Use tr.");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Session(RecognitionOptions options) : IRecognitionSession
    {
        private readonly Channel<RecognitionResult> _partials = Channel.CreateUnbounded<RecognitionResult>();
        private int _samples;
        private long _sum;

        public RecognitionResult? CurrentPartial { get; private set; }

        public IAsyncEnumerable<RecognitionResult> Partials => _partials.Reader.ReadAllAsync();

        public ValueTask WriteAsync(ReadOnlyMemory<short> pcm, CancellationToken cancel)
        {
            _samples += pcm.Length;
            foreach (var sample in pcm.Span)
            {
                _sum += sample;
            }

            CurrentPartial = Result(RecognitionKind.Partial, 0.5f);
            _partials.Writer.TryWrite(CurrentPartial);
            return ValueTask.CompletedTask;
        }

        public ValueTask BeginUtteranceAsync(TimeSpan preRoll, CancellationToken cancel)
        {
            (_samples, _sum) = ((int)preRoll.TotalMilliseconds * 8, 0);
            return ValueTask.CompletedTask;
        }

        public ValueTask<RecognitionResult> EndUtteranceAsync(CancellationToken cancel)
        {
            if (options.Phrases.Contains("bozul"))
            {
                throw new SpeechEngineException(SpeechFault.Overloaded, "Too much.", "Wait.");
            }

            var final = Result(RecognitionKind.Final, 0.9f);
            (_samples, _sum, CurrentPartial) = (0, 0, null);
            return ValueTask.FromResult(final);
        }

        public ValueTask DisposeAsync()
        {
            _partials.Writer.TryComplete();
            return ValueTask.CompletedTask;
        }

        private RecognitionResult Result(RecognitionKind kind, float confidence) => new(
            kind, $"{_samples} örnek, toplam {_sum}", confidence, TimeSpan.Zero, TimeSpan.FromMilliseconds(_samples / 8.0), options.Language, [new("başka", 0.1f)]);
    }
}
