namespace Sentiric.Sip;

/// <summary>What a connection's bytes turned out to be.</summary>
internal enum StreamPieceKind
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>One whole message.</summary>
    Message,

    /// <summary>Bytes to send back at once: the answer to a keep-alive.</summary>
    Answer,

    /// <summary>The peer's answer to our keep-alive.</summary>
    Alive,

    /// <summary>What there is of a message that cannot be cut off; then the connection ends.</summary>
    Broken,

    /// <summary>Last bytes to send, then the connection ends.</summary>
    Closed,
}

/// <summary>One piece; what <see cref="Bytes"/> is, the kind says.</summary>
internal readonly record struct StreamPiece(StreamPieceKind Kind, byte[] Bytes)
{
    public static StreamPiece Incomplete { get; } = new(StreamPieceKind.Incomplete, []);
}

/// <summary>How messages and keep-alives stand on one connection. Reading and writing sides are used by different threads and share nothing.</summary>
internal interface IStreamTalk
{
    /// <summary>True while part of a message is held.</summary>
    bool HasPartial { get; }

    /// <summary>Asks the peer for a sign of life.</summary>
    byte[] Ping { get; }

    /// <summary>Said before we close; empty when nothing is.</summary>
    byte[] Goodbye { get; }

    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Call until it is <see cref="StreamPieceKind.Incomplete"/>.</summary>
    StreamPiece Next();

    /// <summary>A message as it stands on the wire.</summary>
    ReadOnlyMemory<byte> Wrap(ReadOnlyMemory<byte> message);

    /// <summary>A ping has left, so that its answer can be told from what else looks like it.</summary>
    void Pinged();
}

/// <summary>TCP and TLS: Content-Length and the double CRLF of RFC 5626 4.4.1.</summary>
internal sealed class PlainTalk : IStreamTalk
{
    private static readonly byte[] DoubleCrlf = "\r\n\r\n"u8.ToArray();
    private static readonly byte[] Crlf = "\r\n"u8.ToArray();
    private readonly SipStreamFramer framer = new();

    public bool HasPartial => framer.HasPartial;

    public byte[] Ping => DoubleCrlf;

    public byte[] Goodbye => [];

    public void Append(ReadOnlySpan<byte> bytes) => framer.Append(bytes);

    public StreamPiece Next()
    {
        SipFrame frame = framer.Next();
        return frame.Kind switch
        {
            SipFrameKind.Incomplete => StreamPiece.Incomplete,
            SipFrameKind.Message => new(StreamPieceKind.Message, frame.Bytes),
            SipFrameKind.Ping => new(StreamPieceKind.Answer, Crlf),
            SipFrameKind.Pong => new(StreamPieceKind.Alive, []),
            SipFrameKind.Broken => new(StreamPieceKind.Broken, frame.Bytes),
        };
    }

    public ReadOnlyMemory<byte> Wrap(ReadOnlyMemory<byte> message) => message;

    public void Pinged() => framer.ExpectPong();
}

/// <summary>Signs of life on connections (RFC 5626 4.4.1; for WebSockets RFC 6455 5.5.2).</summary>
public sealed record SipKeepAlive
{
    /// <summary>
    /// At most this long between two pings on a connection that we opened; drawn anew each time from its last fifth, as RFC 5626 4.4.1 does with 95 to 120 s.
    /// </summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>The answer must come within this, or the connection is dead.</summary>
    public TimeSpan PongWithin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// False: only a peer that has answered a ping before is held to it, for others may be silent by right (RFC 6223). True: no answer, no connection.
    /// </summary>
    public bool PongRequired { get; init; }
}
