using System.Collections.Immutable;
using System.Text;

namespace Sentiric.Media;

/// <summary>Where a leg's packets go. Called on the media thread; must neither block nor throw.</summary>
public interface IMediaTransport
{
    void SendRtp(ReadOnlySpan<byte> packet, UdpAddress to);

    void SendRtcp(ReadOnlySpan<byte> packet, UdpAddress to);
}

/// <summary>What is sent while there is nothing to say.</summary>
public enum IdleSend
{
    /// <summary>Valid silent frames: the RTP stream never pauses and a NAT stays open.</summary>
    Silence,
    Nothing,
}

/// <summary>How a leg behaves. The defaults fit a telephone call.</summary>
public sealed record MediaLegOptions
{
    public TimeSpan NoRtpAfter { get; init; } = TimeSpan.FromSeconds(20);
    public TimeSpan RelockAfterSilence { get; init; } = TimeSpan.FromSeconds(5);
    public TimeSpan QualityEvery { get; init; } = TimeSpan.FromSeconds(5);
    public TimeSpan RtcpEvery { get; init; } = TimeSpan.FromSeconds(5);
    public IdleSend Idle { get; init; } = IdleSend.Silence;
}

/// <summary>The dice of a stream (RFC 3550 5.1: random, so that streams cannot be guessed) and the moment it starts.</summary>
public readonly record struct RtpStart(uint Ssrc, ushort Sequence, uint Timestamp, DateTimeOffset WallClock, long NowUs);

/// <summary>
/// One leg without sockets, threads or a clock: datagrams and ticks come in with the time (microseconds, monotonic), packets,
/// frames and events go out. Each <see cref="Tick"/> is 20 ms of the call in both directions.
/// <code>
///   Receive ─► RTCP? ─► header ─► payload type ─► source lock ─► sequence ─► DTMF | decode ─► jitter buffer
///   Tick    ─► inbound frame ◄─ jitter buffer     playback | DTMF | silence ─► encode ─► transport
/// </code>
/// Not thread-safe: the session holds its lock around every call.
/// </summary>
public sealed class MediaLeg : IDisposable
{
    public const int FrameSamples = JitterBuffer.FrameSamples;
    private const int FrameMs = 20;
    private const int TicksPerSecond = 1_000 / FrameMs;
    private const int NoiseEveryTicks = 10;   // 200 ms: a lost packet of it is soon made up for
    private const byte NoiseLevel = 65;       // -dBov: a quiet line; less would be a hole after a voice
    private const int MaxPacketSamples = OpusDecoder.MaxSamples; // 120 ms: no telephone sends longer packets
    private const int MaxSentOctets = OpusEncoder.MaxFrameOctets;

    private readonly IMediaTransport transport;
    private readonly MediaLegOptions options;
    private readonly RtpStart start;
    private readonly SourceLock source;
    private readonly RtpStatistics statistics = new();
    private readonly BurstGap losses = new();
    private readonly JitterBuffer jitter = new();
    private readonly DtmfReceiver dtmfIn = new();
    private readonly DtmfSender dtmfOut = new();
    private readonly LegVoice voice = new();
    private readonly RtpTimeline heardAt = new();
    private readonly Queue<MediaEvent> events = new();
    private readonly short[] inbound = new short[FrameSamples];
    private readonly short[] outbound = new short[FrameSamples];
    private readonly byte[] rtcp = new byte[Rtcp.MaxReportSize];
    private readonly byte[] cname;

    // Nothing is left in these between two calls, so the legs of a thread share them: what a leg touches has to come from far away each time.
    [ThreadStatic] private static short[]? threadDecoded;
    [ThreadStatic] private static byte[]? threadPacket;

    private NegotiatedAudio? audio;
    private LegSeal? seal; // SRTP, when it was agreed on
    private UdpAddress remoteRtcp;
    private ushort sequence;
    private uint timestamp;
    private bool marker = true;
    private int silentTicks; // since our last sound, where silence is sent as comfort noise
    private bool loopBack;
    private uint? loopShift;
    private long sent, sentOctets;
    private long expectRtpSinceUs, nextQualityUs, nextRtcpUs;
    private bool toldNoRtp;
    private long malformed, stray, foreignReports, lateTicks;
    private uint lastSenderReport;
    private long lastSenderReportUs;
    private double? rttMs, remoteLossPercent, remoteJitterMs, remoteMos;

    public MediaLeg(IMediaTransport transport, MediaLegOptions options, RtpStart start)
    {
        (this.transport, this.options, this.start) = (transport, options, start);
        (sequence, timestamp) = (start.Sequence, start.Timestamp);
        source = new SourceLock(options.RelockAfterSilence);
        cname = Encoding.ASCII.GetBytes($"{start.Ssrc:x8}");
    }

    private static short[] Decoded => threadDecoded ??= new short[MaxPacketSamples];
    private static byte[] Packet => threadPacket ??= new byte[RtpHeader.Size + MaxSentOctets];

    public PlaybackQueue Playback { get; } = new();

    /// <summary>What is added to playback before it is encoded, in this order.</summary>
    public ImmutableArray<IAudioStage> Stages { get; set; } = [];

    /// <summary>Gets both directions of every tick, when there is one.</summary>
    public CallRecording? Recording { get; set; }

    /// <summary>Audio packets go back as they came, and nothing else is sent (RFC 6849 rtp-media-loopback).</summary>
    public bool LoopBack
    {
        get => loopBack;
        set => (loopBack, loopShift, marker) = (value, null, true);
    }

    /// <summary>The frame of the last tick; overwritten by the next.</summary>
    public ReadOnlyMemory<short> Inbound => inbound;
    public FrameSource InboundSource { get; private set; }

    /// <summary>What the last tick sent, silence where it sent nothing; overwritten by the next.</summary>
    public ReadOnlyMemory<short> Outbound => outbound;

    /// <summary>Ticks so far.</summary>
    public long Ticks { get; private set; }

    public bool IsConnected => audio is not null;
    public uint? RemoteSsrc => source.Ssrc;

    /// <summary>Starts, or changes after a re-INVITE. The lock opens only when the remote address changed (hold keeps it).</summary>
    public void Connect(NegotiatedAudio negotiated, long nowUs, uint? ssrcOfEarlierCall = null)
    {
        var first = audio is null;
        audio = negotiated;
        UseKeys(negotiated.Srtp);
        voice.Use(negotiated.Codec, negotiated.Opus);
        heardAt.Factor = negotiated.Codec.ClockRate() / Tone.SampleRate;
        var remote = UdpAddress.From(negotiated.Remote);
        if (remote.IsReachable) source.Expect(remote, ssrcOfEarlierCall);
        remoteRtcp = UdpAddress.From(negotiated.RemoteRtcp);
        (expectRtpSinceUs, toldNoRtp) = (nowUs, false);
        if (!first) return;
        nextQualityUs = nowUs + (long)options.QualityEvery.TotalMicroseconds;
        nextRtcpUs = nowUs + RtcpSchedule.NextUs(options.RtcpEvery, isFirst: true, Dice);
    }

    /// <summary>A datagram came in. Whatever is wrong with it is counted, never thrown.</summary>
    public void Receive(ReadOnlySpan<byte> datagram, UdpAddress from, bool onRtcpPort, long nowUs)
    {
        if (audio is not { } agreed) return;
        var isRtcp = onRtcpPort || RtpHeader.LooksLikeRtcp(datagram);
        if (seal is not null && !TryOpen(ref datagram, isRtcp)) return;
        if (isRtcp) ReceiveRtcp(agreed, datagram, from, nowUs);
        else if (!RtpHeader.TryRead(datagram, out var header)) malformed++;
        else if (!IsNegotiated(agreed, header.PayloadType)) ReceiveStray(header, datagram.Slice(header.PayloadOffset, header.PayloadLength), from, nowUs);
        else ReceiveRtp(agreed, header, datagram.Slice(header.PayloadOffset, header.PayloadLength), from, nowUs);
    }

    public void Dispose()
    {
        seal?.Dispose();
        voice.Dispose();
    }

    /// <summary>20 ms pass: one frame in, one packet out.</summary>
    public void Tick(long nowUs, bool late = false)
    {
        if (audio is not { } agreed) return;
        if (late) lateTicks++;
        var concealed = jitter.Concealed;
        InboundSource = jitter.Read(inbound);
        if (InboundSource == FrameSource.Heard) losses.Heard();
        else if (jitter.Concealed > concealed) losses.Lost();
        if (InboundSource != FrameSource.Heard && voice.Noise.IsOn) voice.Noise.Fill(inbound);
        if (agreed.TelephoneEventPayloadType is null && InboundSource != FrameSource.Nothing && voice.HearKey(inbound) is { } key) events.Enqueue(new MediaEvent.DtmfPressed(key));
        SendFrame(agreed);
        Recording?.Append(inbound, outbound);
        timestamp += (uint)agreed.Codec.TimestampPerFrame();
        Ticks++;
        while (Playback.TryTakeReached(out var mark) && mark is not null) events.Enqueue(mark);
        WatchForSilence(agreed, nowUs);
        ReportWhenDue(agreed, nowUs);
    }

    /// <summary>The process stood still for too long to catch up: the timeline goes on, nothing is sent for the time lost.</summary>
    public void Skip(int frames)
    {
        if (audio is not { } agreed) return;
        timestamp += (uint)(agreed.Codec.TimestampPerFrame() * frames);
        marker = true;
        Ticks += frames;
        lateTicks += frames;
        jitter.Skip(frames);
        Recording?.AppendSilence(frames);
    }

    /// <summary>False when the other side takes no telephone events, the digits are not digits, or too many wait.</summary>
    public bool SendDtmf(string digits) => audio?.TelephoneEventPayloadType is not null && dtmfOut.Enqueue(digits);

    public bool TryTakeEvent(out MediaEvent? mediaEvent) => events.TryDequeue(out mediaEvent);

    /// <summary>Says good-bye in RTCP (RFC 3550 6.6).</summary>
    public void SayBye(long nowUs)
    {
        if (audio is { } agreed) SendReport(agreed, nowUs, bye: true);
    }

    public MediaQuality Quality()
    {
        var expected = statistics.Received + statistics.Lost;
        var unusable = statistics.Lost + jitter.Late;
        var lossPercent = expected == 0 ? 0 : Math.Min(100.0, 100.0 * unusable / expected);
        var delayMs = jitter.DelayMs + 20 + (rttMs ?? 0) / 2;
        var mos = expected == 0 ? EModel.Worst : EModel.Mos(EModel.R(delayMs, lossPercent)); // nothing heard is no good call
        return new MediaQuality(
            audio?.Codec, start.Ssrc, source.Ssrc, sent, statistics.Received, statistics.Lost, jitter.Late, statistics.Duplicates,
            statistics.Reordered, statistics.JitterMs, rttMs, mos, jitter.DelayMs, jitter.Concealed,
            lateTicks, statistics.MaxGapMs, source.Foreign + foreignReports, malformed, stray, remoteLossPercent, remoteJitterMs)
        {
            RemoteMos = remoteMos, Srtp = audio?.Srtp?.Ours.Suite, Forged = seal?.Forged ?? 0, Replayed = seal?.Replayed ?? 0,
        };
    }

    private void UseKeys(SrtpPair? keys)
    {
        if (keys is null)
        {
            seal?.Dispose();
            seal = null;
        }
        else if (seal is null) seal = new LegSeal(keys);
        else seal.Use(keys);
    }

    // Whoever has not the key is stopped here, before the source lock hears of him.
    private bool TryOpen(ref ReadOnlySpan<byte> datagram, bool isRtcp)
    {
        if (seal is not { } keys) return true;
        datagram = keys.Open(datagram, isRtcp, out var verdict);
        if (verdict == SrtpVerdict.Malformed) malformed++;
        return verdict == SrtpVerdict.Open;
    }

    private static bool IsNegotiated(NegotiatedAudio agreed, int payloadType) =>
        payloadType == agreed.PayloadType || payloadType == agreed.TelephoneEventPayloadType;

    private void ReceiveRtp(NegotiatedAudio agreed, RtpHeader header, ReadOnlySpan<byte> payload, UdpAddress from, long nowUs)
    {
        var verdict = source.Admit(from, header.Ssrc, header.Sequence, nowUs);
        if (verdict == SourceVerdict.Drop) return;
        if (verdict == SourceVerdict.AcceptNewStream) ListenAnew(from);
        (expectRtpSinceUs, toldNoRtp) = (nowUs, false);
        var arrival = statistics.OnPacket(header.Sequence, nowUs);
        if (arrival is RtpArrival.Restarted) CountAnew();
        if (arrival is RtpArrival.Duplicate or RtpArrival.Suspicious || !agreed.Direction.Receives()) return;
        if (header.PayloadType == agreed.TelephoneEventPayloadType) ReceiveDigit(header, payload);
        else if (loopBack) SendBack(agreed, header, payload, nowUs);
        else if (voice.Opus is { } opus) ReceiveOpus(opus, header, payload, nowUs);
        else ReceiveAudio(header, payload, nowUs);
    }

    // Its timestamps, too, begin somewhere else, and what comes now is not behind what came before.
    private void CountAnew()
    {
        dtmfIn.Reset();
        voice.ListenAnew();
    }

    private void ReceiveOpus(OpusVoice opus, RtpHeader header, ReadOnlySpan<byte> payload, long nowUs)
    {
        var at = heardAt.At(header.Timestamp);
        statistics.OnAudioTiming(at, nowUs);
        if (opus.IsBehind(header.Sequence)) return;
        var recovered = opus.Recover(header.Sequence, at, payload, Decoded);
        if (recovered > 0) jitter.Patch(at - (uint)recovered, Decoded.AsSpan(0, recovered));
        voice.Noise.Stop();
        if (opus.Decode(header.Sequence, at, payload, Decoded) is { } samples) jitter.Insert(at, Decoded.AsSpan(0, samples));
        else malformed++;
    }

    private void ReceiveAudio(RtpHeader header, ReadOnlySpan<byte> payload, long nowUs)
    {
        if (payload.Length > MaxPacketSamples)
        {
            malformed++;
            return;
        }
        statistics.OnAudioTiming(header.Timestamp, nowUs);
        var samples = voice.Decode(payload, Decoded);
        jitter.Insert(header.Timestamp, Decoded.AsSpan(0, samples));
    }

    // Timestamps keep their distances; the shift puts them where our own stream stands.
    private void SendBack(NegotiatedAudio agreed, RtpHeader header, ReadOnlySpan<byte> payload, long nowUs)
    {
        statistics.OnAudioTiming(heardAt.At(header.Timestamp), nowUs);
        if (payload.Length > MaxSentOctets || !agreed.Direction.Sends() || source.SendTo is not { IsReachable: true } to) return;
        loopShift ??= timestamp - header.Timestamp;
        payload.CopyTo(Packet.AsSpan(RtpHeader.Size));
        SendPacket(marker, header.PayloadType, header.Timestamp + loopShift.Value, payload.Length, to);
        marker = false;
    }

    private void ReceiveDigit(RtpHeader header, ReadOnlySpan<byte> payload)
    {
        voice.Opus?.Pass(header.Sequence);
        if (dtmfIn.Take(header.Timestamp, payload) is { } digit) events.Enqueue(new MediaEvent.DtmfPressed(digit));
    }

    // Codecs that nobody agreed on: not heard, and they never change what we send; but they were not lost either. Comfort noise has a static payload type,
    // and gateways send it without asking.
    private void ReceiveStray(RtpHeader header, ReadOnlySpan<byte> payload, UdpAddress from, long nowUs)
    {
        stray++;
        if (!source.IsLocked || source.SendTo != from || source.Ssrc != header.Ssrc) return;
        if (statistics.OnPacket(header.Sequence, nowUs) == RtpArrival.Duplicate) return;
        if (header.PayloadType == ComfortNoise.PayloadType && voice.Noise.Take(payload)) (expectRtpSinceUs, toldNoRtp) = (nowUs, false);
    }

    private void ListenAnew(UdpAddress from)
    {
        statistics.NewStream();
        jitter.Reset();
        dtmfIn.Reset();
        voice.ListenAnew();
        events.Enqueue(new MediaEvent.SourceFound(from));
    }

    private void ReceiveRtcp(NegotiatedAudio agreed, ReadOnlySpan<byte> datagram, UdpAddress from, long nowUs)
    {
        if (!source.IsOurPeer(from))
        {
            foreignReports++;
            return;
        }
        if (!Rtcp.TryRead(datagram, start.Ssrc, out var news))
        {
            malformed++;
            return;
        }
        if (news.HasSenderReport) (lastSenderReport, lastSenderReportUs) = (news.NtpMiddle, nowUs);
        if (news.HasBlock) TakeReport(agreed, news.Block, nowUs);
        if (news.Voip is { } voip && voip.MosListening is >= 10 and <= 50) remoteMos = voip.MosListening / 10.0;
        if (news.Bye) events.Enqueue(new MediaEvent.RemoteBye());
    }

    // RFC 3550 6.4.1: RTT = now - LSR - DLSR, in 1/65536 s.
    private void TakeReport(NegotiatedAudio agreed, RtcpReportBlock block, long nowUs)
    {
        remoteLossPercent = block.FractionLost * 100.0 / 256;
        remoteJitterMs = block.Jitter * 1000.0 / agreed.Codec.ClockRate();
        if (block.LastSenderReport == 0) return;
        var roundTrip = (int)((uint)(NtpAt(nowUs) >> 16) - block.LastSenderReport - block.DelaySinceLast);
        if (roundTrip >= 0) rttMs = roundTrip * 1000.0 / 65_536;
    }

    private void SendFrame(NegotiatedAudio agreed)
    {
        if (loopBack || !agreed.Direction.Sends() || source.SendTo is not { IsReachable: true } to)
        {
            outbound.AsSpan().Clear();
            marker |= !loopBack;
        }
        else if (dtmfOut.IsBusy && agreed.TelephoneEventPayloadType is { } payloadType) SendDigit(payloadType, agreed.TelephoneEventRate, to);
        else if (ReadOutbound()) SendAudio(agreed, to);
        else if (agreed.ComfortNoise) SendNoise(to);
        else if (options.Idle == IdleSend.Silence) SendAudio(agreed, to);
        else marker = true;
    }

    private bool ReadOutbound()
    {
        var isHeard = Playback.Read(outbound);
        foreach (var stage in Stages) isHeard = stage.Process(outbound, isHeard);
        return isHeard;
    }

    private void SendAudio(NegotiatedAudio agreed, UdpAddress to)
    {
        var octets = voice.Encode(outbound, Packet.AsSpan(RtpHeader.Size));
        SendPacket(marker, agreed.PayloadType, timestamp, octets, to);
        (marker, silentTicks) = (false, 0);
    }

    // RFC 3389 4: one packet when silence begins, then now and then; the next sound has the marker.
    private void SendNoise(UdpAddress to)
    {
        if (silentTicks++ % NoiseEveryTicks == 0)
        {
            Packet[RtpHeader.Size] = NoiseLevel;
            SendPacket(false, ComfortNoise.PayloadType, timestamp, 1, to);
        }
        marker = true;
    }

    private void SendDigit(int payloadType, int rate, UdpAddress to)
    {
        outbound.AsSpan().Clear();
        if (dtmfOut.Next(timestamp, rate / TicksPerSecond) is not { } digit) return;
        digit.Write(Packet.AsSpan(RtpHeader.Size));
        SendPacket(digit.Marker, payloadType, digit.Timestamp, DtmfPacket.Size, to);
    }

    private void SendPacket(bool withMarker, int payloadType, uint at, int payloadLength, UdpAddress to)
    {
        RtpHeader.Write(Packet, withMarker, payloadType, sequence++, at, start.Ssrc);
        ReadOnlySpan<byte> plain = Packet.AsSpan(0, RtpHeader.Size + payloadLength);
        transport.SendRtp(seal is null ? plain : seal.Seal(plain, RtpHeader.Size), to);
        sent++;
        sentOctets += payloadLength;
    }

    private void WatchForSilence(NegotiatedAudio agreed, long nowUs)
    {
        if (!agreed.Direction.Receives() || toldNoRtp) return;
        var silence = TimeSpan.FromMicroseconds(nowUs - expectRtpSinceUs);
        if (silence < options.NoRtpAfter) return;
        toldNoRtp = true;
        events.Enqueue(new MediaEvent.NoRtpFor(silence));
    }

    private void ReportWhenDue(NegotiatedAudio agreed, long nowUs)
    {
        if (nowUs >= nextQualityUs)
        {
            nextQualityUs += (long)options.QualityEvery.TotalMicroseconds;
            events.Enqueue(new MediaEvent.QualityMeasured(Quality()));
        }
        if (nowUs < nextRtcpUs) return;
        nextRtcpUs = nowUs + RtcpSchedule.NextUs(options.RtcpEvery, isFirst: false, Dice);
        SendReport(agreed, nowUs, bye: false);
    }

    private void SendReport(NegotiatedAudio agreed, long nowUs, bool bye)
    {
        if (source.SendTo is not { IsReachable: true } rtp) return;
        var to = agreed.RtcpMux ? rtp : rtp.Address == remoteRtcp.Address ? remoteRtcp : rtp with { Port = (ushort)(rtp.Port + 1) };
        RtcpReportBlock? block = source.Ssrc is { } ssrc ? ReportOn(ssrc, nowUs) : null;
        var length = Rtcp.WriteReport(rtcp, start.Ssrc, NtpAt(nowUs), timestamp, (uint)sent, (uint)sentOctets, block, cname, bye, VoipMetrics());
        ReadOnlySpan<byte> plain = rtcp.AsSpan(0, length);
        var report = seal is null ? plain : seal.SealRtcp(plain);
        if (report.IsEmpty) return;
        if (agreed.RtcpMux) transport.SendRtp(report, to);
        else transport.SendRtcp(report, to);
    }

    private RtcpReportBlock ReportOn(uint ssrc, long nowUs) => new(
        ssrc, statistics.TakeFractionLost(), (int)Math.Min(statistics.Lost, 0x7FFFFF), statistics.ExtendedHighest,
        statistics.JitterSamples * (uint)heardAt.Factor,
        lastSenderReport, lastSenderReport == 0 ? 0 : (uint)((nowUs - lastSenderReportUs) * 65_536 / 1_000_000));

    // Our SSRC and sequence number are random enough to keep legs out of step.
    private byte Dice => (byte)(start.Ssrc ^ (uint)(sequence * 40_503));

    private RtcpVoip? VoipMetrics()
    {
        if (source.Ssrc is not { } ssrc || statistics.Received == 0) return null;
        var (lost, late, spread) = (statistics.Lost, jitter.Late, losses.Summary());
        var expected = Math.Max(1, statistics.Received + lost);
        var lossPercent = Math.Min(100, 100.0 * (lost + late) / expected);
        var r = EModel.R(jitter.DelayMs + FrameMs + (rttMs ?? 0) / 2, lossPercent);
        return new RtcpVoip(
            ssrc, Of256(lost, expected), Of256(late, expected), (byte)(spread.BurstDensity * 2.55), (byte)(spread.GapDensity * 2.55), Ms(spread.BurstMs), Ms(spread.GapMs),
            Ms(rttMs ?? 0), Ms(jitter.DelayMs + FrameMs), (byte)r, Tenths(EModel.Mos(EModel.R(0, lossPercent))), Tenths(EModel.Mos(r)),
            Ms(jitter.DelayMs), Ms(JitterBuffer.MaxDelayMs), Ms(JitterBuffer.MaxDelayMs));
    }

    private static byte Tenths(double mos) => (byte)Math.Round(mos * 10);

    private static byte Of256(long part, long whole) => (byte)Math.Min(255, part * 256 / whole);

    private static ushort Ms(double milliseconds) => (ushort)Math.Clamp(milliseconds, 0, ushort.MaxValue);

    private ulong NtpAt(long nowUs) => Rtcp.Ntp(start.WallClock + TimeSpan.FromMicroseconds(nowUs - start.NowUs));
}
