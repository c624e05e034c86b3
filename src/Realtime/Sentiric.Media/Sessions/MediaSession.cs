using System.Collections.Immutable;
using System.Net;

namespace Sentiric.Media;

/// <summary>
/// One leg of a call on its own pair of UDP ports. Opened by <see cref="MediaEngine.Open"/>, connected by offer and answer,
/// closed once. Every method may be called from any thread; after closing they do nothing and return false or empty.
/// </summary>
public sealed class MediaSession : IAsyncDisposable
{
    private readonly MediaEngine engine;
    private readonly Lock gate = new(); // guards the leg; held for microseconds, by the media threads too
    private readonly MediaLeg leg;
    private readonly SdpLocal local;
    private readonly Lazy<IReadOnlyList<SrtpKey>> srtpKeys = new(() => [.. SrtpSuites.All.Select(SrtpKey.Draw)]); // ours for the whole call
    private readonly uint? ssrcOfEarlierCall;
    private ImmutableArray<Action<MediaFrame>> listeners = [];
    private ImmutableArray<MediaListener> queues = [];
    private ImmutableArray<Action<MediaEvent>> watchers = [];
    private UdpEndpoint? rtp, rtcp; // set once, before the session is shared
    private long sdpVersion;
    private bool closing;
    private CallRecording? recording;
    private Task<MediaClosed>? closed;

    internal MediaSession(MediaEngine engine, RtpStart start, SdpLocal local, uint? ssrcOfEarlierCall)
    {
        (this.engine, this.local, this.ssrcOfEarlierCall) = (engine, local, ssrcOfEarlierCall);
        leg = new MediaLeg(new Wire(this), engine.Options.Leg, start);
    }

    /// <summary>Our RTP port; RTCP is one above.</summary>
    public int LocalRtpPort => local.RtpPort;
    public IPEndPoint LocalEndPoint => new(local.Address, local.RtpPort);

    /// <summary>The last agreement, absent before the first.</summary>
    public NegotiatedAudio? Audio { get; private set; }

    /// <summary>
    /// Answers an offer and connects accordingly; again for a re-INVITE. A refusal (488) leaves everything as it was.
    /// </summary>
    public SdpOutcome Answer(string offer, MediaCapabilities? capabilities = null)
    {
        var outcome = SdpNegotiator.Answer(offer, (capabilities ?? engine.Options.Capabilities).Present(), NextLocal());
        if (outcome.Audio is { } audio) Connect(audio);
        return outcome;
    }

    /// <summary>Our own offer; follow it with <see cref="AcceptAnswer"/> and the same capabilities.</summary>
    public string Offer(MediaCapabilities? capabilities = null) =>
        SdpNegotiator.Offer(AsSecureAsNow((capabilities ?? engine.Options.Capabilities).Present()), NextLocal(), Audio);

    /// <summary>Connects as the answer to our offer says; refused when it takes nothing of it.</summary>
    public SdpOutcome AcceptAnswer(string answer, MediaCapabilities? offered = null)
    {
        var outcome = SdpNegotiator.ReadAnswer(answer, AsSecureAsNow((offered ?? engine.Options.Capabilities).Present()), srtpKeys.Value);
        if (outcome.Audio is { } audio) Connect(audio);
        return outcome;
    }

    /// <summary>Starts the media clock, or changes where and what is sent. For those who negotiate by themselves.</summary>
    public void Connect(NegotiatedAudio audio)
    {
        lock (gate)
        {
            if (closing) return;
            Audio = audio;
            leg.Connect(audio, MediaEngine.NowUs(), ssrcOfEarlierCall);
        }
    }

    /// <summary>The remote end point, direction or payload types changed (re-INVITE); the source lock opens if the address did.</summary>
    public void Renegotiate(NegotiatedAudio audio) => Connect(audio);

    /// <summary>
    /// Hears every frame on the media thread: must be done within a fraction of a millisecond and must not keep the memory.
    /// One that throws is removed and logged.
    /// </summary>
    public IDisposable Listen(Action<MediaFrame> hear)
    {
        ImmutableInterlocked.Update(ref listeners, all => all.Add(hear));
        return new Subscription(() => ImmutableInterlocked.Update(ref listeners, all => all.Remove(hear)));
    }

    /// <summary>Hears every frame through a bounded queue (default four seconds).</summary>
    public MediaListener Listen(int boundFrames = 200) => Add(new MediaListener(boundFrames, Remove));

    /// <summary>Hears both sides, 320 samples a frame: left the remote party, right what is sent to it.</summary>
    /// <param name="ownVoice">160 samples that the listener itself added to what was sent in this tick; they are left out.</param>
    public MediaListener ListenBoth(ReadOnlyMemory<short> ownVoice = default, int boundFrames = 200) => Add(new MediaListener(boundFrames, Remove, ownVoice));

    private void Remove(MediaListener gone) => ImmutableInterlocked.Update(ref queues, all => all.Remove(gone));

    private MediaListener Add(MediaListener listener)
    {
        ImmutableInterlocked.Update(ref queues, all => all.Add(listener));
        if (closing) listener.Complete();
        return listener;
    }

    /// <summary>Hears digits, marks, silence, quality: in order, one at a time, off the audio path.</summary>
    public IDisposable Watch(Action<MediaEvent> see)
    {
        ImmutableInterlocked.Update(ref watchers, all => all.Add(see));
        return new Subscription(() => ImmutableInterlocked.Update(ref watchers, all => all.Remove(see)));
    }

    /// <summary>
    /// Opens a playback behind those that wait, or returns the open one of this id. When the session is closed or holds too many,
    /// the handle has already ended as interrupted.
    /// </summary>
    public PlaybackHandle Play(string playbackId)
    {
        lock (gate)
        {
            var finished = closing ? null : leg.Playback.Open(playbackId);
            return new PlaybackHandle(this, playbackId, finished ?? Task.FromResult(new PlaybackResult(playbackId, true, 0, 0)));
        }
    }

    /// <summary>Plays these samples and nothing more under this id.</summary>
    public PlaybackHandle Play(string playbackId, ReadOnlyMemory<short> pcm)
    {
        var handle = Play(playbackId);
        handle.Enqueue(pcm);
        handle.Complete();
        return handle;
    }

    /// <summary>Adds samples (copied) to an open playback.</summary>
    public bool Enqueue(string playbackId, ReadOnlyMemory<short> pcm)
    {
        ReadOnlyMemory<short> own = pcm.ToArray();
        lock (gate) return !closing && leg.Playback.Enqueue(playbackId, own);
    }

    public bool Mark(string playbackId, string name, long? atMs = null)
    {
        lock (gate) return !closing && leg.Playback.Mark(playbackId, name, atMs);
    }

    public bool Say(string playbackId, SpokenWords words)
    {
        lock (gate) return !closing && leg.Playback.Say(playbackId, words);
    }

    public bool Complete(string playbackId)
    {
        lock (gate) return !closing && leg.Playback.Complete(playbackId);
    }

    /// <summary>Silence from the next tick on (at most 20 ms); says how much of each playback was heard.</summary>
    public IReadOnlyList<PlaybackResult> Clear()
    {
        lock (gate) return leg.Playback.Clear();
    }

    /// <summary>Adds a stage behind those that are there, from the next tick on; dispose to take it away.</summary>
    public IDisposable Stack(IAudioStage stage)
    {
        lock (gate) leg.Stages = leg.Stages.Add(stage);
        return new Subscription(() =>
        {
            lock (gate) leg.Stages = leg.Stages.Remove(stage);
        });
    }

    public PlaybackPosition Where()
    {
        lock (gate) return leg.Playback.Where();
    }

    /// <summary>
    /// Sends every audio packet back as it came (RFC 6849: rtp-media-loopback), at once and past jitter buffer, codec and listeners.
    /// While it is on, playback waits and nothing is heard.
    /// </summary>
    public void LoopBack(bool on)
    {
        lock (gate) leg.LoopBack = on;
    }

    /// <summary>Sends keys as RFC 4733 events, 100 ms each. False when they cannot be sent.</summary>
    public bool SendDtmf(string digits)
    {
        lock (gate) return !closing && leg.SendDtmf(digits);
    }

    /// <summary>
    /// Records both directions from the next tick on. False while a recording runs or when closed.
    /// Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> when the file cannot be created (it must not exist).
    /// </summary>
    /// <param name="seal">Absent: the file is an ordinary audio file.</param>
    /// <param name="onSegment">Hears of every segment that is closed; may wait for a disk.</param>
    public bool StartRecording(
        string path, RecordingFormat format = RecordingFormat.Wav, RecordingSeal? seal = null, Action<RecordingSegment>? onSegment = null)
    {
        lock (gate) if (closing || recording is not null) return false;
        var fresh = new CallRecording(path, format, seal, onSegment); // the disk may be slow: not under the lock
        if (Adopt(fresh)) return true;
        fresh.Discard();
        return false;
    }

    /// <summary>Pauses or goes on; the timeline is kept as silence. False when nothing is recorded.</summary>
    public bool PauseRecording(bool paused)
    {
        lock (gate)
        {
            if (recording is null) return false;
            recording.Paused = paused;
            return true;
        }
    }

    /// <summary>Finishes the file; null when nothing was recorded.</summary>
    public async Task<RecordingResult?> StopRecordingAsync()
    {
        CallRecording? stopped;
        lock (gate)
        {
            stopped = recording;
            leg.Recording = recording = null;
        }
        return stopped is null ? null : await engine.Writer.Finish(stopped).ConfigureAwait(false);
    }

    public MediaQuality Quality()
    {
        lock (gate) return leg.Quality();
    }

    /// <summary>
    /// Ends the leg: RTCP BYE, playbacks interrupted, recording finished, ports into quarantine. Again: the same result.
    /// </summary>
    public Task<MediaClosed> CloseAsync()
    {
        lock (gate) return closed ??= CloseOnce();
    }

    public async ValueTask DisposeAsync() => await CloseAsync().ConfigureAwait(false);

    internal uint? RemoteSsrc
    {
        get { lock (gate) return leg.RemoteSsrc; }
    }

    internal IEnumerable<UdpEndpoint> Endpoints => new[] { rtp, rtcp }.OfType<UdpEndpoint>();

    /// <summary>The media thread that owns this leg's sockets and clock.</summary>
    internal MediaLoop? Loop { get; private set; }

    internal void Bind(UdpEndpoint rtpEndpoint, UdpEndpoint rtcpEndpoint, MediaLoop loop) => (rtp, rtcp, Loop) = (rtpEndpoint, rtcpEndpoint, loop);

    /// <summary>The media thread brings a datagram.</summary>
    internal void Receive(ReadOnlySpan<byte> datagram, UdpAddress from, bool onRtcpPort)
    {
        lock (gate)
        {
            if (closing) return;
            leg.Receive(datagram, from, onRtcpPort, MediaEngine.NowUs());
            TellEvents();
        }
    }

    /// <summary>The media thread lets 20 ms pass.</summary>
    internal void Tick(bool late)
    {
        MediaFrame frame;
        lock (gate)
        {
            if (closing || !leg.IsConnected) return;
            leg.Tick(MediaEngine.NowUs(), late);
            TellEvents();
            frame = new MediaFrame(leg.Ticks - 1, (leg.Ticks - 1) * 20, leg.Inbound, leg.InboundSource != FrameSource.Heard) { Sent = leg.Outbound };
        }
        foreach (var queue in queues) queue.Hear(frame);
        foreach (var hear in listeners) Hear(hear, frame);
    }

    internal void Skip(int frames)
    {
        lock (gate) if (!closing) leg.Skip(frames);
    }

    /// <summary>The notifier brings an event to whoever watches.</summary>
    internal void Tell(MediaEvent mediaEvent)
    {
        foreach (var see in watchers)
        {
            try
            {
                see(mediaEvent);
            }
            catch (Exception bug)
            {
                engine.ReportFault("a watcher of media events", bug);
            }
        }
    }

    private bool Adopt(CallRecording fresh)
    {
        lock (gate)
        {
            if (closing || recording is not null) return false;
            engine.Writer.Add(fresh);
            leg.Recording = recording = fresh;
            return true;
        }
    }

    // A listener's bug must not silence the call, let alone all calls.
    private void Hear(Action<MediaFrame> hear, MediaFrame frame)
    {
        try
        {
            hear(frame);
        }
        catch (Exception bug)
        {
            Forget(hear, bug);
        }
    }

    // Apart from the call: what the lambda holds on to would be allocated for every frame.
    private void Forget(Action<MediaFrame> listener, Exception bug)
    {
        ImmutableInterlocked.Update(ref listeners, all => all.Remove(listener));
        engine.ReportFault("a listener", bug);
    }

    private void TellEvents()
    {
        while (leg.TryTakeEvent(out var mediaEvent) && mediaEvent is not null) engine.Notify(this, mediaEvent);
    }

    // A later offer of ours (hold, another codec) must not talk an encrypted call back into the clear.
    private MediaCapabilities AsSecureAsNow(MediaCapabilities capabilities) =>
        Audio?.Srtp is null ? capabilities : capabilities with { Srtp = SrtpPolicy.Required };

    private SdpLocal NextLocal() => local with { Version = Interlocked.Increment(ref sdpVersion), SrtpKeys = srtpKeys.Value };

    // Called once, under the gate; the file is finished outside of it.
    private Task<MediaClosed> CloseOnce()
    {
        leg.SayBye(MediaEngine.NowUs());
        closing = true;
        leg.Playback.Clear();
        foreach (var queue in queues) queue.Complete();
        var (quality, open) = (leg.Quality(), recording);
        leg.Recording = recording = null;
        engine.Count(quality);
        return Task.Run(async () =>
        {
            engine.Release(this);
            lock (gate) leg.Dispose();
            var file = open is null ? null : await engine.Writer.Finish(open).ConfigureAwait(false);
            return new MediaClosed(quality, file);
        });
    }

    private sealed class Wire(MediaSession session) : IMediaTransport
    {
        public void SendRtp(ReadOnlySpan<byte> packet, UdpAddress to) => session.rtp?.Send(packet, to);

        public void SendRtcp(ReadOnlySpan<byte> packet, UdpAddress to) => session.rtcp?.Send(packet, to);
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        private Action? end = end;

        public void Dispose() => Interlocked.Exchange(ref end, null)?.Invoke();
    }
}
