using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Sentiric.EventStore.Tests.Chaos;

/// <summary>
/// A wire to PostgreSQL that knows where messages begin (protocol 3.0: a type octet, then a length that counts itself but not the type; the first
/// message of a client has no type) and breaks exactly before one of them, as a crash of either side between any two statements would.
/// </summary>
internal sealed class CutWire : IAsyncDisposable
{
    private const int StartBuffer = 64 * 1024, LengthBytes = 4;
    private const byte BackendKeyData = (byte)'K';

    private readonly IPEndPoint _server;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _accepting;
    private readonly Lock _gate = new();

    // All under _gate.
    private readonly HashSet<Pair> _pairs = [];
    private readonly HashSet<int> _lostBackends = [];
    private bool _cutsAnswers, _cutsAll;
    private int _left = -1;
    private (int Requests, int Answers) _passed;

    public CutWire(string host, int port)
    {
        _server = new IPEndPoint(IPAddress.Parse(host), port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many messages have passed in each direction.</summary>
    public (int Requests, int Answers) Passed
    {
        get
        {
            lock (_gate) return _passed;
        }
    }

    /// <summary>Breaks the wire before the n-th message from now (1: the next) in one direction; all connections with it when <paramref name="all"/>.</summary>
    public void Arm(bool answers, int messages, bool all)
    {
        lock (_gate) (_cutsAnswers, _cutsAll, _left) = (answers, all, messages);
    }

    public void Disarm()
    {
        lock (_gate) _left = -1;
    }

    /// <summary>Server processes whose client is gone; they may still be at work.</summary>
    public IReadOnlyCollection<int> LostBackends
    {
        get
        {
            lock (_gate) return [.. _lostBackends];
        }
    }

    public void Forget(IEnumerable<int> backends)
    {
        lock (_gate) _lostBackends.ExceptWith(backends);
    }

    public void BreakAll()
    {
        lock (_gate)
        {
            foreach (var pair in _pairs.ToList()) Break(pair);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        BreakAll();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                var server = new TcpClient { NoDelay = true };
                client.NoDelay = true;
                await server.ConnectAsync(_server);
                var pair = new Pair(client, server);
                lock (_gate) _pairs.Add(pair);
                _ = PumpAsync(pair, isAnswer: false);
                _ = PumpAsync(pair, isAnswer: true);
            }
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            return; // disposed
        }
    }

    private async Task PumpAsync(Pair pair, bool isAnswer)
    {
        var (from, to) = isAnswer ? (pair.Server, pair.Client) : (pair.Client, pair.Server);
        var buffer = new byte[StartBuffer];
        var (filled, hasType) = (0, isAnswer);
        try
        {
            while (true)
            {
                if (filled == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
                var read = await from.GetStream().ReadAsync(buffer.AsMemory(filled));
                if (read == 0) break;
                filled += read;
                var (whole, isCut) = Scan(pair, buffer.AsSpan(0, filled), isAnswer, ref hasType);
                if (whole > 0) await to.GetStream().WriteAsync(buffer.AsMemory(0, whole));
                if (isCut) break;
                buffer.AsSpan(whole, filled - whole).CopyTo(buffer);
                filled -= whole;
            }
        }
        catch (Exception broken) when (broken is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The other direction was cut, or an end hung up: this direction ends with it.
            _ = broken;
        }
        lock (_gate) Break(pair);
    }

    /// <summary>How many octets of whole messages may pass, and whether the wire breaks behind them.</summary>
    private (int Whole, bool IsCut) Scan(Pair pair, ReadOnlySpan<byte> octets, bool isAnswer, ref bool hasType)
    {
        var at = 0;
        while (true)
        {
            var head = hasType ? 1 : 0;
            if (octets.Length - at < head + LengthBytes) return (at, false);
            var length = head + BinaryPrimitives.ReadInt32BigEndian(octets[(at + head)..]);
            if (octets.Length - at < length) return (at, false);
            if (isAnswer && octets[at] == BackendKeyData) pair.Backend = BinaryPrimitives.ReadInt32BigEndian(octets[(at + 1 + LengthBytes)..]);
            if (IsCutHere(isAnswer)) return (at, true);
            hasType = true;
            at += length;
        }
    }

    private bool IsCutHere(bool isAnswer)
    {
        lock (_gate)
        {
            if (_left > 0 && isAnswer == _cutsAnswers && --_left == 0)
            {
                _left = -1;
                if (_cutsAll)
                {
                    foreach (var pair in _pairs.ToList()) Break(pair);
                }
                return true;
            }
            _passed = isAnswer ? (_passed.Requests, _passed.Answers + 1) : (_passed.Requests + 1, _passed.Answers);
            return false;
        }
    }

    /// <summary>Under the gate. No lingering: both ends see a broken connection at once.</summary>
    private void Break(Pair pair)
    {
        if (!_pairs.Remove(pair)) return;
        if (pair.Backend != 0) _lostBackends.Add(pair.Backend);
        pair.Client.Client?.Close(0);
        pair.Server.Client?.Close(0);
    }

    /// <summary>One connection. <see cref="Backend"/> is the number of the server's process, known once it has told it.</summary>
    private sealed record Pair(TcpClient Client, TcpClient Server)
    {
        public volatile int Backend;

        public bool Equals(Pair? other) => ReferenceEquals(this, other);

        public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
    }
}
