using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;

namespace Sentiric.Sip;

/// <summary>
/// SIP over TCP and TLS (RFC 3261 18) and WebSockets (RFC 7118): accepts connections, opens them on demand (a WebSocket is only taken), and reuses either
/// kind for whatever goes to the same remote end point. Each connection has one reader and one writer with a bounded queue, and one that pings
/// where we must. Over TLS a connection that we opened carries only what is for a domain that the peer's certificate speaks for.
/// </summary>
public sealed class StreamSipTransport : ISipTransport
{
    private const int MaxConnections = 1_024;

    /// <summary>That one address opened: nobody takes all places, and an office behind a NAT still finds room.</summary>
    internal const int MaxConnectionsPerSource = 256;
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
    private readonly WebSocketHandshake? webSocket;
    private readonly SipKeepAlive keepAlive;
    private readonly CancellationTokenSource closing = new();
    private readonly ConcurrentDictionary<IPEndPoint, Connection> connections = new();

    /// <exception cref="SipListenException">TLS is asked for without a certificate; what the system refuses is <see cref="SocketException"/>.</exception>
    public StreamSipTransport(SipListen listen, ISipTransportSink sink, TimeProvider time)
    {
        this.sink = sink;
        this.time = time;
        Kind = listen.Transport;
        bool overTls = Kind is SipTransportKind.Tls or SipTransportKind.Wss;
        tls = overTls ? new TlsHandshake(listen.Tls ?? throw new SipListenException(listen, SipListenFault.NoCertificate, null)) : null;
        bool isWebSocket = Kind is SipTransportKind.Ws or SipTransportKind.Wss;
        webSocket = isWebSocket ? new WebSocketHandshake(listen.WebSocket) : null;
        // A peer that speaks WebSocket must answer a ping (RFC 6455 5.5.2).
        keepAlive = isWebSocket ? listen.KeepAlive with { Interval = listen.WebSocket.PingInterval, PongRequired = true } : listen.KeepAlive;
        listener = new Socket(listen.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(listen.Address);
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

    public SipTransportKind Kind { get; }

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
            if (webSocket is not null)
            {
                failed?.Invoke("The WebSocket is gone, and only the other side can open one.");
                return;
            }

            if (connections.Count >= MaxConnections)
            {
                failed?.Invoke($"There are too many {Kind} connections.");
                return;
            }

            var fresh = new Connection(host ?? remote.Address.ToString(), new PlainTalk());
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

        if (!connection.Outgoing.Writer.TryWrite(new Outgoing(connection.Talk.Wrap(message), failed)))
        {
            failed?.Invoke("The connection is closed or its queue is full.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        foreach (Connection connection in connections.Values)
        {
            connection.Answer(connection.Talk.Goodbye);
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
                var connection = new Connection(null, webSocket is null ? new PlainTalk() : new WebSocketTalk());
                if (socket.RemoteEndPoint is not IPEndPoint remote || !HasRoom(remote.Address) || !connections.TryAdd(remote, connection))
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

    private bool HasRoom(IPAddress source)
    {
        int open = connections.Count;
        return open < MaxConnections && (open < MaxConnectionsPerSource || connections.Count(one => one.Value.Host is null && one.Key.Address.Equals(source)) < MaxConnectionsPerSource);
    }

    private Task TakeAsync(IPEndPoint remote, Connection connection, Socket socket) => OpenAsync(remote, connection, socket, async ct =>
    {
        var plain = new NetworkStream(socket, ownsSocket: true);
        Stream stream = tls is null ? plain : await tls.TakeAsync(plain, ct).ConfigureAwait(false);
        if (webSocket is not null)
        {
            connection.Talk.Append(await webSocket.TakeAsync(stream, ct).ConfigureAwait(false));
        }

        return stream;
    });

    private Task ConnectAsync(IPEndPoint remote, Connection connection)
    {
        var socket = new Socket(remote.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        return OpenAsync(remote, connection, socket, async ct =>
        {
            await socket.ConnectAsync(remote, ct).ConfigureAwait(false);
            if (CameToItself(socket))
            {
                throw new SocketException((int)SocketError.ConnectionRefused);
            }

            var plain = new NetworkStream(socket, ownsSocket: true);
            return tls is null ? plain : await tls.OpenAsync(plain, connection.Host ?? remote.Address.ToString(), ct).ConfigureAwait(false);
        });
    }

    /// <summary>
    /// Where nobody listens on a port of this machine from which the system gives ports to whoever asks, it may give that very one to the
    /// connection, which then meets itself (RFC 9293 3.5, both sides open at once) and would answer its own requests.
    /// </summary>
    internal static bool CameToItself(Socket socket) => socket.LocalEndPoint is { } local && local.Equals(socket.RemoteEndPoint);

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
            // RFC 5626 4.4: who opened a connection keeps it open. A WebSocket is kept by the server.
            if (connection.Host is not null || webSocket is not null)
            {
                _ = KeepAliveAsync(remote, connection);
            }
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
        IStreamTalk talk = connection.Talk;
        byte[] buffer = new byte[ReadBytes];
        long partialSince = time.GetTimestamp();
        try
        {
            bool open = Dispatch(remote, connection, out _);
            while (open)
            {
                TimeSpan patience = talk.HasPartial ? MessageTimeout - time.GetElapsedTime(partialSince) : IdleTimeout;
                if (patience <= TimeSpan.Zero)
                {
                    break;
                }

                using var deadline = new CancellationTokenSource(patience, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, closing.Token);
                int read = await stream.ReadAsync(buffer, either.Token).ConfigureAwait(false);
                connection.Heard();
                bool wasPartial = talk.HasPartial;
                talk.Append(buffer.AsSpan(0, read));
                bool any = false;
                open = read > 0 && Dispatch(remote, connection, out any);
                partialSince = any || !wasPartial ? time.GetTimestamp() : partialSince;
            }
        }
        catch (Exception fault) when (IsGone(fault))
        {
            sink.Noticed(this, remote, "The connection ended: " + fault.Message);
        }

        await CloseGentlyAsync(remote, connection).ConfigureAwait(false);
    }

    /// <summary>Hands every whole message up; false when the connection ends.</summary>
    private bool Dispatch(IPEndPoint remote, Connection connection, out bool any)
    {
        any = false;
        while (true)
        {
            StreamPiece piece = connection.Talk.Next();
            switch (piece.Kind)
            {
                case StreamPieceKind.Incomplete:
                    return true;
                case StreamPieceKind.Message:
                    any = true;
                    sink.Received(this, remote, piece.Bytes);
                    break;
                case StreamPieceKind.Answer:
                    any = true;
                    connection.Answer(piece.Bytes);
                    break;
                case StreamPieceKind.Alive:
                    any = true;
                    connection.Ponged = true;
                    break;
                case StreamPieceKind.Broken:
                    // The parser finds the same fault and its error response leaves before the connection closes.
                    sink.Received(this, remote, piece.Bytes);
                    return false;
                case StreamPieceKind.Closed:
                    connection.Answer(piece.Bytes);
                    return false;
            }
        }
    }

    /// <summary>Pings until the connection ends, and ends it when a peer that should answer does not (RFC 5626 4.4.1).</summary>
    private async Task KeepAliveAsync(IPEndPoint remote, Connection connection)
    {
        try
        {
            while (true)
            {
                await Task.Delay(keepAlive.Interval * (1 - Random.Shared.NextDouble() / 5), time, connection.Ended).ConfigureAwait(false);
                int heard = connection.TimesHeard;
                connection.Talk.Pinged();
                Task patience = Task.Delay(keepAlive.PongWithin, time, connection.Ended);
                connection.Answer(connection.Talk.Ping);
                await patience.ConfigureAwait(false);
                if (connection.TimesHeard == heard && (keepAlive.PongRequired || connection.Ponged))
                {
                    sink.Noticed(this, remote, "The connection is dead: no answer to a keep-alive.");
                    Drop(remote, connection, "No answer to a keep-alive.");
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The connection has ended.
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
        Leave(remote, connection);
        connection.Outgoing.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    private void Drop(IPEndPoint remote, Connection connection, string why)
    {
        Leave(remote, connection);
        connection.Outgoing.Writer.TryComplete();
        while (connection.Outgoing.Reader.TryRead(out Outgoing? outgoing))
        {
            outgoing.Failed?.Invoke(why);
        }

        connection.Stream?.Dispose();
    }

    /// <summary>Out of the table once, and told once.</summary>
    private void Leave(IPEndPoint remote, Connection connection)
    {
        if (connections.TryRemove(new KeyValuePair<IPEndPoint, Connection>(remote, connection)))
        {
            connection.End();
            sink.Disconnected(this, remote);
        }
    }

    private sealed record Outgoing(ReadOnlyMemory<byte> Message, Action<string>? Failed);

    /// <param name="host">Domain or address whose connection it is to be; null when the peer opened it.</param>
    private sealed class Connection(string? host, IStreamTalk talk)
    {
        private readonly CancellationTokenSource ended = new();
        private int timesHeard;

        public string? Host => host;

        /// <summary>Read by the reader; its wrapping and pinging sides by whoever sends.</summary>
        public IStreamTalk Talk => talk;

        public CancellationToken Ended => ended.Token;

        /// <summary>Counts reads: a number that stands still is silence.</summary>
        public int TimesHeard => Volatile.Read(ref timesHeard);

        /// <summary>The peer has answered a ping once, so it can.</summary>
        public volatile bool Ponged;

        /// <summary>By the reader.</summary>
        public void Heard() => Interlocked.Increment(ref timesHeard);

        public void End() => ended.Cancel();

        /// <summary>Bytes of the connection itself; lost when its queue is full, as the peer does not read then.</summary>
        public void Answer(byte[] bytes)
        {
            if (bytes.Length > 0)
            {
                Outgoing.Writer.TryWrite(new Outgoing(bytes, null));
            }
        }

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
