using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Sentiric.Testing.Platform;

/// <summary>A wire between a client and a server that a test can cut and mend.</summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private const int BufferBytes = 64 * 1024;
    private readonly IPEndPoint target;
    private readonly Lock gate = new();
    private readonly List<TcpClient> ends = []; // under gate
    private readonly List<Task> work = [];      // under gate
    private TcpListener? listener;              // under gate; null while cut

    public TcpProxy(string host, int port)
    {
        target = new(Dns.GetHostAddresses(host, AddressFamily.InterNetwork)[0], port);
        Port = FreePorts.Next();
        Mend();
    }

    public int Port { get; }

    /// <summary>Breaks every connection and takes no new one, as when the server is gone.</summary>
    public void Cut()
    {
        lock (gate)
        {
            listener?.Stop();
            listener = null;
            foreach (var end in ends)
            {
                Reset(end);
            }

            ends.Clear();
        }
    }

    public void Mend()
    {
        lock (gate)
        {
            listener = new TcpListener(IPAddress.Loopback, Port);
            listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            listener.Start();
            work.Add(AcceptAsync(listener));
        }
    }

    /// <summary>The connection string with this proxy in place of its host and port.</summary>
    public string Postgres(string connectionString) => string.Join(';', connectionString.Split(';').Select(pair =>
        pair.StartsWith("Host=", StringComparison.OrdinalIgnoreCase) ? "Host=127.0.0.1"
        : pair.StartsWith("Port=", StringComparison.OrdinalIgnoreCase) ? string.Create(CultureInfo.InvariantCulture, $"Port={Port}")
        : pair));

    public async ValueTask DisposeAsync()
    {
        Cut();
        Task[] open;
        lock (gate)
        {
            open = [.. work];
        }

        await Task.WhenAll(open).ConfigureAwait(false);
    }

    // No lingering: the other end sees a broken connection at once. An end that was closed already has no socket any more.
    private static void Reset(TcpClient end)
    {
        if (end.Client is { } socket)
        {
            socket.Close(0);
        }
    }

    private async Task AcceptAsync(TcpListener from)
    {
        try
        {
            while (true)
            {
                var near = await from.AcceptTcpClientAsync().ConfigureAwait(false);
                var far = new TcpClient();
                lock (gate)
                {
                    ends.AddRange([near, far]);
                    work.Add(JoinAsync(near, far));
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return; // cut
        }
    }

    private async Task JoinAsync(TcpClient near, TcpClient far)
    {
        using (near)
        using (far)
        {
            try
            {
                await far.ConnectAsync(target).ConfigureAwait(false);
                await Task.WhenAny(PumpAsync(near, far), PumpAsync(far, near)).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
            {
                return; // cut, or one end hung up
            }
        }
    }

    private static async Task PumpAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream(), BufferBytes).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException or InvalidOperationException)
        {
            return; // cut, or one end hung up
        }
    }
}
