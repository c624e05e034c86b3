using System.Net;
using Sentiric.Sip;

namespace Sentiric.Phone;

/// <summary>The cable between a phone and the network. Once pulled, nothing leaves and nothing arrives: the way a phone dies.</summary>
internal sealed class Cable : ISipNetwork
{
    private readonly SocketSipNetwork sockets = new();
    private volatile bool pulled;

    public void Pull() => pulled = true;

    public ISipTransport Open(SipListen listen, ISipTransportSink sink, TimeProvider time) =>
        new Plugged(this, sockets.Open(listen, new Ear(this, sink), time));

    private sealed class Ear(Cable cable, ISipTransportSink inner) : ISipTransportSink
    {
        public void Received(ISipTransport transport, IPEndPoint remote, ReadOnlySpan<byte> message)
        {
            if (!cable.pulled) inner.Received(transport, remote, message);
        }

        public void Noticed(ISipTransport transport, IPEndPoint remote, string what) => inner.Noticed(transport, remote, what);
    }

    private sealed class Plugged(Cable cable, ISipTransport inner) : ISipTransport
    {
        public SipTransportKind Kind => inner.Kind;

        public IPEndPoint LocalEndPoint => inner.LocalEndPoint;

        public void Send(ReadOnlyMemory<byte> message, IPEndPoint remote, string? host, Action<string>? failed)
        {
            if (!cable.pulled) inner.Send(message, remote, host, failed);
        }

        public bool IsConnected(IPEndPoint remote) => inner.IsConnected(remote);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
