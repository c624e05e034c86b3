using System.Net;

namespace Sentiric.Media;

/// <summary>What offer and answer agreed on, seen from our end. Payload types are the same in both directions.</summary>
/// <param name="Remote">Where their audio is received; 0.0.0.0 while they hold in the old way.</param>
/// <param name="RemoteRtcp">Where their RTCP is received.</param>
/// <param name="Srtp">The keys of both directions; absent for plain RTP.</param>
/// <param name="TelephoneEventPayloadType">Absent when digits cannot be sent as RFC 4733 events.</param>
public sealed record NegotiatedAudio(
    IPEndPoint Remote,
    IPEndPoint RemoteRtcp,
    AudioCodec Codec,
    int PayloadType,
    int? TelephoneEventPayloadType,
    MediaDirection Direction,
    bool RtcpMux,
    SrtpPair? Srtp = null)
{
    /// <summary>Both speak comfort noise (payload type 13, RFC 3389), and we want to send it.</summary>
    public bool ComfortNoise { get; init; }

    /// <summary>Ticks in a second of the duration in telephone events: the codec's clock where the other side offers that, else 8,000.</summary>
    public int TelephoneEventRate { get; init; } = Tone.SampleRate;

    /// <summary>What they want to hear, when the codec is Opus.</summary>
    public OpusFormat? Opus { get; init; }
}

/// <summary>Saying no is a value: a stable code and a sentence for the log.</summary>
public sealed record MediaRefusal(string Code, string Detail)
{
    /// <summary>No codec, address or protocol in common: SIP says 488.</summary>
    public const string NothingInCommon = "sdp.nothing_in_common";

    /// <summary>Every port is in use or resting: SIP says 503 or 486.</summary>
    public const string PortsExhausted = "ports.exhausted";
}

/// <summary>What to say about ourselves in SDP.</summary>
/// <param name="Version">Rises with every description of a session (RFC 3264 5).</param>
/// <param name="SrtpKeys">What we send with, one key for each suite that we speak, best first; absent: plain RTP only.</param>
public sealed record SdpLocal(
    IPAddress Address, int RtpPort, long SessionId = 1, long Version = 1, IReadOnlyList<SrtpKey>? SrtpKeys = null);

/// <summary>What we are able and willing to do.</summary>
/// <param name="Codecs">In order of preference for our own offers; in answers the offerer's order rules.</param>
/// <param name="TelephoneEvent">False for gear that chokes on RFC 4733.</param>
/// <param name="Direction">What we want; an offer may narrow it.</param>
public sealed record MediaCapabilities(
    IReadOnlyList<AudioCodec> Codecs, bool TelephoneEvent = true, bool RtcpMux = true, MediaDirection Direction = MediaDirection.SendRecv,
    SrtpPolicy Srtp = SrtpPolicy.WhenOffered)
{
    /// <summary>Whether silence of ours may be sent as comfort noise, where the other side takes it. What comes is understood in any case.</summary>
    public bool ComfortNoise { get; init; }

    public static MediaCapabilities Default { get; } = new([AudioCodec.Pcma, AudioCodec.Pcmu, AudioCodec.G722]);

    /// <summary>These, less the codecs whose library is not on this machine.</summary>
    public MediaCapabilities Present() => Codecs.Contains(AudioCodec.Opus) ? Present(OpusLibrary.IsPresent) : this;

    internal MediaCapabilities Present(bool opus) =>
        opus || !Codecs.Contains(AudioCodec.Opus) ? this : this with { Codecs = [.. Codecs.Where(c => c != AudioCodec.Opus)] };
}

/// <summary>Either an answer with what it means, or a refusal.</summary>
public sealed record SdpOutcome(string? Sdp, NegotiatedAudio? Audio, MediaRefusal? Refusal)
{
    public static SdpOutcome Refused(string code, string detail) => new(null, null, new MediaRefusal(code, detail));
}
