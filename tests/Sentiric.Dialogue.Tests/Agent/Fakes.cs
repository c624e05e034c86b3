using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Speech;

namespace Sentiric.Dialogue.Tests;

/// <summary>Media without a wire: the test is the caller. What is played is taken at once or held until the test lets go.</summary>
internal sealed class FakeMedia : IMediaSessions
{
    private readonly TaskCompletionSource _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<AudioFrame> _frames = Channel.CreateUnbounded<AudioFrame>();
    private TaskCompletionSource? _cleared;
    private long _index;

    public Channel<string> Played { get; } = Channel.CreateUnbounded<string>();

    public bool HoldPlayback { get; set; }

    /// <summary>How much of a held playback was heard when it is cleared; half of it unless a test says otherwise.</summary>
    public long? HeardWhenClearedMs { get; set; }

    public bool NoSession { get; set; }

    /// <summary>Something was to be played and there was no session.</summary>
    public Task Refused => _refused.Task;

    public int Cleared { get; private set; }

    public TaskCompletionSource Echoing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>20 ms frames of one value: 0 is silence, anything else a voice.</summary>
    public void Speak(short value, int frames)
    {
        for (var i = 0; i < frames; i++)
        {
            _frames.Writer.TryWrite(new(_index, _index++ * 20, Enumerable.Repeat(value, 160).ToArray(), false));
        }
    }

    public void HangUp() => _frames.Writer.TryComplete();

    public async ValueTask<Result<PlaybackOutcome>> PlayAsync(string sessionId, string playbackId, IAsyncEnumerable<ReadOnlyMemory<short>> pcm, CancellationToken ct)
    {
        if (NoSession)
        {
            _refused.TrySetResult();
            return new Refusal("media.session_unknown", "gone");
        }

        var cleared = _cleared = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var samples = 0L;
        await foreach (var chunk in pcm.WithCancellation(ct))
        {
            samples += chunk.Length;
        }

        Played.Writer.TryWrite(playbackId);
        if (!HoldPlayback)
        {
            return new PlaybackOutcome(playbackId, false, samples / 8);
        }

        await cleared.Task.WaitAsync(ct);
        return new PlaybackOutcome(playbackId, true, HeardWhenClearedMs ?? samples / 16);
    }

    public ValueTask<Result<Done>> ClearAsync(string sessionId, CancellationToken ct)
    {
        Cleared++;
        _cleared?.TrySetResult();
        return new(Done.It);
    }

    public async IAsyncEnumerable<AudioFrame> ListenAsync(string sessionId, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var frame in _frames.Reader.ReadAllAsync(ct))
        {
            yield return frame;
        }
    }

    public ValueTask<Result<Done>> MusicAsync(string sessionId, bool on, CancellationToken ct) => ValueTask.FromResult<Result<Done>>(Done.It);

    public ValueTask<Result<Done>> JoinAsync(string sessionId, string otherSessionId, CancellationToken ct) =>
        ValueTask.FromResult<Result<Done>>(new Refusal("media.session_unknown", "There is one session here."));

    public ValueTask<Result<Done>> EchoAsync(string sessionId, bool on, CancellationToken ct)
    {
        if (on)
        {
            Echoing.TrySetResult();
        }

        return new(Done.It);
    }

    public ValueTask<Result<MediaOpened>> OpenAsync(OpenMedia request, CancellationToken ct) => throw new NotSupportedException();

    public ValueTask<Result<MediaOffered>> OfferAsync(OfferMedia request, CancellationToken ct) => throw new NotSupportedException();

    public ValueTask<Result<MediaOffered>> OfferAgainAsync(string sessionId, CancellationToken ct) => throw new NotSupportedException();

    public ValueTask<Result<MediaOpened>> AcceptAsync(string sessionId, string sdpAnswer, CancellationToken ct) => throw new NotSupportedException();

    public ValueTask<Result<MediaRenegotiated>> RenegotiateAsync(string sessionId, string sdpOffer, CancellationToken ct) => throw new NotSupportedException();

    public ValueTask<Result<RecordingOpened>> RecordAsync(string sessionId, CancellationToken ct) => throw new NotSupportedException();

    public ValueTask<Result<MediaClosed>> CloseAsync(string sessionId, CancellationToken ct) => throw new NotSupportedException();
}

/// <summary>Hears what the test says it hears: one text per utterance, in order.</summary>
internal sealed class FakeRecognizer : ISpeechRecognizer
{
    public ConcurrentQueue<string> Texts { get; } = new();

    public string? Partial { get; set; }

    public bool Broken { get; set; }

    public bool BreaksOnFinal { get; set; }

    public IReadOnlyList<string> Phrases { get; private set; } = [];

    public ConcurrentQueue<string> Opened { get; } = new();

    public ConcurrentQueue<string> Closed { get; } = new();

    public RecognizerInfo Info { get; } = new("fake", "fake", ["*"], true, 8000);

    public ValueTask<IRecognitionSession> StartAsync(RecognitionOptions options, CancellationToken cancel)
    {
        Phrases = options.Phrases;
        Opened.Enqueue(options.Language);
        return Broken ? throw new SpeechEngineException(SpeechFault.Overloaded, "no session is free", "Start another recogniser.") : new(new Session(this, options.Language));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Session(FakeRecognizer owner, string language) : IRecognitionSession
    {
        public RecognitionResult? CurrentPartial => owner.Partial is { } text ? Result(RecognitionKind.Partial, text) : null;

        public IAsyncEnumerable<RecognitionResult> Partials => throw new NotSupportedException();

        public ValueTask WriteAsync(ReadOnlyMemory<short> pcm, CancellationToken cancel) => ValueTask.CompletedTask;

        public ValueTask BeginUtteranceAsync(TimeSpan preRoll, CancellationToken cancel) => ValueTask.CompletedTask;

        public ValueTask<RecognitionResult> EndUtteranceAsync(CancellationToken cancel)
        {
            if (owner.BreaksOnFinal)
            {
                throw new SpeechEngineException(SpeechFault.EngineFailed, "the recogniser died", "Restart it.");
            }

            owner.Partial = null;
            return new(Result(RecognitionKind.Final, owner.Texts.TryDequeue(out var text) ? text : ""));
        }

        public ValueTask DisposeAsync()
        {
            owner.Closed.Enqueue(language);
            return ValueTask.CompletedTask;
        }

        private static RecognitionResult Result(RecognitionKind kind, string text) => new(kind, text, text.Length == 0 ? 0 : 0.9f, default, default, "tr", []);
    }
}

/// <summary>Twenty milliseconds of audio per letter.</summary>
internal sealed class FakeSynthesizer : ISpeechSynthesizer
{
    public bool Broken { get; set; }

    public string Engine => "fake";

    public ConcurrentQueue<string> Spoken { get; } = new();

    public IReadOnlyList<VoiceInfo> Voices { get; } = [new("fake-tr", "tr", "Fake", 8000, "none")];

    public async IAsyncEnumerable<AudioChunk> SynthesizeAsync(SynthesisRequest request, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.Yield();
        if (Broken)
        {
            throw new SpeechEngineException(SpeechFault.EngineFailed, "the voice is gone", "Restart it.");
        }

        Spoken.Enqueue(request.Text);
        yield return new(new short[request.Text.Length * 160], 8000);
    }
}

internal sealed class FakeVoices : IVoiceActivityDetectorFactory
{
    public string Engine => "fake";

    public IVoiceActivityDetector Create(VadOptions options) => new Detector();

    private sealed class Detector : IVoiceActivityDetector
    {
        public VadFrame Process(ReadOnlySpan<short> frame) => new(frame[0] == 0 ? 0 : 1, frame[0] != 0, false, false);

        public void Reset()
        {
        }

        public void Dispose()
        {
        }
    }
}

/// <summary>Everything else that an agent works with, in memory.</summary>
internal sealed class FakeWorld : IKnowledge, IConnectors, ICallJournal, ICallControl, IAssistants
{
    private readonly Channel<object> _facts = Channel.CreateUnbounded<object>();

    public ConcurrentQueue<JournalEntry> Journal { get; } = new();

    public ConcurrentQueue<ExecuteConnector> Executed { get; } = new();

    public Channel<TerminateCall> Terminated { get; } = Channel.CreateUnbounded<TerminateCall>();

    public int JournalFailures { get; set; }

    public bool KnowledgeBroken { get; set; }

    public IEnumerable<object> Facts => Journal.Select(e => e.Event);

    /// <summary>The next fact of this type, those before it being passed over.</summary>
    public async Task<T> FactAsync<T>(string what)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await foreach (var fact in _facts.Reader.ReadAllAsync(patience.Token))
            {
                if (fact is T wanted)
                {
                    return wanted;
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"waited for {what}; there were {string.Join(", ", Facts.Select(f => f.GetType().Name))}");
        }

        throw new InvalidOperationException("the facts have ended");
    }

    public ValueTask<IReadOnlyList<KnowledgeHit>> SearchAsync(SearchKnowledge request, CancellationToken ct) =>
        KnowledgeBroken ? throw new IOException("no database") : new(Clinic.Search(request.Query));

    public ValueTask<IReadOnlyList<string>> QuestionsAsync(string tenant, string language, CancellationToken ct) => new(["çalışma saatleriniz nedir"]);

    public ValueTask<Result<ConnectorOutcome>> ExecuteAsync(ExecuteConnector request, CancellationToken ct)
    {
        Executed.Enqueue(request);
        return new(new ConnectorOutcome(new Dictionary<string, string> { ["appointment_id"] = "a1", ["day"] = request.Parameters["day"] }));
    }

    public ValueTask<Result<Done>> AppendAsync(string tenant, string stream, IReadOnlyList<JournalEntry> entries, CancellationToken ct)
    {
        if (JournalFailures > 0)
        {
            JournalFailures--;
            throw new IOException("no database");
        }

        foreach (var entry in entries)
        {
            Journal.Enqueue(entry);
            _facts.Writer.TryWrite(entry.Event);
        }

        return new(Done.It);
    }

    public Task TerminateAsync(string tenant, TerminateCall command, CancellationToken ct)
    {
        Terminated.Writer.TryWrite(command);
        return Task.CompletedTask;
    }

    public ValueTask<Result<AssistantDefinition>> FindAsync(string tenant, string assistantId, CancellationToken ct) =>
        new(assistantId == "klinik" ? Clinic.Turkish : assistantId == "clinic" ? Clinic.English : new Refusal("assistant.unknown", "There is no such assistant."));
}
