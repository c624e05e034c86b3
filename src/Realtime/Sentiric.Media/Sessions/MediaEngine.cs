using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Sentiric.Media;

/// <summary>
/// All legs of a process: media threads that receive and pace (<see cref="MediaLoop"/>, one per processor), one thread that writes
/// recordings, one task that tells events. Linux only. Dispose closes every session.
/// </summary>
public sealed partial class MediaEngine : IAsyncDisposable
{
    /// <summary>Of <c>rtp.*</c>, for whoever listens to System.Diagnostics.Metrics.</summary>
    public const string MeterName = "Sentiric.Media";
    private const int MaxWaitingEvents = 65_536;
    private const int MaxKernelPortTries = 50;

    private readonly ILogger logger;
    private readonly Lock portGate = new();
    private readonly PortPool pool;
    private readonly Dictionary<int, uint> lastSsrcOnPort = []; // under portGate
    private readonly Channel<(MediaSession Session, MediaEvent Event)> notices;
    private readonly Task notifier;
    private readonly MediaLoop[] loops;
    private readonly MediaMeter meter;
    private ImmutableArray<MediaSession> sessions = [];
    private long lostEvents;
    private volatile bool disposed;

    /// <summary>
    /// Starts the threads. Throws <see cref="PlatformNotSupportedException"/> anywhere but on Linux, and
    /// <see cref="ArgumentException"/> when the options leave no address to name in SDP.
    /// </summary>
    public MediaEngine(MediaEngineOptions? options = null, ILogger<MediaEngine>? logger = null)
    {
        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException("The media engine needs epoll and clock_nanosleep.");
        Options = options ?? new MediaEngineOptions();
        if ((Options.AdvertisedAddress ?? Options.LocalAddress).Equals(IPAddress.Any))
        {
            // 0.0.0.0 in SDP means hold (RFC 3264 8.4): every call would be silent.
            throw new ArgumentException("Bound to every address, the engine needs an advertised address for SDP.", nameof(options));
        }
        this.logger = logger ?? NullLogger<MediaEngine>.Instance;
        pool = new PortPool(Options.Ports, Options.PortQuarantine, Options.Time);
        notices = Channel.CreateBounded<(MediaSession, MediaEvent)>(new BoundedChannelOptions(MaxWaitingEvents) { SingleReader = true });
        notifier = Task.Run(TellAsync);
        Writer = new RecordingWriter();
        var threads = Options.MediaThreads == 0 ? Environment.ProcessorCount : Options.MediaThreads;
        loops = [.. Enumerable.Range(0, threads).Select(i => new MediaLoop($"media {i}", Options.Priority, ReportFault, lost => LogStall(this.logger, lost)))];
        meter = new MediaMeter(() => OpenSessions, () => LateTicks);
        if (Options.Capabilities.Present() is var present && present != Options.Capabilities)
        {
            Options = Options with { Capabilities = present };
            LogNoOpus(this.logger, OpusLibrary.Package);
        }
        if (!IsRealTime) LogNoRealTime(this.logger, Priority);
        if (ReservedPorts.Endangered(Options.Ports) is > 0 and var endangered) LogPortsEndangered(this.logger, endangered, Options.Ports.First, Options.Ports.Last);
    }

    public MediaEngineOptions Options { get; }

    /// <summary>Whether pacing runs with real-time priority (SCHED_FIFO); the lack of it is logged once.</summary>
    public bool IsRealTime => Priority == MediaPriority.RealTime;

    /// <summary>What the kernel granted to the media threads.</summary>
    public MediaPriority Priority => loops.Max(loop => loop.Priority);

    /// <summary>Times that a media thread began its 20 ms more than 5 ms late.</summary>
    public long LateTicks => loops.Sum(loop => loop.LateTicks);
    public int OpenSessions => sessions.Length;

    /// <summary>Events dropped because watchers were too slow for too long.</summary>
    public long LostEvents => Interlocked.Read(ref lostEvents);

    /// <summary>A session on its own ports, or <see cref="MediaRefusal.PortsExhausted"/>. The ports are held until it is closed.</summary>
    public MediaOpened Open()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        for (var tries = Math.Max(pool.Pairs, MaxKernelPortTries); tries > 0; tries--)
        {
            if (TakePort() is not { } port) break;
            if (TryOpen(port) is { } session) return new MediaOpened(session, null);
            GiveBack(port); // another program has it: it rests like a used one
        }
        meter.PortsExhausted();
        LogPortsExhausted(logger, OpenSessions);
        var detail = $"no free pair of media ports, {OpenSessions} sessions are open";
        return new MediaOpened(null, new MediaRefusal(MediaRefusal.PortsExhausted, detail));
    }

    public async ValueTask DisposeAsync()
    {
        if (disposed) return;
        disposed = true;
        await Task.WhenAll(sessions.Select(s => s.CloseAsync())).ConfigureAwait(false);
        foreach (var loop in loops) loop.Dispose();
        meter.Dispose();
        Writer.Dispose();
        notices.Writer.TryComplete();
        await notifier.ConfigureAwait(false);
    }

    internal RecordingWriter Writer { get; }

    internal static long NowUs() => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000);

    internal void Notify(MediaSession session, MediaEvent mediaEvent)
    {
        if (!notices.Writer.TryWrite((session, mediaEvent))) Interlocked.Increment(ref lostEvents);
    }

    internal void Count(MediaQuality closed) => meter.Closed(closed);

    internal void ReportFault(string where, Exception bug) => LogFault(logger, where, bug);

    /// <summary>A session closed: sockets first, then the port may rest.</summary>
    internal void Release(MediaSession session)
    {
        ImmutableInterlocked.Update(ref sessions, all => all.Remove(session));
        session.Loop?.Remove(session);
        foreach (var endpoint in session.Endpoints) endpoint.Dispose();
        lock (portGate)
        {
            if (session.RemoteSsrc is { } ssrc) lastSsrcOnPort[session.LocalRtpPort] = ssrc;
        }
        GiveBack(session.LocalRtpPort);
    }

    private int? TakePort()
    {
        if (Options.Ports.IsKernelChosen) return 0;
        lock (portGate) return pool.Take();
    }

    private void GiveBack(int port)
    {
        if (Options.Ports.IsKernelChosen) return;
        lock (portGate) pool.Return(port);
    }

    private MediaSession? TryOpen(int port)
    {
        MediaSession? session = null;
        var rtp = Bind(port, (datagram, from) => session?.Receive(datagram, from, onRtcpPort: false));
        var isEven = rtp is not null && rtp.Port % 2 == 0; // RTP even, RTCP odd (RFC 3550 11)
        var rtcp = isEven ? Bind((rtp?.Port ?? 0) + 1, (datagram, from) => session?.Receive(datagram, from, onRtcpPort: true)) : null;
        if (rtp is null || rtcp is null)
        {
            rtp?.Dispose();
            return null;
        }
        session = NewSession(rtp.Port);
        var loop = loops.MinBy(candidate => candidate.Count) ?? loops[0];
        session.Bind(rtp, rtcp, loop);
        ImmutableInterlocked.Update(ref sessions, all => all.Add(session));
        loop.Add(session);
        return session;
    }

    private UdpEndpoint? Bind(int port, DatagramHandler handler) =>
        UdpEndpoint.TryBind(Options.LocalAddress, port, Options.ReceiveBufferBytes, handler);

    private MediaSession NewSession(int port)
    {
        Span<byte> dice = stackalloc byte[14];
        RandomNumberGenerator.Fill(dice);
        var start = new RtpStart(
            BitConverter.ToUInt32(dice), BitConverter.ToUInt16(dice[4..]), BitConverter.ToUInt32(dice[6..]),
            Options.Time.GetUtcNow(), NowUs());
        var local = new SdpLocal(Options.AdvertisedAddress ?? Options.LocalAddress, port, BitConverter.ToUInt32(dice[10..]));
        lock (portGate)
        {
            return new MediaSession(this, start, local, lastSsrcOnPort.TryGetValue(port, out var earlier) ? earlier : null);
        }
    }

    private async Task TellAsync()
    {
        await foreach (var (session, mediaEvent) in notices.Reader.ReadAllAsync().ConfigureAwait(false)) session.Tell(mediaEvent);
    }

    [LoggerMessage(1, LogLevel.Warning, "Media pacing runs without real-time priority ({Priority}): grant CAP_SYS_NICE to stay punctual under load")]
    private static partial void LogNoRealTime(ILogger logger, MediaPriority priority);

    [LoggerMessage(2, LogLevel.Error, "No free pair of media ports while {OpenSessions} sessions are open")]
    private static partial void LogPortsExhausted(ILogger logger, int openSessions);

    [LoggerMessage(3, LogLevel.Warning, "The process stood still: {SkippedMs} ms of media time were given up")]
    private static partial void LogStall(ILogger logger, long skippedMs);

    [LoggerMessage(4, LogLevel.Error, "A fault in {Where} of the media engine")]
    private static partial void LogFault(ILogger logger, string where, Exception fault);

    [LoggerMessage(6, LogLevel.Warning, "Opus is among the codecs, but its library is not on this machine: calls go without it. Debian has it as {Package}")]
    private static partial void LogNoOpus(ILogger logger, string package);

    [LoggerMessage(5, LogLevel.Warning, "The kernel may give {Ports} of the media ports {First}-{Last} to outgoing connections: put them into net.ipv4.ip_local_reserved_ports")]
    private static partial void LogPortsEndangered(ILogger logger, int ports, int first, int last);
}
