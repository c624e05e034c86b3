using System.Collections.Concurrent;
using System.Net;
using Sentiric.Sip;

namespace Sentiric.Sip.Tests.Kit;

/// <summary>What the network does with one packet: deliver it (after a delay), or lose it when null.</summary>
internal delegate TimeSpan? Weather(byte[] message, IPEndPoint from, IPEndPoint to);

/// <summary>A network in memory. In fair weather a packet arrives before Send returns.</summary>
internal sealed class MemoryNetwork(TimeProvider time) : ISipNetwork
{
    private readonly ConcurrentDictionary<IPEndPoint, Action<IPEndPoint, byte[]>> nodes = new();
    private readonly ConcurrentDictionary<IPAddress, Action<IPEndPoint, byte[]>> hosts = new();
    private readonly ConcurrentDictionary<IPEndPoint, Action<IPEndPoint>> disconnects = new();
    private readonly ConcurrentBag<ITimer> flying = [];
    private int nextPort = 20_000;

    public Weather Weather { get; set; } = (_, _, _) => TimeSpan.Zero;

    /// <summary>Loses so many packets of a hundred and delays the others by up to 200 ms, so that they overtake each other; the same seed, the same weather.</summary>
    public static Weather Bad(int seed, int lostPercent)
    {
        var dice = new Random(seed);
        return (_, _, _) =>
        {
            lock (dice)
            {
                return dice.Next(100) < lostPercent ? null : TimeSpan.FromMilliseconds(dice.Next(1, 200));
            }
        };
    }

    public ISipTransport Open(SipListen listen, ISipTransportSink sink, TimeProvider _)
    {
        int port = listen.Address.Port == 0 ? Interlocked.Increment(ref nextPort) : listen.Address.Port;
        var transport = new MemoryTransport(this, listen.Transport, new IPEndPoint(listen.Address.Address, port));
        nodes[transport.LocalEndPoint] = (from, bytes) => sink.Received(transport, from, bytes);
        disconnects[transport.LocalEndPoint] = remote => sink.Disconnected(transport, remote);
        return transport;
    }

    /// <summary>Endpoints of this network that a scripted phone waits for: what it hears is said in the middle of a piece of work, before that has set its timers.</summary>
    public ConcurrentBag<SipEndpoint> Parties { get; } = [];

    /// <summary>Addresses where no stream is taken, and how often one was tried.</summary>
    public ConcurrentDictionary<IPAddress, int> RefusesStreams { get; } = new();

    /// <summary>Tells the node that its connection to the remote has ended.</summary>
    public void Disconnect(IPEndPoint node, IPEndPoint remote) => disconnects[node](remote);

    /// <summary>Takes every packet to an address, whatever its port.</summary>
    public void AttachHost(IPAddress address, Action<IPEndPoint, byte[]> receive) => hosts[address] = receive;

    public bool Carry(IPEndPoint from, IPEndPoint to, byte[] message)
    {
        Action<IPEndPoint, byte[]>? receive = nodes.GetValueOrDefault(to) ?? hosts.GetValueOrDefault(to.Address);
        if (receive is null)
        {
            return false;
        }

        if (Weather(message, from, to) is { } delay)
        {
            if (delay == TimeSpan.Zero)
            {
                receive(from, message);
            }
            else
            {
                flying.Add(time.CreateTimer(_ => receive(from, message), null, delay, Timeout.InfiniteTimeSpan));
            }
        }

        return true;
    }

    private sealed class MemoryTransport(MemoryNetwork network, SipTransportKind kind, IPEndPoint local) : ISipTransport
    {
        public SipTransportKind Kind => kind;

        public IPEndPoint LocalEndPoint => local;

        public bool IsConnected(IPEndPoint remote) => true;

        public void Send(ReadOnlyMemory<byte> message, IPEndPoint remote, string? host, Action<string>? failed)
        {
            if (kind != SipTransportKind.Udp && network.RefusesStreams.ContainsKey(remote.Address))
            {
                network.RefusesStreams.AddOrUpdate(remote.Address, 1, (_, tries) => tries + 1);
                failed?.Invoke("Connection refused.");
                return;
            }

            // Nobody there: UDP loses it in silence, TCP gets no connection.
            if (!network.Carry(local, remote, message.ToArray()) && kind == SipTransportKind.Tcp)
            {
                failed?.Invoke("Nobody listens there.");
            }
        }

        public ValueTask DisposeAsync()
        {
            network.nodes.TryRemove(local, out _);
            return ValueTask.CompletedTask;
        }
    }
}
