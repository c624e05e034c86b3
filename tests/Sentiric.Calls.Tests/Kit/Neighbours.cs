using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Speech;

namespace Sentiric.Calls.Tests.Kit;

/// <summary>The services beside the sip role, in memory. Each answer may be replaced by a test.</summary>
internal sealed class Neighbours : IUsers, IDialplans, IMediaSessions, ISpeechSynthesizer
{
    public const string Tenant = "demo";
    public static readonly Guid Caller = new("01930000-0000-7000-8000-0000000000aa");
    private readonly Lock _gate = new();
    private readonly List<string> _open = [];

    public Func<CancellationToken, Task<Result<RouteDecision>>> FindRoute { get; set; } =
        _ => Task.FromResult<Result<RouteDecision>>(new RouteDecision(Tenant, "+902121234567", "tr", GuestPolicy.CreateGuest, true));

    public Func<CancellationToken, Task<Result<CallerIdentity>>> Identify { get; set; } =
        _ => Task.FromResult<Result<CallerIdentity>>(new CallerIdentity(Caller, "Ayşe Yılmaz", UserType.Caller, "tr", UdpPhone.Number, false));

    public DialplanAction Action { get; set; } = DialplanAction.StartAiConversation;

    public DialplanActionData Data { get; set; } = new("demo-agent");

    public string Why { get; set; } = "normal";

    /// <summary>Why media is refused; null: it is not.</summary>
    public Refusal? MediaRefused { get; set; }

    public Func<Task> BeforeRecording { get; set; } = () => Task.CompletedTask;

    public Action BeforeClose { get; set; } = () => { };

    /// <summary>Sessions that were opened and not closed.</summary>
    public IReadOnlyList<string> Open
    {
        get
        {
            lock (_gate)
            {
                return [.. _open];
            }
        }
    }

    public List<string> Played { get; } = [];

    /// <summary>Answers to our offers.</summary>
    public Channel<string> Accepted { get; } = Channel.CreateUnbounded<string>();

    public IReadOnlyList<VoiceInfo> Voices => [];

    public async ValueTask<Result<RouteDecision>> FindRouteAsync(FindRoute request, CancellationToken ct) => await FindRoute(ct);

    public async ValueTask<Result<CallerIdentity>> IdentifyAsync(IdentifyCaller request, CancellationToken ct) => await Identify(ct);

    public ValueTask<DialplanResolution> ResolveAsync(ResolveDialplan request, CancellationToken ct) => ValueTask.FromResult(Resolution(request.Caller));

    public DialplanResolution Resolution(CallerIdentity? caller) =>
        new(Tenant, "ai", 1, Action, Data, "+902121234567", caller?.UserId, "tr", Why, ["route +902121234567"], null, null);

    /// <summary>Who owns a SIP user name: the tenant, by the name.</summary>
    public Dictionary<string, string> Owners { get; } = [];

    public ValueTask<Result<SipCredential>> FindCredentialAsync(string realm, string username, CancellationToken ct) => ValueTask.FromResult<Result<SipCredential>>(
        Owners.TryGetValue(username, out var tenant)
            ? new SipCredential(tenant, Caller, realm, username, "", "", false)
            : new Refusal("credential.unknown", "There is no such phone here."));

    public ValueTask<Result<MediaOpened>> OpenAsync(OpenMedia request, CancellationToken ct)
    {
        if (MediaRefused is { } refused)
        {
            return ValueTask.FromResult<Result<MediaOpened>>(refused);
        }

        var id = request.CallId.ToString("N");
        lock (_gate)
        {
            _open.Add(id);
        }

        return ValueTask.FromResult<Result<MediaOpened>>(new MediaOpened(id, UdpPhone.Sdp, "127.0.0.1:30000", "127.0.0.1:4000", "PCMA"));
    }

    public ValueTask<Result<MediaOffered>> OfferAsync(OfferMedia request, CancellationToken ct)
    {
        var id = request.CallId.ToString("N") + request.Leg;
        lock (_gate)
        {
            _open.Add(id);
        }

        return ValueTask.FromResult<Result<MediaOffered>>(MediaRefused is { } refused ? refused : new MediaOffered(id, UdpPhone.Sdp + "a=x-offer:1\r\n"));
    }

    public ValueTask<Result<MediaOffered>> OfferAgainAsync(string sessionId, CancellationToken ct) =>
        ValueTask.FromResult<Result<MediaOffered>>(new MediaOffered(sessionId, UdpPhone.Sdp + "a=x-offer:2\r\n"));

    public ValueTask<Result<MediaOpened>> AcceptAsync(string sessionId, string sdpAnswer, CancellationToken ct)
    {
        Accepted.Writer.TryWrite(sdpAnswer);
        return ValueTask.FromResult<Result<MediaOpened>>(sdpAnswer.Contains("a=nothing")
            ? new Refusal("media.no_common_codec", "Nothing fits.")
            : new MediaOpened(sessionId, sdpAnswer, "127.0.0.1:30000", "127.0.0.1:4000", "PCMA"));
    }

    public ValueTask<Result<MediaRenegotiated>> RenegotiateAsync(string sessionId, string sdpOffer, CancellationToken ct) =>
        ValueTask.FromResult<Result<MediaRenegotiated>>(sdpOffer.Contains("a=nothing")
            ? new Refusal("media.no_common_codec", "Nothing fits.")
            : new MediaRenegotiated(UdpPhone.Sdp, sdpOffer.Contains("a=sendonly")));

    public async ValueTask<Result<PlaybackOutcome>> PlayAsync(string sessionId, string playbackId, IAsyncEnumerable<ReadOnlyMemory<short>> pcm, CancellationToken ct)
    {
        var samples = 0;
        await foreach (var chunk in pcm.WithCancellation(ct))
        {
            samples += chunk.Length;
        }

        lock (_gate)
        {
            Played.Add(playbackId);
        }

        return new PlaybackOutcome(playbackId, false, samples / 8);
    }

    public ValueTask<Result<Done>> ClearAsync(string sessionId, CancellationToken ct) => ValueTask.FromResult<Result<Done>>(Done.It);

    public ValueTask<Result<Done>> EchoAsync(string sessionId, bool on, CancellationToken ct) => ValueTask.FromResult<Result<Done>>(Done.It);

    public async IAsyncEnumerable<AudioFrame> ListenAsync(string sessionId, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask;
        yield break;
    }

    /// <summary>Pairs of sessions that were joined.</summary>
    public List<(string, string)> Joined { get; } = [];

    /// <summary>Whose music was switched on and off, in order.</summary>
    public List<(string Session, bool On)> Music { get; } = [];

    public ValueTask<Result<Done>> MusicAsync(string sessionId, bool on, CancellationToken ct)
    {
        lock (_gate)
        {
            Music.Add((sessionId, on));
        }

        return ValueTask.FromResult<Result<Done>>(Done.It);
    }

    public ValueTask<Result<Done>> JoinAsync(string sessionId, string otherSessionId, CancellationToken ct)
    {
        lock (_gate)
        {
            Joined.Add((sessionId, otherSessionId));
        }

        return ValueTask.FromResult<Result<Done>>(Done.It);
    }

    public async ValueTask<Result<RecordingOpened>> RecordAsync(string sessionId, CancellationToken ct)
    {
        await BeforeRecording();
        return new RecordingOpened("demo/call.wav");
    }

    public ValueTask<Result<MediaClosed>> CloseAsync(string sessionId, CancellationToken ct)
    {
        BeforeClose();
        lock (_gate)
        {
            _open.Remove(sessionId);
        }

        return ValueTask.FromResult<Result<MediaClosed>>(new MediaClosed(null, null));
    }

    public async IAsyncEnumerable<AudioChunk> SynthesizeAsync(SynthesisRequest request, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.CompletedTask;
        yield return new(new short[1600], 8000);
    }
}
