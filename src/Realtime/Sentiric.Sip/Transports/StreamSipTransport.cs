using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;

namespace Sentiric.Sip;

/// <summary>
/// SIP over TCP and TLS (RFC 3261 18): accepts connections, opens them on demand, and reuses either kind for whatever goes to the
/// same remote end point. Each connection has one reader and one writer with a bounded queue. Over TLS a connection that we opened carries
/// only what is for a domain that the peer's certificate speaks for.
/// </summary>
public sealed class StreamSipTransport : ISipTransport
{
    private const int MaxConnections = 1_024;
    private const int MaxQueuedMessages = 256;
    private const int ReadBytes = 16 * 1024;
    /// <summary>For the connection and its TLS together; a peer that connects and says nothing holds its place no longer.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(15);

    /// <summary>A message that began must end within this; a peer that drips bytes loses its connection.</summary>
    private static readonly TimeSpan MessageTimeout = TimeSpan.FromSeconds(10);

    private readonly Socket listener;
    private readonly ISipTransportSink sink;
    private readonly TimeProvider time;
    private readonly TlsHandshake? tls;
    private readonly CancellationTokenSource closing = new();
    private readonly ConcurrentDictionary<IPEndPoint, Connection> connections = new();

    /// <param name="tls">Null: plain TCP.</param>
    public StreamSipTransport(IPEndPoint listen, SipTlsOptions? tls, ISipTransportSink sink, TimeProvider time)
    {
        this.sink = sink;
        this.time = time;
        this.tls = tls is null ? null : new TlsHandshake(tls);
        listener = new Socket(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(listen);
            listener.Listen(128);
        }
        catch
        {
            listener.Dispose();
            throw;
        }

        LocalEndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _ = AcceptAsync();
    }

    public SipTransportKind Kind => tls is null ? SipTransportKind.Tcp : SipTransportKind.Tls;

    public IPEndPoint LocalEndPoint { get; }

    public bool IsConnected(IPEndPoint remote) => connections.ContainsKey(remote);

    public void Send(ReadOnlyMemory<byte> message, IPEndPoint remote, string? host, Action<string>? failed)
    {
        if (closing.IsCancellationRequested)
        {
            failed?.Invoke("The transport is closed.");
            return;
        }

        if (!connections.TryGetValue(remote, out Connection? connection))
        {
            if (connections.Count >= MaxConnections)
            {
                failed?.Invoke($"There are too many {Kind} connections.");
                return;
            }

            var fresh = new Connection(host ?? remote.Address.ToString());
            connection = connections.GetOrAdd(remote, fresh);
            if (ReferenceEquals(connection, fresh))
            {
                _ = ConnectAsync(remote, fresh);
            }
        }

        if (tls is not null && host is not null && !connection.SpeaksFor(host))
        {
            failed?.Invoke($"The connection to {remote} is not one to {host}.");
            return;
        }

        if (!connection.Outgoing.Writer.TryWrite(new Outgoing(message, failed)))
        {
            failed?.Invoke("The connection is closed or its queue is full.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        foreach (Connection connection in connections.Values)
        {
            connection.Outgoing.Writer.TryComplete();
        }

        try
        {
            // What is queued still leaves: a BYE of the shutdown among it.
            await Task.WhenAll(connections.Values.Select(connection => connection.Writing)).WaitAsync(FlushTimeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            sink.Noticed(this, LocalEndPoint, "A connection did not take its last messages in time.");
        }

        await closing.CancelAsync().ConfigureAwait(false);
        foreach (var (remote, connection) in connections)
        {
            Drop(remote, connection, "The transport is closed.");
        }
    }

    private async Task AcceptAsync()
    {
        while (!closing.IsCancellationRequested)
        {
            try
            {
                Socket socket = await listener.AcceptAsync(closing.Token).ConfigureAwait(false);
                var connection = new Connection(null);
                if (connections.Count >= MaxConnections || socket.RemoteEndPoint is not IPEndPoint remote || !connections.TryAdd(remote, connection))
                {
                    socket.Dispose();
                    continue;
                }

                _ = TakeAsync(remote, connection, socket);
            }
            catch (SocketException fault)
            {
                sink.Noticed(this, LocalEndPoint, "A connection could not be accepted: " + fault.Message);
            }
            catch (Exception fault) when (fault is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private Task TakeAsync(IPEndPoint remote, Connection connection, Socket socket) => OpenAsync(remote, connection, socket, async ct =>
    {
        var plain = new NetworkStream(socket, ownsSocket: true);
        return tls is null ? plain : await tls.TakeAsync(plain, ct).ConfigureAwait(false);
    });

    private Task ConnectAsync(IPEndPoint remote, Connection connection)
    {
        var socket = new Socket(remote.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        return OpenAsync(remote, connection, socket, async ct =>
        {
            await socket.ConnectAsync(remote, ct).ConfigureAwait(false);
            var plain = new NetworkStream(socket, ownsSocket: true);
            return tls is null ? plain : await tls.OpenAsync(plain, connection.Host ?? remote.Address.ToString(), ct).ConfigureAwait(false);
        });
    }

    private async Task OpenAsync(IPEndPoint remote, Connection connection, Socket socket, Func<CancellationToken, Task<Stream>> open)
    {
        try
        {
            using var deadline = new CancellationTokenSource(ConnectTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, closing.Token);
            socket.NoDelay = true;
            Stream stream = await open(either.Token).ConfigureAwait(false);
            connection.Stream = stream;
            _ = ReadAsync(remote, connection, stream);
            connection.Writing = WriteAsync(remote, connection, stream);
        }
        catch (Exception fault) when (IsGone(fault) || fault is AuthenticationException)
        {
            socket.Dispose();
            string why = fault is OperationCanceledException ? "The connection was not made in time." : fault.Message;
            sink.Noticed(this, remote, "No connection: " + why);
            Drop(remote, connection, why);
        }
    }

    private static bool IsGone(Exception fault) => fault is SocketException or IOException or OperationCanceledException or ObjectDisposedException;

    private async Task ReadAsync(IPEndPoint remote, Connection connection, Stream stream)
    {
        var framer = new SipStreamFramer();
        byte[] buffer = new byte[ReadBytes];
        long partialSince = 0;
        try
        {
            while (true)
            {
                TimeSpan patience = framer.HasPartial ? MessageTimeout - time.GetElapsedTime(partialSince) : IdleTimeout;
                if (patience <= TimeSpan.Zero)
                {
                    break;
                }

                using var deadline = new CancellationTokenSource(patience, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, closing.Token);
                int read = await stream.ReadAsync(buffer, either.Token).ConfigureAwait(false);
                bool wasPartial = framer.HasPartial;
                framer.Append(buffer.AsSpan(0, read));
                if (read == 0 || !Dispatch(remote, connection, framer, out bool any))
                {
                    break;
                }

                partialSince = any || !wasPartial ? time.GetTimestamp() : partialSince;
            }
        }
        catch (Exception fault) when (IsGone(fault))
        {
            sink.Noticed(this, remote, "The connection ended: " + fault.Message);
        }

        await CloseGentlyAsync(remote, connection).ConfigureAwait(false);
    }

    /// <summary>Hands every whole message up; false when the stream cannot be framed any more.</summary>
    private bool Dispatch(IPEndPoint remote, Connection connection, SipStreamFramer framer, out bool any)
    {
        any = false;
        while (true)
        {
            SipFrame frame = framer.Next();
            switch (frame.Kind)
            {
                case SipFrameKind.Incomplete:
                    return true;
                case SipFrameKind.Message:
                    any = true;
                    sink.Received(this, remote, frame.Bytes);
                    break;
                case SipFrameKind.Ping:
                    any = true;
                    connection.Outgoing.Writer.TryWrite(new Outgoing("\r\n"u8.ToArray(), null));
                    break;
                case SipFrameKind.Broken:
                    // The parser finds the same fault and its error response leaves before the connection closes.
                    sink.Received(this, remote, frame.Bytes);
                    return false;
            }
        }
    }

    private async Task WriteAsync(IPEndPoint remote, Connection connection, Stream stream)
    {
        await foreach (Outgoing outgoing in connection.Outgoing.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                await stream.WriteAsync(outgoing.Message, closing.Token).ConfigureAwait(false);
            }
            catch (Exception fault) when (IsGone(fault))
            {
                outgoing.Failed?.Invoke(fault.Message);
                Drop(remote, connection, fault.Message);
            }
        }

        await stream.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>What is queued still leaves; then the writer disposes the stream.</summary>
    private ValueTask CloseGentlyAsync(IPEndPoint remote, Connection connection)
    {
        connections.TryRemove(new KeyValuePair<IPEndPoint, Connection>(remote, connection));
        connection.Outgoing.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    private void Drop(IPEndPoint remote, Connection connection, string why)
    {
        connections.TryRemove(new KeyValuePair<IPEndPoint, Connection>(remote, connection));
        connection.Outgoing.Writer.TryComplete();
        while (connection.Outgoing.Reader.TryRead(out Outgoing? outgoing))
        {
            outgoing.Failed?.Invoke(why);
        }

        connection.Stream?.Dispose();
    }

    private sealed record Outgoing(ReadOnlyMemory<byte> Message, Action<string>? Failed);

    /// <param name="host">Domain or address whose connection it is to be; null when the peer opened it.</param>
    private sealed class Connection(string? host)
    {
        public string? Host => host;

        public Channel<Outgoing> Outgoing { get; } = Channel.CreateBounded<Outgoing>(MaxQueuedMessages);

        /// <summary>Set once when the connection is open; read on close.</summary>
        public volatile Stream? Stream;

        /// <summary>Completes when the queue is closed and what was in it has left.</summary>
        public volatile Task Writing = Task.CompletedTask;

        /// <summary>Whom the peer was validated as, or may be by the certificate that it showed.</summary>
        public bool SpeaksFor(string name) =>
            name.Equals(host, StringComparison.OrdinalIgnoreCase)
            || (host is not null && Stream is SslStream { RemoteCertificate: X509Certificate2 shown } && TlsIdentity.Matches(shown, name));
    }
}
