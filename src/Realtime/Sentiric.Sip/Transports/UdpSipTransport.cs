using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Sentiric.Sip;

/// <summary>SIP over UDP (RFC 3261 18): one socket, one receiving thread of its own, which it lends to the application. Sends happen on the caller's thread.</summary>
public sealed class UdpSipTransport : ISipTransport, ILender
{
    /// <summary>Room for a burst of about two thousand requests; the system may grant less.</summary>
    private const int ReceiveBufferBytes = 4 * 1024 * 1024;

    /// <summary>In a row; a socket that keeps failing is given up instead of spinning.</summary>
    private const int MaxReceiveFaults = 1_000;

    /// <summary>Peers whose addresses need not be taken apart again; a trunk has few. Beyond it all are forgotten.</summary>
    private const int MaxRememberedPeers = 1_024;

    /// <summary>Of the receiving thread alone.</summary>
    private readonly Dictionary<SocketAddress, IPEndPoint> known = [];
    private readonly ConcurrentDictionary<IPEndPoint, SocketAddress> addresses = new();
    private readonly Socket socket;
    private readonly ISipTransportSink sink;

    /// <summary>Whose turn it is; a thread that finds another here ends.</summary>
    private volatile Thread receiver;
    private volatile bool closed;

    public UdpSipTransport(IPEndPoint listen, ISipTransportSink sink)
    {
        this.sink = sink;
        socket = new Socket(listen.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.ReceiveBufferSize = ReceiveBufferBytes;
            socket.Bind(listen);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        LocalEndPoint = (IPEndPoint)socket.LocalEndPoint!;
        receiver = NewReceiver();
        receiver.Start();
    }

    public SipTransportKind Kind => SipTransportKind.Udp;

    public IPEndPoint LocalEndPoint { get; }

    public bool IsConnected(IPEndPoint remote) => true;

    public void Send(ReadOnlyMemory<byte> message, IPEndPoint remote, string? host, Action<string>? failed)
    {
        try
        {
            socket.SendTo(message.Span, SocketFlags.None, AddressOf(remote));
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            failed?.Invoke(fault.Message);
        }
    }

    public ValueTask DisposeAsync()
    {
        closed = true;
        socket.Dispose();
        return ValueTask.CompletedTask;
    }

    void ILender.StandIn(Thread kept)
    {
        // Only the watch comes here, and only the receiver can be kept.
        if (ReferenceEquals(receiver, kept))
        {
            Thread next = NewReceiver();
            receiver = next;
            next.Start();
        }
    }

    private Thread NewReceiver() => new(Receive) { IsBackground = true, Name = $"sip-udp-{LocalEndPoint.Port}" };

    private void Receive()
    {
        byte[] buffer = new byte[SipLimits.MessageBytes];
        // The socket writes each sender's address into this one.
        var from = new SocketAddress(LocalEndPoint.AddressFamily);
        int faults = 0;
        Thread present = Thread.CurrentThread;
        while (!closed && faults < MaxReceiveFaults && ReferenceEquals(receiver, present))
        {
            try
            {
                int length = socket.ReceiveFrom(buffer, SocketFlags.None, from);
                faults = 0;
                sink.Received(this, EndPointOf(from), buffer.AsSpan(0, length));
            }
            catch (SocketException)
            {
                // An ICMP error of an earlier send, or a datagram beyond the limit: the next receive tells whether the socket lives.
                faults++;
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }

    private IPEndPoint EndPointOf(SocketAddress from)
    {
        if (known.TryGetValue(from, out IPEndPoint? remote))
        {
            return remote;
        }

        remote = (IPEndPoint)LocalEndPoint.Create(from);
        if (known.Count >= MaxRememberedPeers)
        {
            known.Clear();
        }

        var key = new SocketAddress(from.Family, from.Size);
        from.Buffer[..from.Size].CopyTo(key.Buffer);
        known[key] = remote;
        return remote;
    }

    private SocketAddress AddressOf(IPEndPoint remote)
    {
        if (addresses.TryGetValue(remote, out SocketAddress? address))
        {
            return address;
        }

        if (addresses.Count >= MaxRememberedPeers)
        {
            addresses.Clear();
        }

        return addresses[remote] = remote.Serialize();
    }
}
