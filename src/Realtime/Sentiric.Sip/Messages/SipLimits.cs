namespace Sentiric.Sip;

/// <summary>Bounds on what is read from the wire. Beyond them a message is refused, never truncated.</summary>
public static class SipLimits
{
    /// <summary>Bytes of one message, the size of a UDP datagram.</summary>
    public const int MessageBytes = 65_535;

    /// <summary>Bytes of one header with its folded continuation lines; the start line obeys it too.</summary>
    public const int HeaderBytes = 8_192;

    /// <summary>Header lines in one message.</summary>
    public const int Headers = 128;

    /// <summary>Comma-separated values or parameters in one header.</summary>
    public const int ValuesPerHeader = 128;
}
