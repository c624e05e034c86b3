namespace Sentiric.Media;

/// <summary>The codecs that this engine speaks, both at 8 kHz with 8 bits per sample (RFC 3551 table 4).</summary>
public enum AudioCodec
{
    /// <summary>G.711 A-law, static payload type 8.</summary>
    Pcma,

    /// <summary>G.711 mu-law, static payload type 0.</summary>
    Pcmu,
}

/// <summary>What SDP calls a codec.</summary>
public static class AudioCodecNames
{
    public static string EncodingName(this AudioCodec codec) => codec switch
    {
        AudioCodec.Pcma => "PCMA",
        AudioCodec.Pcmu => "PCMU",
    };

    public static int StaticPayloadType(this AudioCodec codec) => codec switch
    {
        AudioCodec.Pcma => 8,
        AudioCodec.Pcmu => 0,
    };
}
