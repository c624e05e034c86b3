using System.Net;

namespace Sentiric.Sip;

/// <summary>What SIP runs on here.</summary>
public enum SipTransportKind
{
    Udp,
    Tcp,

    /// <summary>TCP under TLS.</summary>
    Tls,

    /// <summary>WebSocket (RFC 7118): taken, never opened.</summary>
    Ws,

    /// <summary>WebSocket over TLS.</summary>
    Wss,
}

/// <summary>Where to listen. Port 0 lets the system choose; the endpoint reports the chosen one.</summary>
/// <param name="Tls">For <see cref="SipTransportKind.Tls"/> and <see cref="SipTransportKind.Wss"/>, and then needed.</param>
public sealed record SipListen(SipTransportKind Transport, IPEndPoint Address, SipTlsOptions? Tls = null)
{
    public SipKeepAlive KeepAlive { get; init; } = new();

    /// <summary>For WebSockets.</summary>
    public SipWebSocketOptions WebSocket { get; init; } = new();

    public static SipListen Udp(string address = "127.0.0.1", int port = 0) => new(SipTransportKind.Udp, new IPEndPoint(IPAddress.Parse(address), port));

    public static SipListen Tcp(string address = "127.0.0.1", int port = 0) => new(SipTransportKind.Tcp, new IPEndPoint(IPAddress.Parse(address), port));

    public static SipListen OverTls(SipTlsOptions tls, string address = "127.0.0.1", int port = 0) =>
        new(SipTransportKind.Tls, new IPEndPoint(IPAddress.Parse(address), port), tls);

    /// <summary>In clear, or over TLS when <paramref name="tls"/> is given.</summary>
    public static SipListen OverWebSocket(SipWebSocketOptions options, SipTlsOptions? tls = null, string address = "127.0.0.1", int port = 0) =>
        new(tls is null ? SipTransportKind.Ws : SipTransportKind.Wss, new IPEndPoint(IPAddress.Parse(address), port), tls) { WebSocket = options };
}

/// <summary>A listener that is open, with the port it got.</summary>
public sealed record SipBinding(SipTransportKind Transport, IPEndPoint Address);

/// <summary>Receives what arrives; called from the transport's own thread, must not block.</summary>
public interface ISipTransportSink
{
    /// <summary>One datagram or one framed message. The bytes are only valid during the call.</summary>
    void Received(ISipTransport transport, IPEndPoint remote, ReadOnlySpan<byte> message);

    /// <summary>A keep-alive was received and answered, or a stream could not be framed and was closed.</summary>
    void Noticed(ISipTransport transport, IPEndPoint remote, string what);

    /// <summary>A connection has ended, whoever ended it: what was bound to it can no more be reached (RFC 5626 4.4).</summary>
    void Disconnected(ISipTransport transport, IPEndPoint remote)
    {
    }
}

/// <summary>One bound socket (UDP) or one listener with its connections (TCP, TLS, WebSocket).</summary>
public interface ISipTransport : IAsyncDisposable
{
    SipTransportKind Kind { get; }

    IPEndPoint LocalEndPoint { get; }

    /// <summary>
    /// Sends or queues one message and returns at once. <paramref name="failed"/> is called, at most once and from any
    /// thread, when the message could certainly not be sent.
    /// </summary>
    /// <param name="host">Domain or address that the peer must prove to be, where the transport can prove it; null: whoever holds that connection.</param>
    void Send(ReadOnlyMemory<byte> message, IPEndPoint remote, string? host, Action<string>? failed);

    /// <summary>True when a connection to this remote is open; always true for UDP.</summary>
    bool IsConnected(IPEndPoint remote);
}

/// <summary>Opens transports: real sockets, or a network in memory for tests.</summary>
public interface ISipNetwork
{
    /// <exception cref="SipListenException">The address cannot be bound.</exception>
    ISipTransport Open(SipListen listen, ISipTransportSink sink, TimeProvider time);
}

/// <summary>Why a listener could not be opened.</summary>
public enum SipListenFault
{
    PortInUse,
    AddressNotAvailable,
    NotPermitted,

    /// <summary>TLS without a certificate.</summary>
    NoCertificate,
    Other,
}

/// <summary>An address cannot be bound; the message names it and says what to do.</summary>
public sealed class SipListenException(SipListen listen, SipListenFault fault, Exception? inner)
    : Exception(Describe(listen, fault), inner)
{
    public SipListen Listen => listen;

    public SipListenFault Fault => fault;

    private static string Describe(SipListen listen, SipListenFault fault)
    {
        string where = $"SIP cannot listen on {listen.Transport} {listen.Address}";
        return fault switch
        {
            SipListenFault.PortInUse => $"{where}: another process has this port. Stop it or choose another port.",
            SipListenFault.AddressNotAvailable => $"{where}: this machine has no such address.",
            SipListenFault.NotPermitted => $"{where}: the system does not permit this port.",
            SipListenFault.NoCertificate => $"{where}: TLS needs a certificate and its key.",
            SipListenFault.Other => $"{where}.",
        };
    }
}
