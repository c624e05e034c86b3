using System.Net;
using System.Text;
using Sentiric.Sip.Tests.Dialogs;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Sip.Tests.Locating;
using Sentiric.Testing;

namespace Sentiric.Sip.Tests.UserAgent;

/// <summary>RFC 3263 4.3: the next server when one fails, on virtual time.</summary>
public sealed class FailoverTests
{
    private const string Target = "sip:callee@carrier.example";
    private readonly FakeZone zone = new();

    public FailoverTests()
    {
        zone.Srv("_sip._udp.carrier.example", 1, 0, 5060, "a.carrier.example");
        zone.Srv("_sip._udp.carrier.example", 2, 0, 5060, "b.carrier.example");
        zone.Host("a.carrier.example", "127.0.0.11");
        zone.Host("b.carrier.example", "127.0.0.12");
    }

    [Fact]
    public async Task Silence_of_the_first_server_leads_to_the_second_with_a_new_branch()
    {
        await using Stage stage = await OpenAsync();
        var (a, b) = Servers(stage);
        OutgoingCall call = await stage.Endpoint.InviteAsync(OutgoingCallTests.Invite(Target));
        SipRequest first = await a.HearRequestAsync("INVITE");
        stage.Time.Advance(TimeSpan.FromSeconds(32));
        SipRequest second = await b.HearRequestAsync("INVITE");
        Assert.NotEqual(first.TopVia.Branch, second.TopVia.Branch);
        Assert.Equal((first.CallId, first.CSeq, first.From.Tag), (second.CallId, second.CSeq, second.From.Tag));
        b.Say(IncomingCallTests.Response(second, 200, "t1", "Contact: <sip:callee@127.0.0.12>\r\n", ScriptedPhone.Sdp));
        Assert.True((await TestApplication.Within(call.Completed, "the answer")).IsAnswered);
        Assert.Single(b.Requests("ACK"));
    }

    [Fact]
    public async Task A_503_leads_to_the_second_server_and_the_first_rests_as_long_as_it_asked()
    {
        await using Stage stage = await OpenAsync();
        var (a, b) = Servers(stage);
        OutgoingCall call = await stage.Endpoint.InviteAsync(OutgoingCallTests.Invite(Target));
        a.Say(IncomingCallTests.Response(await a.HearRequestAsync("INVITE"), 503, "t0", "Retry-After: 120\r\n"));
        SipRequest second = await b.HearRequestAsync("INVITE");
        Assert.Single(a.Requests("ACK"));
        b.Say(IncomingCallTests.Response(second, 486, "t1"));
        Assert.Equal(486, (await TestApplication.Within(call.Completed, "the refusal")).StatusCode);

        // While the first rests, calls begin at the second.
        await RefuseAtAsync(b, stage);
        Assert.Single(a.Requests("INVITE"));
        stage.Time.Advance(TimeSpan.FromSeconds(121));
        await RefuseAtAsync(a, stage);
    }

    [Fact]
    public async Task When_every_server_fails_the_last_word_is_told()
    {
        await using Stage stage = await OpenAsync();
        var (a, b) = Servers(stage);
        OutgoingCall call = await stage.Endpoint.InviteAsync(OutgoingCallTests.Invite(Target));
        a.Say(IncomingCallTests.Response(await a.HearRequestAsync("INVITE"), 503, "t0"));
        b.Say(IncomingCallTests.Response(await b.HearRequestAsync("INVITE"), 503, "t1"));
        Assert.Equal(503, (await TestApplication.Within(call.Completed, "the refusal")).StatusCode);
        Assert.Single(a.Requests("INVITE"));
    }

    [Fact]
    public async Task A_server_that_answered_provisionally_is_not_left_for_its_silence()
    {
        await using Stage stage = await OpenAsync();
        var (a, b) = Servers(stage);
        Task<OutgoingRequestResult> asked = stage.Endpoint.RequestAsync(Options(Target));
        a.Say(IncomingCallTests.Response(await a.HearRequestAsync("OPTIONS"), 100));
        stage.Time.Advance(TimeSpan.FromSeconds(32));
        Assert.Equal(408, (await TestApplication.Within(asked, "the timeout")).StatusCode);
        Assert.Empty(b.Requests("OPTIONS"));
    }

    [Fact]
    public async Task A_cancelled_call_goes_to_no_other_server()
    {
        await using Stage stage = await OpenAsync();
        var (a, b) = Servers(stage);
        OutgoingCall call = await stage.Endpoint.InviteAsync(OutgoingCallTests.Invite(Target));
        await a.HearRequestAsync("INVITE");
        await call.CancelAsync();
        stage.Time.Advance(TimeSpan.FromSeconds(32));
        Assert.True((await TestApplication.Within(call.Completed, "the cancellation")).WasCancelled);
        Assert.Empty(b.Requests("INVITE"));
    }

    [Fact]
    public async Task A_cancel_after_a_move_waits_for_the_new_servers_word()
    {
        await using Stage stage = await OpenAsync();
        var (a, b) = Servers(stage);
        OutgoingCall call = await stage.Endpoint.InviteAsync(OutgoingCallTests.Invite(Target));
        SipRequest first = await a.HearRequestAsync("INVITE");
        a.Say(IncomingCallTests.Response(first, 100));
        a.Say(IncomingCallTests.Response(first, 503, "t0"));
        SipRequest second = await b.HearRequestAsync("INVITE");
        await call.CancelAsync();
        Assert.Empty(b.Requests("CANCEL"));
        b.Say(IncomingCallTests.Response(second, 180, "t1"));
        Assert.Equal(second.TopVia.Branch, Assert.Single(b.Requests("CANCEL")).TopVia.Branch);
    }

    [Fact]
    public async Task A_name_that_nobody_knows_is_503()
    {
        await using Stage stage = await OpenAsync();
        Assert.Equal(503, (await TestApplication.Within(stage.Endpoint.RequestAsync(Options("sip:nobody.example")), "the refusal")).StatusCode);
    }

    [Fact]
    public async Task A_request_too_large_for_a_datagram_goes_over_tcp_with_its_via()
    {
        await using Stage stage = await OpenAsync(SipListen.Udp(), SipListen.Tcp());
        var phone = new ScriptedPhone(stage.Network, stage.Endpoint.Binding(SipTransportKind.Tcp).Address, "127.0.0.21");
        _ = stage.Endpoint.RequestAsync(Options("sip:127.0.0.21", large: true));
        Assert.Equal("TCP", (await phone.HearRequestAsync("OPTIONS")).TopVia.Transport);
        _ = stage.Endpoint.RequestAsync(Options("sip:127.0.0.21"));
        Assert.Equal("UDP", (await phone.HearRequestAsync("OPTIONS")).TopVia.Transport);
    }

    [Fact]
    public async Task When_tcp_is_refused_the_large_request_goes_as_a_datagram_and_the_next_one_at_once()
    {
        await using Stage stage = await OpenAsync(SipListen.Udp(), SipListen.Tcp());
        // A node that is only there for datagrams.
        stage.Network.RefusesStreams.TryAdd(IPAddress.Parse("127.0.0.22"), 0);
        var phone = new ScriptedPhone(stage.Network, stage.Endpoint.Binding(SipTransportKind.Udp).Address, "127.0.0.22");
        for (int i = 0; i < 2; i++)
        {
            Task<OutgoingRequestResult> asked = stage.Endpoint.RequestAsync(Options("sip:127.0.0.22", large: true));
            SipRequest request = await phone.HearRequestAsync("OPTIONS");
            Assert.Equal("UDP", request.TopVia.Transport);
            phone.Say(IncomingCallTests.Response(request, 200, "t"));
            Assert.Equal(200, (await TestApplication.Within(asked, "the answer")).StatusCode);
        }

        Assert.Equal(1, stage.Network.RefusesStreams[IPAddress.Parse("127.0.0.22")]);
    }

    private Task<Stage> OpenAsync(params SipListen[] listen) => Stage.OpenAsync(options => options with
    {
        Locator = new SipLocator(new DnsCache(zone, options.TimeProvider), new Random(1)),
        Listen = listen.Length == 0 ? options.Listen : listen,
    });

    private static (ScriptedPhone A, ScriptedPhone B) Servers(Stage stage) =>
        (new ScriptedPhone(stage.Network, stage.Server, "127.0.0.11"), new ScriptedPhone(stage.Network, stage.Server, "127.0.0.12"));

    private static async Task RefuseAtAsync(ScriptedPhone server, Stage stage)
    {
        OutgoingCall call = await stage.Endpoint.InviteAsync(OutgoingCallTests.Invite(Target));
        server.Say(IncomingCallTests.Response(await server.HearRequestAsync("INVITE"), 486, "t9"));
        Assert.Equal(486, (await TestApplication.Within(call.Completed, "the refusal")).StatusCode);
    }

    private static OutgoingRequest Options(string target, bool large = false) => new()
    {
        Method = "OPTIONS",
        Target = SipUri.Parse(target),
        From = NameAddr.Create(null, SipUri.Parse("sip:a@h")),
        Headers = large ? [new("X-Long", new string('x', 1_300))] : [],
    };
}
