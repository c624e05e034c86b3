namespace Sentiric.Media;

/// <summary>
/// How a leg did, over the whole call. <paramref name="Lost"/> never arrived; <paramref name="Late"/> arrived after its moment to play
/// and counts into <paramref name="Mos"/> as lost. <paramref name="RttMs"/> is absent until the other side's RTCP spoke of us.
/// </summary>
/// <param name="JitterMs">RFC 3550 interarrival jitter.</param>
/// <param name="Mos">Listening estimate by the E-model, 1 to 4.5; 1 while nothing arrived.</param>
/// <param name="LateTicks">20 ms ticks that the pacing thread of this process began more than 5 ms late.</param>
/// <param name="MaxGapMs">Longest time between two packets of the remote party.</param>
/// <param name="Concealed">20 ms frames that held invented audio.</param>
/// <param name="Foreign">Packets from addresses that are not the remote party's.</param>
/// <param name="Malformed">Datagrams that are neither RTP nor RTCP.</param>
/// <param name="StrayPayload">RTP packets of payload types that were not negotiated.</param>
public sealed record MediaQuality(
    AudioCodec? Codec,
    uint Ssrc,
    uint? RemoteSsrc,
    long Sent,
    long Received,
    long Lost,
    long Late,
    long Duplicates,
    long Reordered,
    double JitterMs,
    double? RttMs,
    double Mos,
    double JitterBufferMs,
    long Concealed,
    long LateTicks,
    double MaxGapMs,
    long Foreign,
    long Malformed,
    long StrayPayload,
    double? RemoteLossPercent,
    double? RemoteJitterMs)
{
    /// <summary>What the other side makes of our voice (RFC 3611), where it says so.</summary>
    public double? RemoteMos { get; init; }

    /// <summary>How the media is encrypted; absent for plain RTP.</summary>
    public SrtpSuite? Srtp { get; init; }

    /// <summary>Packets whose SRTP tag was wrong: not from whoever has the key.</summary>
    public long Forged { get; init; }

    /// <summary>SRTP packets that came a second time, or after the replay window had passed them.</summary>
    public long Replayed { get; init; }
}
