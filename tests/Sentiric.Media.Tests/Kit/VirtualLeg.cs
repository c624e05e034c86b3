using System.Net;

namespace Sentiric.Media.Tests;

/// <summary>A leg on virtual time: the test is its network, its clock and its remote party.</summary>
internal sealed class VirtualLeg : IMediaTransport
{
    public const uint RemoteSsrc = 0xCAFE0001;
    public static readonly UdpAddress Remote = UdpAddress.From(new IPEndPoint(IPAddress.Parse("192.0.2.10"), 4_000));
    public static readonly UdpAddress Stranger = UdpAddress.From(new IPEndPoint(IPAddress.Parse("198.51.100.66"), 6_666));
    private static readonly DateTimeOffset Wall = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly byte[] buffer = new byte[2_048];

    public VirtualLeg(MediaLegOptions? options = null, NegotiatedAudio? audio = null, uint? staleSsrc = null)
    {
        Leg = new MediaLeg(this, options ?? new MediaLegOptions(), new RtpStart(0x11223344, 65_530, 0xFFFFFF00, Wall, 0));
        Leg.Connect(audio ?? Audio(), NowUs, staleSsrc);
    }

    public MediaLeg Leg { get; }
    public long NowUs { get; private set; }
    public List<byte[]> SentRtp { get; } = [];
    public List<byte[]> SentRtcp { get; } = [];
    public List<short> Heard { get; } = [];
    public List<FrameSource> Sources { get; } = [];

    public static NegotiatedAudio Audio(
        MediaDirection direction = MediaDirection.SendRecv, string address = "192.0.2.10", int port = 4_000)
    {
        var host = IPAddress.Parse(address);
        return new NegotiatedAudio(
            new IPEndPoint(host, port), new IPEndPoint(host, port + 1), AudioCodec.Pcma, 8, 101, direction, RtcpMux: false);
    }

    public void Tick(int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            NowUs += 20_000;
            Leg.Tick(NowUs);
            Heard.AddRange(Leg.Inbound.ToArray());
            Sources.Add(Leg.InboundSource);
        }
    }

    /// <summary>The process stands still.</summary>
    public void Stall(int frames)
    {
        NowUs += 20_000L * frames;
        Leg.Skip(frames);
    }

    /// <summary>A packet of the remote party whose samples all have this value.</summary>
    public void ReceiveAudio(
        int sequence, short value, UdpAddress? from = null, uint ssrc = RemoteSsrc, int payloadType = 8, bool onRtcpPort = false)
    {
        var pcm = new short[160];
        Array.Fill(pcm, value);
        Receive(sequence, (uint)(sequence * 160), pcm, from, ssrc, payloadType, onRtcpPort);
    }

    public void Receive(
        int sequence, uint timestamp, ReadOnlySpan<short> pcm, UdpAddress? from = null, uint ssrc = RemoteSsrc, int payloadType = 8,
        bool onRtcpPort = false)
    {
        RtpHeader.Write(buffer, false, payloadType, (ushort)sequence, timestamp, ssrc);
        G711.Encode(AudioCodec.Pcma, pcm, buffer.AsSpan(RtpHeader.Size));
        Leg.Receive(buffer.AsSpan(0, RtpHeader.Size + pcm.Length), from ?? Remote, onRtcpPort, NowUs);
    }

    public void ReceiveBytes(ReadOnlySpan<byte> datagram, UdpAddress? from = null, bool onRtcpPort = false) =>
        Leg.Receive(datagram, from ?? Remote, onRtcpPort, NowUs);

    public List<MediaEvent> TakeEvents()
    {
        var events = new List<MediaEvent>();
        while (Leg.TryTakeEvent(out var mediaEvent) && mediaEvent is not null) events.Add(mediaEvent);
        return events;
    }

    public List<RtpHeader> SentHeaders() => [.. SentRtp.Select(Header)];

    /// <summary>What the remote party hears of our audio packets.</summary>
    public short[] SentPcm()
    {
        var all = new List<short>();
        foreach (var packet in SentRtp.Where(p => Header(p).PayloadType == 8))
        {
            var pcm = new short[packet.Length - RtpHeader.Size];
            G711.Decode(AudioCodec.Pcma, packet.AsSpan(RtpHeader.Size), pcm);
            all.AddRange(pcm);
        }
        return [.. all];
    }

    /// <summary>What G.711 makes of a sample.</summary>
    public static short Through(short value)
    {
        Span<byte> code = stackalloc byte[1];
        Span<short> back = stackalloc short[1];
        G711.Encode(AudioCodec.Pcma, [value], code);
        G711.Decode(AudioCodec.Pcma, code, back);
        return back[0];
    }

    void IMediaTransport.SendRtp(ReadOnlySpan<byte> packet, UdpAddress to) => SentRtp.Add(packet.ToArray());

    void IMediaTransport.SendRtcp(ReadOnlySpan<byte> packet, UdpAddress to) => SentRtcp.Add(packet.ToArray());

    private static RtpHeader Header(byte[] packet)
    {
        Assert.True(RtpHeader.TryRead(packet, out var header));
        return header;
    }
}
