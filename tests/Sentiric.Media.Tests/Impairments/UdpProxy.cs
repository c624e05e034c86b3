using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Sentiric.Media.Tests;

/// <summary>
/// A UDP relay between two end points of 127.0.0.1 that treats what goes one way (to <see cref="far"/>) as a <see cref="LossyNetwork"/>
/// says and passes the other way untouched. Real sockets, real time, seeded fates.
/// </summary>
internal sealed class UdpProxy : IAsyncDisposable
{
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly IPEndPoint near, far;
    private readonly LossyNetwork network;
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentBag<Task> late = [];
    private readonly Task relaying;

    public UdpProxy(IPEndPoint near, IPEndPoint far, LossyNetwork network)
    {
        (this.near, this.far, this.network) = (near, far, network);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        relaying = Task.Run(RelayAsync);
    }

    /// <summary>Where both sides send to.</summary>
    public IPEndPoint EndPoint => (IPEndPoint?)socket.LocalEndPoint ?? throw new InvalidOperationException("not bound");

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await relaying;
        await Task.WhenAll(late);
        socket.Dispose();
        stop.Dispose();
    }

    private async Task RelayAsync()
    {
        var buffer = new byte[2_048];
        try
        {
            while (true)
            {
                var got = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), stop.Token);
                var packet = buffer[..got.ReceivedBytes];
                if (!got.RemoteEndPoint.Equals(near)) await socket.SendToAsync(packet, SocketFlags.None, near, stop.Token);
                else foreach (var delayMs in network.Fate()) late.Add(PassAsync(packet, delayMs));
            }
        }
        catch (OperationCanceledException)
        {
            return; // the test is over
        }
    }

    private async Task PassAsync(byte[] packet, int delayMs)
    {
        try
        {
            using var timer = delayMs > 0 ? new PeriodicTimer(TimeSpan.FromMilliseconds(delayMs)) : null;
            if (timer is not null) await timer.WaitForNextTickAsync(stop.Token);
            await socket.SendToAsync(packet, SocketFlags.None, far, stop.Token);
        }
        catch (OperationCanceledException)
        {
            return; // the test is over
        }
    }
}
