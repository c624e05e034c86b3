using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Sentiric.Benchmarks.Media;

/// <summary>The floor of a media server: one socket, one thread, recvfrom and sendto, nothing looked at and nothing timed.</summary>
public sealed class EchoFloor : IDisposable
{
    private const int AddressBytes = 16;
    private const int LookForStopMs = 100;
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Thread thread;
    private long echoed;
    private volatile bool stopping;

    public EchoFloor()
    {
        socket.ReceiveBufferSize = 4 * 1024 * 1024;
        socket.ReceiveTimeout = LookForStopMs;
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        thread = new Thread(Run) { IsBackground = true, Name = "echo floor" };
        thread.Start();
    }

    public int Port => (socket.LocalEndPoint as IPEndPoint)?.Port ?? 0;

    public long Echoed => Volatile.Read(ref echoed);

    public void Dispose()
    {
        stopping = true;
        thread.Join();
        socket.Dispose();
    }

    private void Run()
    {
        var handle = (int)socket.SafeHandle.DangerousGetHandle();
        var (buffer, address) = (new byte[2_048], new byte[AddressBytes]);
        while (!stopping)
        {
            var addressLength = (uint)AddressBytes;
            var length = recvfrom(handle, ref buffer[0], buffer.Length, 0, ref address[0], ref addressLength);
            if (length <= 0) continue; // nothing for a while
            _ = sendto(handle, ref buffer[0], length, 0, ref address[0], addressLength);
            Volatile.Write(ref echoed, echoed + 1);
        }
    }

    [DllImport("libc", SetLastError = true)]
    private static extern nint recvfrom(int socket, ref byte buffer, nint length, int flags, ref byte from, ref uint fromLength);

    [DllImport("libc", SetLastError = true)]
    private static extern nint sendto(int socket, ref byte buffer, nint length, int flags, ref byte to, uint toLength);
}
