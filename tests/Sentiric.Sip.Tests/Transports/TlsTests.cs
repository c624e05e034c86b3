using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Sip.Tests.UserAgent;

namespace Sentiric.Sip.Tests.Transports;

/// <summary>SIP over TLS on loopback (RFC 3261 26, RFC 5922), with certificates of the test's own authority.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TestAuthority authority = new();

    public void Dispose() => authority.Dispose();

    [Theory]
    [InlineData("sip:9000@{0};transport=tls", "Contact: <sip:9000@127.0.0.1:")]
    [InlineData("sips:9000@{0}", "Contact: <sips:9000@127.0.0.1:")]
    public async Task A_call_over_tls_lasts_until_the_callees_bye(string target, string contact)
    {
        var application = new TestApplication();
        await using SipEndpoint server = await StartAsync(authority.Options("127.0.0.1"), application);
        await using SipEndpoint client = await StartAsync(authority.Options("127.0.0.1"));
        OutgoingCall call = await client.InviteAsync(OutgoingCallTests.Invite(string.Format(target, Address(server))));
        IncomingInvite invite = await application.NextInviteAsync();
        Assert.Equal(SipTransportKind.Tls, invite.Transport);
        SipAnswerResult answer = await TestApplication.Within(invite.AnswerAsync(ScriptedPhone.Sdp), "the ACK");
        OutgoingCallResult result = await TestApplication.Within(call.Completed, "the answer");
        Assert.True(answer.IsEstablished && result.IsAnswered);
        await answer.Dialog.ByeAsync("Q.850;cause=16").WaitAsync(ScriptedPhone.Patience);
        Assert.Equal(SipDialogEndCause.RemoteBye, (await TestApplication.Within(result.Dialog.Ended, "the BYE")).Cause);
        SipTrace sent = application.Traces.First(trace => trace.Direction == SipTraceDirection.Sent && Encoding.UTF8.GetString(trace.Message.Span).StartsWith("SIP/2.0 200", StringComparison.Ordinal));
        string text = Encoding.UTF8.GetString(sent.Message.Span);
        Assert.Contains("Via: SIP/2.0/TLS ", text);
        Assert.Contains(contact, text);
    }

    [Theory]
    [InlineData("other.example")]
    [InlineData("127.0.0.2")]
    [InlineData("sip:localhost")]
    public async Task RFC5922_7_A_server_that_is_somebody_else_gets_no_request(string speaksFor)
    {
        var application = new TestApplication();
        await using SipEndpoint server = await StartAsync(authority.Options(speaksFor), application);
        await using SipEndpoint client = await StartAsync(authority.Options("127.0.0.1"));
        Assert.Equal(503, (await OptionsAsync(client, $"sip:{Address(server)};transport=tls")).StatusCode);
        Assert.Equal(0, server.Statistics.Received);
    }

    [Fact]
    public async Task A_server_of_an_unknown_authority_gets_no_request()
    {
        using var stranger = new TestAuthority("stranger");
        await using SipEndpoint server = await StartAsync(stranger.Options("127.0.0.1"));
        await using SipEndpoint client = await StartAsync(authority.Options("127.0.0.1"));
        Assert.Equal(503, (await OptionsAsync(client, $"sips:{Address(server)}")).StatusCode);
        Assert.Equal(0, server.Statistics.Received);
    }

    [Fact]
    public async Task A_server_whose_certificate_has_expired_gets_no_request()
    {
        SipTlsOptions expired = authority.Options() with { Certificate = authority.Issue("sip.example", ["127.0.0.1"], TimeSpan.FromHours(-1)) };
        await using SipEndpoint server = await StartAsync(expired);
        await using SipEndpoint client = await StartAsync(authority.Options("127.0.0.1"));
        Assert.Equal(503, (await OptionsAsync(client, $"sips:{Address(server)}")).StatusCode);
    }

    [Fact]
    public async Task A_server_that_wants_certificates_turns_away_who_has_none_of_its_authority()
    {
        await using SipEndpoint server = await StartAsync(authority.Options("127.0.0.1") with { RequireClientCertificate = true });
        await using SipEndpoint known = await StartAsync(authority.Options("127.0.0.1"));
        Assert.Equal(200, (await OptionsAsync(known, $"sips:{Address(server)}")).StatusCode);
        using var other = new TestAuthority("other");
        // In TLS 1.3 a client is done before it is refused: its request leaves, nobody reads it, and Timer F tells (64 T1).
        await using SipEndpoint stranger = await SipEndpoint.StartAsync(
            new() { Listen = [SipListen.OverTls(other.Options("127.0.0.1") with { TrustedRoots = authority.Roots })], Timers = new SipTimers { T1 = TimeSpan.FromMilliseconds(10) } }, new TestApplication());
        Assert.NotEqual(200, (await OptionsAsync(stranger, $"sips:{Address(server)}")).StatusCode);
        Assert.Equal(1, server.Statistics.Received);
    }

    [Fact]
    public async Task What_sips_asks_for_is_never_sent_in_clear()
    {
        await using SipEndpoint server = await SipEndpoint.StartAsync(new() { Listen = [SipListen.Udp(), SipListen.Tcp()] }, new TestApplication());
        await using SipEndpoint client = await SipEndpoint.StartAsync(new() { Listen = [SipListen.Udp(), SipListen.Tcp()] }, new TestApplication());
        Assert.Equal(503, (await OptionsAsync(client, $"sips:{server.Bindings[0].Address}")).StatusCode);
        Assert.Equal(0, server.Statistics.Received);
    }

    [Fact]
    public async Task One_connection_serves_two_domains_only_when_its_certificate_speaks_for_both()
    {
        await using SipEndpoint server = await StartAsync(authority.Options("127.0.0.1", "localhost"));
        await using SipEndpoint client = await StartAsync(authority.Options("127.0.0.1"));
        int port = server.Bindings[0].Address.Port;
        Assert.Equal(200, (await OptionsAsync(client, $"sips:127.0.0.1:{port}")).StatusCode);
        Assert.Equal(200, (await OptionsAsync(client, $"sips:localhost:{port}")).StatusCode);
        await using SipEndpoint narrow = await StartAsync(authority.Options("127.0.0.1"));
        Assert.Equal(200, (await OptionsAsync(client, $"sips:127.0.0.1:{narrow.Bindings[0].Address.Port}")).StatusCode);
        Assert.Equal(503, (await OptionsAsync(client, $"sips:localhost:{narrow.Bindings[0].Address.Port}")).StatusCode);
    }

    [Fact]
    public async Task Plain_text_on_the_tls_port_closes_only_its_own_connection()
    {
        await using SipEndpoint server = await StartAsync(authority.Options("127.0.0.1"));
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Bindings[0].Address);
        await socket.SendAsync(Encoding.ASCII.GetBytes("OPTIONS sip:x@h SIP/2.0\r\n\r\n"));
        using var patience = new CancellationTokenSource(ScriptedPhone.Patience);
        byte[] rest = new byte[256];
        while (await ReadAsync(socket, rest, patience.Token) > 0)
        {
            // A TLS alert may come before the end.
        }

        await using SipEndpoint client = await StartAsync(authority.Options("127.0.0.1"));
        Assert.Equal(200, (await OptionsAsync(client, $"sips:{Address(server)}")).StatusCode);
    }

    [Fact]
    public async Task Without_a_certificate_there_is_no_tls_listener()
    {
        var options = new SipEndpointOptions { Listen = [new SipListen(SipTransportKind.Tls, new IPEndPoint(IPAddress.Loopback, 0))] };
        Assert.Equal(SipListenFault.NoCertificate, (await Assert.ThrowsAsync<SipListenException>(() => SipEndpoint.StartAsync(options, new TestApplication()))).Fault);
    }

    [Theory]
    [InlineData("a.example", new[] { "a.example" }, true)]
    [InlineData("A.Example.", new[] { "a.example" }, true)]
    [InlineData("b.a.example", new[] { "*.a.example" }, false)]
    [InlineData("b.a.example", new[] { "a.example" }, false)]
    [InlineData("a.example", new[] { "sip:a.example" }, true)]
    [InlineData("a.example", new[] { "sip:user@a.example" }, false)]
    [InlineData("dns.example", new[] { "sip:a.example", "dns.example" }, false)]
    [InlineData("cn.example", new string[0], true)]
    [InlineData("cn.example", new[] { "10.0.0.1" }, false)]
    [InlineData("10.0.0.1", new[] { "10.0.0.1" }, true)]
    [InlineData("10.0.0.1", new string[0], false)]
    [InlineData("[::1]", new[] { "::1" }, true)]
    public void RFC5922_7_A_certificate_speaks_for(string host, string[] names, bool speaks)
    {
        using X509Certificate2 certificate = authority.Issue("cn.example", names);
        Assert.Equal(speaks, TlsIdentity.Matches(certificate, host));
    }

    [Fact]
    public void Certificates_come_from_files_and_what_is_no_certificate_is_refused()
    {
        string folder = Directory.CreateTempSubdirectory("sip-tls").FullName;
        try
        {
            string own = Path.Combine(folder, "own.pem"), trust = Path.Combine(folder, "trust.pem"), junk = Path.Combine(folder, "junk.pem");
            using X509Certificate2 issued = authority.Issue("a.example", ["a.example"]);
            File.WriteAllText(own, TestAuthority.Pem(issued));
            File.WriteAllText(trust, authority.RootPem);
            File.WriteAllText(junk, "no certificate");
            SipTlsOptions read = SipTlsOptions.FromFiles(own, null, trust);
            Assert.Equal((issued.Thumbprint, 0, 1), (read.Certificate.Thumbprint, read.Intermediates.Count, read.TrustedRoots?.Count));
            Assert.ThrowsAny<CryptographicException>(() => SipTlsOptions.FromFiles(junk));
            Assert.ThrowsAny<CryptographicException>(() => SipTlsOptions.FromFiles(own, null, junk));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [OpensslFact]
    public async Task Openssl_speaks_to_it_and_believes_it()
    {
        await using SipEndpoint server = await StartAsync(authority.Options("127.0.0.1"));
        string trust = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(trust, authority.RootPem);
            var start = new ProcessStartInfo("openssl", ["s_client", "-quiet", "-verify_return_error", "-verify_ip", "127.0.0.1", "-CAfile", trust, "-connect", Address(server)])
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            };
            using Process openssl = Process.Start(start)!;
            openssl.ErrorDataReceived += static (_, _) => { };
            openssl.BeginErrorReadLine();
            await openssl.StandardInput.WriteAsync("OPTIONS sip:x@h SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bKt\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:x@h>\r\nCall-ID: tls\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
            await openssl.StandardInput.FlushAsync();
            string? line = await openssl.StandardOutput.ReadLineAsync().WaitAsync(ScriptedPhone.Patience);
            openssl.Kill();
            Assert.Equal("SIP/2.0 200 OK", line);
        }
        finally
        {
            File.Delete(trust);
        }
    }

    private static Task<SipEndpoint> StartAsync(SipTlsOptions tls, TestApplication? application = null) =>
        SipEndpoint.StartAsync(new() { Listen = [SipListen.OverTls(tls)] }, application ?? new TestApplication());

    private static string Address(SipEndpoint endpoint) => endpoint.Binding(SipTransportKind.Tls).Address.ToString();

    private static Task<OutgoingRequestResult> OptionsAsync(SipEndpoint client, string target) => TestApplication.Within(
        client.RequestAsync(new OutgoingRequest { Method = "OPTIONS", Target = SipUri.Parse(target), From = NameAddr.Create(null, SipUri.Parse("sip:a@h")) }), "the answer to OPTIONS");

    private static async Task<int> ReadAsync(Socket socket, byte[] buffer, CancellationToken ct)
    {
        try
        {
            return await socket.ReceiveAsync(buffer, ct);
        }
        catch (SocketException)
        {
            // A reset is an end, too.
            return 0;
        }
    }
}

/// <summary>Runs where openssl is installed.</summary>
internal sealed class OpensslFactAttribute : FactAttribute
{
    public OpensslFactAttribute()
    {
        string path = Environment.GetEnvironmentVariable("PATH") ?? "";
        if (!path.Split(':').Any(folder => File.Exists(Path.Combine(folder, "openssl"))))
        {
            Skip = "openssl is not installed.";
        }
    }
}
