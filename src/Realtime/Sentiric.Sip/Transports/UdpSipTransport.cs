using System.Net;
using System.Net.Sockets;

namespace Sentiric.Sip;

/// <summary>SIP over UDP (RFC 3261 18): one socket, one receiving thread of its own. Sends happen on the caller's thread.</summary>
public sealed class UdpSipTransport : ISipTransport
{
    /// <summary>Room for a burst of about two thousand requests; the system may grant less.</summary>
    private const int ReceiveBufferBytes = 4 * 1024 * 1024;

    /// <summary>In a row; a socket that keeps failing is given up instead of spinning.</summary>
    private const int MaxReceiveFaults = 1_000;

    private readonly Socket socket;
    private readonly ISipTransportSink sink;
    private readonly Thread receiver;
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
        receiver = new Thread(Receive) { IsBackground = true, Name = $"sip-udp-{LocalEndPoint.Port}" };
        receiver.Start();
    }

    public SipTransportKind Kind => SipTransportKind.Udp;

    public IPEndPoint LocalEndPoint { get; }

    public bool IsConnected(IPEndPoint remote) => true;

    public void Send(ReadOnlyMemory<byte> message, IPEndPoint remote, string? host, Action<string>? failed)
    {
        try
        {
            socket.SendTo(message.Span, SocketFlags.None, remote);
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

    private void Receive()
    {
        byte[] buffer = new byte[SipLimits.MessageBytes];
        EndPoint any = new IPEndPoint(LocalEndPoint.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        int faults = 0;
        while (!closed && faults < MaxReceiveFaults)
        {
            try
            {
                EndPoint remote = any;
                int length = socket.ReceiveFrom(buffer, ref remote);
                faults = 0;
                sink.Received(this, (IPEndPoint)remote, buffer.AsSpan(0, length));
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
}
