namespace Sentiric.Media;

/// <summary>The codecs that this engine speaks: 64 kbit/s, an RTP clock of 8 kHz, an octet per tick of it (RFC 3551 table 4).</summary>
public enum AudioCodec
{
    /// <summary>G.711 A-law, static payload type 8.</summary>
    Pcma,

    /// <summary>G.711 mu-law, static payload type 0.</summary>
    Pcmu,

    /// <summary>G.722, static payload type 9: 16 kHz audio, yet a clock of 8 kHz (RFC 3551 4.5.2).</summary>
    G722,
}

/// <summary>What SDP calls a codec.</summary>
public static class AudioCodecNames
{
    public static string EncodingName(this AudioCodec codec) => codec switch
    {
        AudioCodec.Pcma => "PCMA",
        AudioCodec.Pcmu => "PCMU",
        AudioCodec.G722 => "G722",
    };

    public static int StaticPayloadType(this AudioCodec codec) => codec switch
    {
        AudioCodec.Pcma => 8,
        AudioCodec.Pcmu => 0,
        AudioCodec.G722 => 9,
    };
}
