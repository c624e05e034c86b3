using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sentiric.Media;

namespace Sentiric.Benchmarks.Media;

/// <summary>
/// One socket that many phones share, as a carrier's gateway does: batches go out and come in with one system call each.
/// All buffers are pinned, their addresses are written into the message tables once.
/// </summary>
internal sealed class Trunk : IDisposable
{
    private const int Batch = 256;
    private const int PayloadBytes = 160;
    private const int PacketBytes = RtpHeader.Size + PayloadBytes;
    private const int BufferBytes = 2_048;
    private const int KernelBuffer = 4 * 1024 * 1024;

    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly byte[] incoming = GC.AllocateArray<byte>(Batch * BufferBytes, pinned: true);
    private readonly Kernel.Message[] receiving = Table(Batch);
    private readonly Kernel.Part[] receivingParts = GC.AllocateArray<Kernel.Part>(Batch, pinned: true);
    private readonly byte[] outgoing;
    private readonly Kernel.Message[] sending;
    private readonly Kernel.Part[] sendingParts;
    private readonly Kernel.Address[] addresses;
    private readonly int handle, phones;

    public Trunk(int phones, int firstSsrc)
    {
        this.phones = phones;
        socket.ReceiveBufferSize = socket.SendBufferSize = KernelBuffer;
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        handle = (int)socket.SafeHandle.DangerousGetHandle();
        outgoing = GC.AllocateArray<byte>(phones * PacketBytes, pinned: true);
        (sending, sendingParts) = (Table(phones), GC.AllocateArray<Kernel.Part>(phones, pinned: true));
        addresses = GC.AllocateArray<Kernel.Address>(phones, pinned: true);
        new Random(firstSsrc).NextBytes(outgoing);
        for (var i = 0; i < Batch; i++) Point(receiving, receivingParts, i, incoming, i * BufferBytes, BufferBytes);
        for (var i = 0; i < phones; i++)
        {
            RtpHeader.Write(outgoing.AsSpan(i * PacketBytes), false, 8, 0, 0, (uint)(firstSsrc + i));
            Point(sending, sendingParts, i, outgoing, i * PacketBytes, PacketBytes);
        }
    }

    public int Port => (socket.LocalEndPoint as IPEndPoint)?.Port ?? 0;
    public int Phones => phones;
    public long Sent { get; private set; }
    public long Received { get; private set; }

    /// <summary>Where a phone speaks to.</summary>
    public void Connect(int phone, int port)
    {
        addresses[phone] = new Kernel.Address
        {
            Family = 2, PortBigEndian = BinaryPrimitives.ReverseEndianness((ushort)port), HostBigEndian = BinaryPrimitives.ReverseEndianness(0x7F000001u),
        };
        sending[phone].Name = Marshal.UnsafeAddrOfPinnedArrayElement(addresses, phone);
        sending[phone].NameLength = 16;
    }

    /// <summary>The next 20 ms of phones [first, first + count).</summary>
    public void Speak(int first, int count)
    {
        for (var i = first; i < first + count; i++) Advance(outgoing.AsSpan(i * PacketBytes));
        while (count > 0)
        {
            var sent = Kernel.sendmmsg(handle, ref sending[first], (uint)count, 0);
            if (sent <= 0) break; // counted as not received: the row says so
            (first, count, Sent) = (first + sent, count - sent, Sent + sent);
        }
        Sent += count;
    }

    public void Drain()
    {
        int got;
        do
        {
            got = Kernel.recvmmsg(handle, ref receiving[0], Batch, Kernel.DontWait, 0);
            for (var i = 0; i < got; i++)
            {
                if (!RtpHeader.LooksLikeRtcp(incoming.AsSpan(i * BufferBytes, (int)receiving[i].Length))) Received++;
            }
        }
        while (got == Batch);
    }

    public void Dispose() => socket.Dispose();

    private static void Advance(Span<byte> packet)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)(BinaryPrimitives.ReadUInt16BigEndian(packet[2..]) + 1));
        BinaryPrimitives.WriteUInt32BigEndian(packet[4..], BinaryPrimitives.ReadUInt32BigEndian(packet[4..]) + PayloadBytes);
    }

    private static Kernel.Message[] Table(int count) => GC.AllocateArray<Kernel.Message>(count, pinned: true);

    private static void Point(Kernel.Message[] messages, Kernel.Part[] parts, int at, byte[] buffer, int offset, int length)
    {
        parts[at] = new Kernel.Part { Start = Marshal.UnsafeAddrOfPinnedArrayElement(buffer, offset), Length = length };
        messages[at] = new Kernel.Message { Parts = Marshal.UnsafeAddrOfPinnedArrayElement(parts, at), PartCount = 1 };
    }
}
