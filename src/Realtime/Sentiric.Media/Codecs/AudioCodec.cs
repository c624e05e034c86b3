namespace Sentiric.Media;

/// <summary>The codecs that this engine speaks. All but Opus: 64 kbit/s, an RTP clock of 8 kHz, an octet per tick of it (RFC 3551 table 4).</summary>
public enum AudioCodec
{
    /// <summary>G.711 A-law, static payload type 8.</summary>
    Pcma,

    /// <summary>G.711 mu-law, static payload type 0.</summary>
    Pcmu,

    /// <summary>G.722, static payload type 9: 16 kHz audio, yet a clock of 8 kHz (RFC 3551 4.5.2).</summary>
    G722,

    /// <summary>Opus, a dynamic payload type and always a clock of 48 kHz (RFC 7587); only where <see cref="OpusLibrary.IsPresent"/>.</summary>
    Opus,
}

/// <summary>What SDP calls a codec, and how its RTP clock runs.</summary>
public static class AudioCodecNames
{
    public static string EncodingName(this AudioCodec codec) => codec switch
    {
        AudioCodec.Pcma => "PCMA",
        AudioCodec.Pcmu => "PCMU",
        AudioCodec.G722 => "G722",
        AudioCodec.Opus => "opus",
    };

    /// <summary>Absent where SDP has to name one.</summary>
    public static int? StaticPayloadType(this AudioCodec codec) => codec switch
    {
        AudioCodec.Pcma => 8,
        AudioCodec.Pcmu => 0,
        AudioCodec.G722 => 9,
        AudioCodec.Opus => null,
    };

    /// <summary>Ticks of the RTP timestamp in a second.</summary>
    public static int ClockRate(this AudioCodec codec) => codec switch
    {
        AudioCodec.Pcma or AudioCodec.Pcmu or AudioCodec.G722 => Tone.SampleRate,
        AudioCodec.Opus => 48_000,
    };

    /// <summary>How far the RTP timestamp goes in a frame of 20 ms.</summary>
    public static int TimestampPerFrame(this AudioCodec codec) => codec.ClockRate() / 50;

    /// <summary>What stands behind the payload type in <c>a=rtpmap</c>: "PCMA/8000". Opus always says two channels (RFC 7587 7).</summary>
    public static string MapName(this AudioCodec codec) => codec switch
    {
        AudioCodec.Pcma or AudioCodec.Pcmu or AudioCodec.G722 => $"{codec.EncodingName()}/8000",
        AudioCodec.Opus => "opus/48000/2",
    };

    /// <summary>The codec of this name, as people write it; absent for any other.</summary>
    public static AudioCodec? Named(string name)
    {
        foreach (var codec in Enum.GetValues<AudioCodec>())
        {
            if (codec.EncodingName().Equals(name, StringComparison.OrdinalIgnoreCase)) return codec;
        }
        return null;
    }
}
