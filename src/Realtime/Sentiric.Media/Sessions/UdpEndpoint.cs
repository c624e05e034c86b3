using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Sentiric.Media;

/// <summary>Takes the datagrams of an endpoint; called on the receive thread, must not block.</summary>
internal delegate void DatagramHandler(ReadOnlySpan<byte> datagram, UdpAddress from);

/// <summary>
/// A bound UDP socket, used through plain system calls. The lock keeps the descriptor alive during a call: the kernel gives a
/// closed number to the next socket, and audio of one call must never reach another.
/// </summary>
internal sealed class UdpEndpoint : IDisposable
{
    private const ushort InternetFamily = 2;
    private const uint AddressSize = 16;

    private readonly Lock gate = new();
    private readonly Socket socket;
    private readonly DatagramHandler handler;
    private bool closed;

    private UdpEndpoint(Socket socket, DatagramHandler handler)
    {
        (this.socket, this.handler) = (socket, handler);
        Handle = (int)socket.SafeHandle.DangerousGetHandle();
        Port = ((IPEndPoint?)socket.LocalEndPoint)?.Port ?? 0;
    }

    public int Handle { get; }

    /// <summary>Where its <see cref="SocketPoll"/> has it, which alone sets this.</summary>
    public int? PollPlace { get; set; }
    public int Port { get; }

    /// <summary>Null when the port is taken.</summary>
    public static UdpEndpoint? TryBind(IPAddress address, int port, int receiveBufferBytes, DatagramHandler handler)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.ReceiveBufferSize = receiveBufferBytes;
            socket.Bind(new IPEndPoint(address, port));
            return new UdpEndpoint(socket, handler);
        }
        catch (SocketException taken) when (taken.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>A packet that the kernel will not take (no route) is lost like any other; the remote party's RTCP tells.</summary>
    public void Send(ReadOnlySpan<byte> packet, UdpAddress to)
    {
        var address = new Libc.SocketAddressIn
        {
            Family = InternetFamily,
            PortBigEndian = BinaryPrimitives.ReverseEndianness(to.Port),
            AddressBigEndian = BinaryPrimitives.ReverseEndianness(to.Address),
        };
        lock (gate)
        {
            if (closed) return;
            _ = Libc.sendto(Handle, in packet[0], packet.Length, Libc.DontWait, in address, AddressSize);
        }
    }

    /// <summary>Takes one datagram, if there is one. The receive thread only.</summary>
    public void ReceiveOne(Span<byte> buffer)
    {
        var from = default(Libc.SocketAddressIn);
        var fromLength = AddressSize;
        nint length;
        lock (gate)
        {
            if (closed) return;
            length = Libc.recvfrom(Handle, ref buffer[0], buffer.Length, Libc.DontWait, ref from, ref fromLength);
        }
        if (length < 0 || from.Family != InternetFamily) return;
        var host = BinaryPrimitives.ReverseEndianness(from.AddressBigEndian);
        handler(buffer[..(int)length], new UdpAddress(host, BinaryPrimitives.ReverseEndianness(from.PortBigEndian)));
    }

    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            socket.Dispose();
        }
    }
}
