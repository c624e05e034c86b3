using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Sip.Tests.Locating;
using Sentiric.Sip.Tests.UserAgent;
using Sentiric.Testing;

namespace Sentiric.Sip.Tests.Transports;

/// <summary>Signs of life (RFC 5626 4.4) and ways back (RFC 3581, RFC 5118) on loopback.</summary>
public sealed class KeepAliveTests
{
    /// <summary>
    /// A ping leaves 80 to 100 s after the last wait, so two of them differ by up to 40 s from where the test puts its time; a patience longer than that
    /// is never over in the step that brings the ping.
    /// </summary>
    private static readonly SipKeepAlive Alive = new() { Interval = TimeSpan.FromSeconds(100), PongWithin = TimeSpan.FromSeconds(50) };

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task A_peer_that_once_answered_pings_is_given_up_when_it_stops_and_one_that_never_did_is_not(bool answers, bool givenUp)
    {
        var time = new ManualTime();
        var sink = new Sink();
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        peer.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        peer.Listen();
        var remote = (IPEndPoint)peer.LocalEndPoint!;
        await using ISipTransport transport = new SocketSipNetwork().Open(SipListen.Tcp() with { KeepAlive = Alive }, sink, time);
        transport.Send("hello"u8.ToArray(), remote, null, null);
        using Socket accepted = await TestApplication.Within(peer.AcceptAsync(), "the connection");
        Assert.Equal("hello", await ReadAsync(accepted, 5));
        await WaitUntilAsync(() => time.Waiting >= 2, "the reader and the keep-alive to wait");

        time.Advance(Alive.Interval);
        Assert.Equal("\r\n\r\n", await ReadAsync(accepted, 4));
        if (answers)
        {
            await accepted.SendAsync("\r\n"u8.ToArray());
            // An OPTIONS behind the pong shows that the pong was read.
            await accepted.SendAsync(Encoding.ASCII.GetBytes("OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"));
            Assert.StartsWith("OPTIONS", await TestApplication.Within(sink.Heard.Reader.ReadAsync().AsTask(), "the message behind the pong"));
        }

        time.Advance(Alive.PongWithin);
        await WaitUntilAsync(() => time.Waiting >= 2, "the next interval to begin");
        Assert.True(transport.IsConnected(remote));
        time.Advance(Alive.Interval);
        Assert.Equal("\r\n\r\n", await ReadAsync(accepted, 4));
        time.Advance(Alive.PongWithin);
        if (givenUp)
        {
            Assert.Equal(remote, await TestApplication.Within(sink.Lost.Reader.ReadAsync().AsTask(), "the connection to be given up"));
        }

        Assert.Equal(!givenUp, transport.IsConnected(remote));
    }

    [Fact]
    public async Task One_address_cannot_take_every_connection()
    {
        await using SipEndpoint server = await SipEndpoint.StartAsync(new() { Listen = [SipListen.Tcp()] }, new TestApplication());
        var sockets = new List<Socket>();
        try
        {
            for (int i = 0; i <= StreamSipTransport.MaxConnectionsPerSource; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                sockets.Add(socket);
                await socket.ConnectAsync(server.Bindings[0].Address);
            }

            // The last one is closed at once, the first one is served.
            using var patience = new CancellationTokenSource(ScriptedPhone.Patience);
            Assert.Equal(0, await sockets[^1].ReceiveAsync(new byte[1], patience.Token));
            await sockets[0].SendAsync("\r\n\r\n"u8.ToArray());
            Assert.Equal("\r\n", await ReadAsync(sockets[0], 2));
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task Datagrams_that_only_keep_a_way_open_are_quiet_and_a_stun_binding_hears_its_address()
    {
        await using SipEndpoint server = await SipEndpoint.StartAsync(new() { Listen = [SipListen.Udp()] }, new TestApplication());
        using var phone = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        IPEndPoint at = server.Bindings[0].Address;
        await phone.SendAsync("\r\n\r\n"u8.ToArray(), at);
        await phone.SendAsync("\r\n"u8.ToArray(), at);
        byte[] binding = DnsMessageTests.Bytes("0001 0000 2112a442 b7e7a701bc34d686fa87dfae");
        await phone.SendAsync(binding, at);
        using var patience = new CancellationTokenSource(ScriptedPhone.Patience);
        byte[] answer = (await phone.ReceiveAsync(patience.Token)).Buffer;
        var own = (IPEndPoint)phone.Client.LocalEndPoint!;
        Assert.Equal(DnsMessageTests.Bytes($"0101 000c 2112a442 b7e7a701bc34d686fa87dfae 0020 0008 0001 {own.Port ^ 0x2112:x4} {0x7f000001 ^ 0x2112a442:x8}"), answer);
        Assert.Equal(0, server.Statistics.Received);
        Assert.Equal(0, server.Statistics.Malformed);
    }

    [Fact]
    public void A_stun_binding_over_ipv6_is_answered_as_in_rfc_5769()
    {
        // RFC 5769 2.3: 2001:db8:1234:5678:11:2233:4455:6677 port 32853 under this transaction id.
        byte[] request = DnsMessageTests.Bytes("0001 0000 2112a442 b7e7a701bc34d686fa87dfae");
        byte[] answer = StunBinding.Answer(request, new IPEndPoint(IPAddress.Parse("2001:db8:1234:5678:11:2233:4455:6677"), 32853));
        Assert.Equal("0020001400 02a147 0113a9faa5d3f179bc25f4b5bed2b9d9".Replace(" ", ""), Convert.ToHexStringLower(answer.AsSpan(20)));
        Assert.False(StunBinding.IsRequest(request.AsSpan(0, 19)));
        Assert.False(StunBinding.IsRequest(answer));
    }

    [Theory]
    [InlineData(SipTransportKind.Udp)]
    [InlineData(SipTransportKind.Tcp)]
    [InlineData(SipTransportKind.Tls)]
    public async Task RFC5118_Calls_over_ipv6_have_brackets_in_via_and_contact(SipTransportKind kind)
    {
        using var authority = new TestAuthority();
        SipListen listen = kind switch { SipTransportKind.Udp => SipListen.Udp("::1"), SipTransportKind.Tcp => SipListen.Tcp("::1"), _ => SipListen.OverTls(authority.Options("::1"), "::1") };
        var application = new TestApplication();
        await using SipEndpoint server = await SipEndpoint.StartAsync(new() { Listen = [listen] }, application);
        await using SipEndpoint client = await SipEndpoint.StartAsync(new() { Listen = [listen] }, new TestApplication());
        OutgoingCall call = await client.InviteAsync(OutgoingCallTests.Invite($"sip:9000@{server.Bindings[0].Address}") with { Transport = kind });
        IncomingInvite invite = await application.NextInviteAsync();
        Assert.Equal("[::1]", invite.Request.TopVia.Host);
        Assert.Equal("[::1]", invite.Request.Contacts[0].Uri.Host);
        SipAnswerResult answer = await TestApplication.Within(invite.AnswerAsync(ScriptedPhone.Sdp), "the ACK");
        OutgoingCallResult result = await TestApplication.Within(call.Completed, "the answer");
        Assert.Contains(";received=::1;rport=", result.Dialog is null ? "" : application.Traces.Last(trace => trace.Direction == SipTraceDirection.Sent && trace.StartLine.Contains("200")).Text());
        await answer.Dialog!.ByeAsync().WaitAsync(ScriptedPhone.Patience);
        Assert.Equal(SipDialogEndCause.RemoteBye, (await TestApplication.Within(result.Dialog!.Ended, "the BYE")).Cause);
    }

    [Theory]
    [InlineData(";rport", true)]
    [InlineData("", false)]
    public async Task RFC3581_4_With_rport_the_response_goes_to_the_port_that_it_came_from(string rport, bool toSource)
    {
        await using SipEndpoint server = await SipEndpoint.StartAsync(new() { Listen = [SipListen.Udp()] }, new TestApplication());
        using var sender = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var named = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)named.Client.LocalEndPoint!).Port;
        string options = $"OPTIONS sip:x@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port}{rport};branch=z9hG4bKr\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:x@h>\r\nCall-ID: r\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
        await sender.SendAsync(Encoding.ASCII.GetBytes(options), server.Bindings[0].Address);
        using var patience = new CancellationTokenSource(ScriptedPhone.Patience);
        UdpReceiveResult got = await (toSource ? sender : named).ReceiveAsync(patience.Token);
        Assert.StartsWith("SIP/2.0 200", Encoding.ASCII.GetString(got.Buffer));
        // From the very port that it was sent to.
        Assert.Equal(server.Bindings[0].Address, got.RemoteEndPoint);
    }

    private static async Task<string> ReadAsync(Socket socket, int count)
    {
        using var patience = new CancellationTokenSource(ScriptedPhone.Patience);
        var buffer = new byte[count];
        for (int read = 0; read < count;)
        {
            int more = await socket.ReceiveAsync(buffer.AsMemory(read), patience.Token);
            Assert.True(more > 0, "the connection ended");
            read += more;
        }

        return Encoding.ASCII.GetString(buffer);
    }

    private static async Task WaitUntilAsync(Func<bool> condition, string what)
    {
        var since = System.Diagnostics.Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(since.Elapsed < ScriptedPhone.Patience, $"Waited for {what}.");
            await Task.Yield();
        }
    }

    private sealed class Sink : ISipTransportSink
    {
        public Channel<string> Heard { get; } = Channel.CreateUnbounded<string>();

        public Channel<IPEndPoint> Lost { get; } = Channel.CreateUnbounded<IPEndPoint>();

        public void Received(ISipTransport transport, IPEndPoint remote, ReadOnlySpan<byte> message) => Heard.Writer.TryWrite(Encoding.ASCII.GetString(message));

        public void Noticed(ISipTransport transport, IPEndPoint remote, string what)
        {
            // Only what is heard and lost counts here.
        }

        public void Disconnected(ISipTransport transport, IPEndPoint remote) => Lost.Writer.TryWrite(remote);
    }
}

internal static class TraceText
{
    public static string Text(this SipTrace trace) => Encoding.UTF8.GetString(trace.Message.Span);
}
