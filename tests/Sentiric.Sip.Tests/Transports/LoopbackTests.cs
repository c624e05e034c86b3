using System.Net;
using System.Net.Sockets;
using System.Text;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Sip.Tests.UserAgent;

namespace Sentiric.Sip.Tests.Transports;

/// <summary>Real sockets on loopback.</summary>
public sealed class LoopbackTests
{
    [Theory]
    [InlineData(SipTransportKind.Udp)]
    [InlineData(SipTransportKind.Tcp)]
    public async Task Two_endpoints_call_each_other(SipTransportKind transport)
    {
        var application = new TestApplication();
        await using SipEndpoint server = await SipEndpoint.StartAsync(Both(), application);
        await using SipEndpoint client = await SipEndpoint.StartAsync(Both(), new TestApplication());
        OutgoingCall call = await client.InviteAsync(OutgoingCallTests.Invite($"sip:9000@{server.Binding(transport).Address}") with { Transport = transport });
        IncomingInvite invite = await application.NextInviteAsync();
        Assert.Equal("Ayşe", invite.From.Display);
        Assert.Equal(transport, invite.Transport);
        await invite.RingingAsync();
        SipAnswerResult answer = await TestApplication.Within(invite.AnswerAsync(ScriptedPhone.Sdp), "the ACK");
        OutgoingCallResult result = await TestApplication.Within(call.Completed, "the answer");
        Assert.True(answer.IsEstablished && result.IsAnswered);
        // The callee hangs up, so BYE goes the other way.
        await answer.Dialog.ByeAsync("Q.850;cause=16").WaitAsync(ScriptedPhone.Patience);
        SipDialogEnd end = await TestApplication.Within(result.Dialog.Ended, "the BYE");
        Assert.Equal((SipDialogEndCause.RemoteBye, 16), (end.Cause, end.Q850Cause));
    }

    [Fact]
    public async Task A_connection_that_came_to_itself_is_known()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var proper = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await proper.ConnectAsync(listener.LocalEndPoint!);
        Assert.False(StreamSipTransport.CameToItself(proper));

        using var itself = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        itself.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await itself.ConnectAsync(itself.LocalEndPoint!);
        Assert.True(StreamSipTransport.CameToItself(itself));
    }

    [Fact]
    public async Task A_shutdown_says_bye_over_tcp_too()
    {
        var application = new TestApplication();
        await using SipEndpoint server = await SipEndpoint.StartAsync(Both(), application);
        SipEndpoint client = await SipEndpoint.StartAsync(Both(), new TestApplication());
        OutgoingCall call = await client.InviteAsync(
            OutgoingCallTests.Invite($"sip:9000@{server.Binding(SipTransportKind.Tcp).Address}") with { Transport = SipTransportKind.Tcp });
        SipAnswerResult answer = await TestApplication.Within((await application.NextInviteAsync()).AnswerAsync(ScriptedPhone.Sdp), "the ACK");
        await TestApplication.Within(call.Completed, "the answer");
        await client.DisposeAsync();
        Assert.Equal(SipDialogEndCause.RemoteBye, (await TestApplication.Within(answer.Dialog!.Ended, "the BYE")).Cause);
    }

    [Fact]
    public async Task An_occupied_port_is_a_clear_error()
    {
        await using SipEndpoint first = await SipEndpoint.StartAsync(Both(), new TestApplication());
        foreach (SipBinding binding in first.Bindings)
        {
            var again = new SipEndpointOptions { Listen = [SipListen.Udp(), new SipListen(binding.Transport, binding.Address)] };
            SipListenException refused = await Assert.ThrowsAsync<SipListenException>(() => SipEndpoint.StartAsync(again, new TestApplication()));
            Assert.Equal(SipListenFault.PortInUse, refused.Fault);
            Assert.Contains(binding.Address.ToString(), refused.Message);
        }

        var elsewhere = new SipEndpointOptions { Listen = [SipListen.Udp("192.0.2.1")] };
        Assert.Equal(SipListenFault.AddressNotAvailable, (await Assert.ThrowsAsync<SipListenException>(() => SipEndpoint.StartAsync(elsewhere, new TestApplication()))).Fault);
    }

    [Fact]
    public async Task A_tcp_stream_in_single_bytes_is_answered_and_its_pings_too()
    {
        await using SipEndpoint server = await SipEndpoint.StartAsync(Both(), new TestApplication());
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.Binding(SipTransportKind.Tcp).Address);
        string options = "OPTIONS sip:x@h SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKt\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:x@h>\r\nCall-ID: tcp\r\nCSeq: 1 OPTIONS\r\nContent-Length: 3\r\n\r\nabc";
        foreach (byte one in Encoding.ASCII.GetBytes(options + "\r\n\r\n"))
        {
            await socket.SendAsync(new[] { one });
        }

        string heard = await ReadUntilAsync(socket, text => text.EndsWith("\r\n\r\n\r\n", StringComparison.Ordinal));
        Assert.StartsWith("SIP/2.0 200 OK\r\n", heard);
    }

    [Fact]
    public async Task A_stream_that_cannot_be_framed_is_answered_with_400_and_closed()
    {
        await using SipEndpoint server = await SipEndpoint.StartAsync(Both(), new TestApplication());
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Binding(SipTransportKind.Tcp).Address);
        await socket.SendAsync(File.ReadAllBytes(Sentiric.Testing.Repository.PathOf("tests", "Sentiric.Sip.Tests", "rfc4475", "ncl.dat")));
        string heard = await ReadUntilAsync(socket, _ => false);
        Assert.StartsWith("SIP/2.0 400 ", heard);
    }

    [Fact]
    public async Task Junk_does_not_disturb_a_call()
    {
        var application = new TestApplication();
        await using SipEndpoint server = await SipEndpoint.StartAsync(Both(), application);
        await using SipEndpoint client = await SipEndpoint.StartAsync(Both(), new TestApplication());
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        var dice = new Random(1);
        for (int i = 0; i < 500; i++)
        {
            byte[] junk = new byte[dice.Next(0, 1500)];
            dice.NextBytes(junk);
            socket.SendTo(junk, server.Bindings[0].Address);
        }

        OutgoingRequestResult result = await TestApplication.Within(
            client.RequestAsync(new OutgoingRequest { Method = "OPTIONS", Target = SipUri.Parse($"sip:{server.Bindings[0].Address}"), From = NameAddr.Create(null, SipUri.Parse("sip:a@h")) }), "OPTIONS");
        Assert.Equal(200, result.StatusCode);
    }

    [Fact]
    public async Task Bound_to_all_addresses_it_names_the_one_that_the_peer_can_reach()
    {
        await using SipEndpoint server = await SipEndpoint.StartAsync(new() { Listen = [SipListen.Udp("0.0.0.0")] }, new TestApplication());
        await using SipEndpoint client = await SipEndpoint.StartAsync(Both(), new TestApplication());
        int port = server.Bindings[0].Address.Port;
        OutgoingRequestResult result = await TestApplication.Within(
            client.RequestAsync(new OutgoingRequest { Method = "OPTIONS", Target = SipUri.Parse($"sip:localhost:{port}"), From = NameAddr.Create(null, SipUri.Parse("sip:a@h")) }), "OPTIONS");
        Assert.Equal($"<sip:127.0.0.1:{port}>", result.Response?.Header("Contact"));
    }

    private static SipEndpointOptions Both() => new() { Listen = [SipListen.Udp(), SipListen.Tcp()] };

    private static async Task<string> ReadUntilAsync(Socket socket, Func<string, bool> done)
    {
        using var patience = new CancellationTokenSource(ScriptedPhone.Patience);
        var heard = new StringBuilder();
        var buffer = new byte[4096];
        while (!done(heard.ToString()))
        {
            int read = await socket.ReceiveAsync(buffer, patience.Token);
            if (read == 0)
            {
                break;
            }

            heard.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }

        return heard.ToString();
    }
}
