using System.Net;
using System.Net.Sockets;

namespace Sentiric.Testing.Platform;

/// <summary>
/// Ports that another process shall bind and that others must know before: free for UDP and TCP now, and outside of the range from which the
/// system gives ports to whoever asks for any.
/// </summary>
public static class FreePorts
{
    private const int From = 12_000, To = 30_000, Attempts = 500;
    private static readonly Lock Gate = new();
    private static readonly HashSet<int> Given = [];

    public static int Next()
    {
        lock (Gate)
        {
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                var port = Random.Shared.Next(From, To) & ~1;
                if (IsFree(port) && Given.Add(port))
                {
                    return port;
                }
            }
        }

        throw new InvalidOperationException($"No free port within {From} and {To} after {Attempts} attempts.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var udp = new UdpClient(new IPEndPoint(IPAddress.Loopback, port));
            using var tcp = new TcpListener(IPAddress.Loopback, port);
            tcp.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
