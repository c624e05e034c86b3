using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Sentiric.Sip;

/// <summary>
/// SIP over TCP (RFC 3261 18): accepts connections, opens them on demand, and reuses either kind for whatever goes to the
/// same remote end point. Each connection has one reader and one writer with a bounded queue.
/// </summary>
public sealed class TcpSipTransport : ISipTransport
{
    private const int MaxConnections = 1_024;
    private const int MaxQueuedMessages = 256;
    private const int ReadBytes = 16 * 1024;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(15);

    /// <summary>A message that began must end within this; a peer that drips bytes loses its connection.</summary>
    private static readonly TimeSpan MessageTimeout = TimeSpan.FromSeconds(10);

    private readonly Socket listener;
    private readonly ISipTransportSink sink;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource closing = new();
    private readonly ConcurrentDictionary<IPEndPoint, Connection> connections = new();

    public TcpSipTransport(IPEndPoint listen, ISipTransportSink sink, TimeProvider time)
    {
        this.sink = sink;
        this.time = time;
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

    public SipTransportKind Kind => SipTransportKind.Tcp;

    public IPEndPoint LocalEndPoint { get; }

    public bool IsConnected(IPEndPoint remote) => connections.ContainsKey(remote);

    public void Send(ReadOnlyMemory<byte> message, IPEndPoint remote, Action<string>? failed)
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
                failed?.Invoke("There are too many TCP connections.");
                return;
            }

            var fresh = new Connection();
            connection = connections.GetOrAdd(remote, fresh);
            if (ReferenceEquals(connection, fresh))
            {
                _ = ConnectAsync(remote, fresh);
            }
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
                var connection = new Connection();
                if (connections.Count >= MaxConnections || socket.RemoteEndPoint is not IPEndPoint remote || !connections.TryAdd(remote, connection))
                {
                    socket.Dispose();
                    continue;
                }

                Run(remote, connection, socket);
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

    private async Task ConnectAsync(IPEndPoint remote, Connection connection)
    {
        var socket = new Socket(remote.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            using var deadline = new CancellationTokenSource(ConnectTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, closing.Token);
            await socket.ConnectAsync(remote, either.Token).ConfigureAwait(false);
            Run(remote, connection, socket);
        }
        catch (Exception fault) when (fault is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            socket.Dispose();
            Drop(remote, connection, fault is OperationCanceledException ? "The connection was not made in time." : fault.Message);
        }
    }

    private void Run(IPEndPoint remote, Connection connection, Socket socket)
    {
        socket.NoDelay = true;
        connection.Socket = socket;
        _ = ReadAsync(remote, connection, socket);
        connection.Writing = WriteAsync(remote, connection, socket);
    }

    private async Task ReadAsync(IPEndPoint remote, Connection connection, Socket socket)
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
                int read = await socket.ReceiveAsync(buffer, either.Token).ConfigureAwait(false);
                bool wasPartial = framer.HasPartial;
                framer.Append(buffer.AsSpan(0, read));
                if (read == 0 || !Dispatch(remote, connection, framer, out bool any))
                {
                    break;
                }

                partialSince = any || !wasPartial ? time.GetTimestamp() : partialSince;
            }
        }
        catch (Exception fault) when (fault is SocketException or OperationCanceledException or ObjectDisposedException)
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

    private async Task WriteAsync(IPEndPoint remote, Connection connection, Socket socket)
    {
        await foreach (Outgoing outgoing in connection.Outgoing.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                for (ReadOnlyMemory<byte> rest = outgoing.Message; !rest.IsEmpty;)
                {
                    rest = rest[await socket.SendAsync(rest, closing.Token).ConfigureAwait(false)..];
                }
            }
            catch (Exception fault) when (fault is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                outgoing.Failed?.Invoke(fault.Message);
                Drop(remote, connection, fault.Message);
            }
        }

        socket.Dispose();
    }

    /// <summary>What is queued still leaves; then the writer disposes the socket.</summary>
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

        connection.Socket?.Dispose();
    }

    private sealed record Outgoing(ReadOnlyMemory<byte> Message, Action<string>? Failed);

    private sealed class Connection
    {
        public Channel<Outgoing> Outgoing { get; } = Channel.CreateBounded<Outgoing>(MaxQueuedMessages);

        /// <summary>Set once when the connection is open; read on close.</summary>
        public volatile Socket? Socket;

        /// <summary>Completes when the queue is closed and what was in it has left.</summary>
        public volatile Task Writing = Task.CompletedTask;
    }
}
