namespace Sentiric.Media;

/// <summary>What a leg has to tell besides audio. Told in order, one at a time, off the audio path.</summary>
public abstract record MediaEvent
{
    /// <summary>The remote party pressed a key (RFC 4733).</summary>
    public sealed record DtmfPressed(char Digit) : MediaEvent;

    /// <summary>No RTP arrived for this long although it should; told once until RTP returns.</summary>
    public sealed record NoRtpFor(TimeSpan Silence) : MediaEvent;

    /// <summary>The first RTP packet of the remote party was accepted, from this address; again after each change of source.</summary>
    public sealed record SourceFound(UdpAddress From) : MediaEvent;

    /// <summary>Playback passed a mark.</summary>
    public sealed record MarkReached(string PlaybackId, string Name, long AtMs) : MediaEvent;

    /// <summary>Every five seconds, of the whole call so far.</summary>
    public sealed record QualityMeasured(MediaQuality Quality) : MediaEvent;

    /// <summary>The remote party said good-bye in RTCP.</summary>
    public sealed record RemoteBye : MediaEvent;
}
