using System.Net.Sockets;

namespace Sentiric.Sip;

/// <summary>Transports on the machine's own sockets.</summary>
public sealed class SocketSipNetwork : ISipNetwork
{
    public ISipTransport Open(SipListen listen, ISipTransportSink sink, TimeProvider time)
    {
        try
        {
            return listen.Transport switch
            {
                SipTransportKind.Udp => new UdpSipTransport(listen.Address, sink),
                SipTransportKind.Tcp or SipTransportKind.Tls or SipTransportKind.Ws or SipTransportKind.Wss => new StreamSipTransport(listen, sink, time),
            };
        }
        catch (SocketException fault)
        {
            throw new SipListenException(listen, Classify(fault.SocketErrorCode), fault);
        }
    }

    private static SipListenFault Classify(SocketError error)
    {
        if (error == SocketError.AddressAlreadyInUse)
        {
            return SipListenFault.PortInUse;
        }

        if (error == SocketError.AddressNotAvailable)
        {
            return SipListenFault.AddressNotAvailable;
        }

        return error == SocketError.AccessDenied ? SipListenFault.NotPermitted : SipListenFault.Other;
    }
}
