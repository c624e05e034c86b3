using System.Net;
using System.Threading.Channels;
using Sentiric.Sip.Tests.Dialogs;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Trunks;

public sealed class TrunkTests
{
    [Fact]
    public void A_source_belongs_to_the_trunk_with_the_narrowest_network()
    {
        var table = new TrunkTable([Trunk("wide", "10.0.0.0/8", "2001:db8::/32"), Trunk("narrow", "10.1.0.0/16"), Trunk("host", "10.1.2.3/32")]);
        Assert.Equal("host", table.Find(IPAddress.Parse("10.1.2.3"))?.Name);
        Assert.Equal("narrow", table.Find(IPAddress.Parse("10.1.2.4"))?.Name);
        Assert.Equal("wide", table.Find(IPAddress.Parse("10.2.0.1"))?.Name);
        Assert.Equal("wide", table.Find(IPAddress.Parse("::ffff:10.2.0.1"))?.Name);
        Assert.Equal("wide", table.Find(IPAddress.Parse("2001:db8::5"))?.Name);
        Assert.Null(table.Find(IPAddress.Parse("192.0.2.1")));
        Assert.Contains("'a'", Assert.Throws<ArgumentException>(() => new TrunkTable([Trunk("a"), Trunk("A")])).Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("10.0.0.0/8", Assert.Throws<ArgumentException>(() => new TrunkTable([Trunk("a", "10.0.0.0/8"), Trunk("b", "10.0.0.0/8")])).Message);
    }

    [Theory]
    [InlineData(true, "sip:+905321112233@carrier.example", SipPrivacy.Id | SipPrivacy.Critical, 2)]
    [InlineData(false, "sip:+905321234567@phone.example", SipPrivacy.None, 0)]
    public async Task RFC3325_An_identity_counts_only_from_within_the_trust_domain(bool trusted, string caller, SipPrivacy privacy, int diversions)
    {
        await using Stage stage = await Stage.OpenAsync(options => options with { Trunks = new TrunkTable([Trunk("t", "127.0.0.9/32") with { IsTrusted = trusted }]) });
        const string extra = "P-Asserted-Identity: \"Ayşe\" <sip:+905321112233@carrier.example>\r\nP-Asserted-Identity: <tel:+905321112233>\r\nPrivacy: id;critical\r\n"
            + "Diversion: <sip:200@pbx.example>;reason=no-answer;counter=2, <sip:100@pbx.example>;reason=\"unconditional\"\r\n";
        stage.Phone.Say(stage.Phone.Request("INVITE", "c", "z9hG4bKc", 1, sdp: ScriptedPhone.Sdp, extra: extra));
        IncomingInvite invite = await stage.Application.NextInviteAsync();
        Assert.Equal("t", invite.Trunk?.Name);
        SipIdentity identity = invite.Caller;
        Assert.Equal((caller, privacy, diversions), (identity.Caller.Uri.ToString(), identity.Privacy, identity.Diversions.Count));
        Assert.Equal(trusted, identity.IsWithheld);
        if (trusted)
        {
            Assert.Equal(new SipDiversion(identity.Diversions[0].From, "no-answer", 2), identity.Diversions[0]);
            Assert.Equal(("sip:100@pbx.example", "unconditional", 1), (identity.Diversions[1].From.ToString(), identity.Diversions[1].Reason, identity.Diversions[1].Counter));
        }

        await invite.RejectAsync(486);
    }

    [Theory]
    [InlineData("P-Asserted-Identity: <sip:a@x>, <sip:b@x>\r\n")]
    [InlineData("P-Asserted-Identity: <tel:+1>, <tel:+2>\r\n")]
    [InlineData("P-Asserted-Identity: <http://x>\r\n")]
    [InlineData("P-Asserted-Identity: <sip:a@x\r\n")]
    public async Task RFC3325_9_1_An_identity_against_the_rules_asserts_nothing(string header)
    {
        await using Stage stage = await Stage.OpenAsync(options => options with { Trunks = new TrunkTable([Trunk("t", "127.0.0.9/32") with { IsTrusted = true }]) });
        stage.Phone.Say(stage.Phone.Request("INVITE", "c", "z9hG4bKc", 1, sdp: ScriptedPhone.Sdp, extra: header));
        IncomingInvite invite = await stage.Application.NextInviteAsync();
        Assert.Equal("sip:+905321234567@phone.example", invite.Caller.Caller.Uri.ToString());
        await invite.RejectAsync(486);
    }

    [Theory]
    [InlineData(TrunkIdentityHeader.PAssertedIdentity, "P-Asserted-Identity")]
    [InlineData(TrunkIdentityHeader.PPreferredIdentity, "P-Preferred-Identity")]
    [InlineData(TrunkIdentityHeader.RemotePartyId, "Remote-Party-ID")]
    [InlineData(TrunkIdentityHeader.None, null)]
    public void RFC3325_7_A_withheld_identity_is_told_to_trusted_trunks_alone(TrunkIdentityHeader kind, string? header)
    {
        NameAddr caller = NameAddr.Create("Ayşe", SipUri.Parse("sip:+90532@home.example"));
        SipTrunk trunk = Trunk("t") with { Profile = new TrunkProfile { Identity = kind } };
        var open = SipIdentity.Present(caller, withheld: false, trunk);
        Assert.Equal(caller, open.From);
        Assert.Equal(header, open.Headers.Select(one => one.Key).SingleOrDefault());

        var hidden = SipIdentity.Present(caller, withheld: true, trunk);
        Assert.Equal("sip:anonymous@anonymous.invalid", hidden.From.Uri.ToString());
        Assert.DoesNotContain("+90532", hidden.From + string.Concat(hidden.Headers.Select(one => one.Value)));
        Assert.Contains(new KeyValuePair<string, string>("Privacy", "id"), hidden.Headers);

        var told = SipIdentity.Present(caller, withheld: true, trunk with { IsTrusted = true });
        Assert.Equal(kind != TrunkIdentityHeader.None, told.Headers.Any(one => one.Value.Contains("+90532")));
    }

    [Fact]
    public async Task A_trunk_that_wants_no_record_route_back_gets_none()
    {
        await using Stage stage = await Stage.OpenAsync(options => options with
        {
            Trunks = new TrunkTable([Trunk("t", "127.0.0.9/32") with { Profile = new TrunkProfile { EchoesRecordRoute = false } }]),
        });
        var (ok, _) = await stage.AnswerAsync(extra: "Record-Route: <sip:127.0.0.9;lr>\r\n");
        Assert.Null(ok.Header("Record-Route"));
        // Our own requests still go through it.
        stage.Ack(ok);
    }

    [Theory]
    [InlineData(false, "INVITE")]
    [InlineData(true, "INVITE")]
    [InlineData(false, "UPDATE")]
    [InlineData(true, "UPDATE")]
    public async Task A_trunk_hears_of_record_route_in_a_later_exchange_as_in_the_first(bool echoes, string method)
    {
        const string route = "Record-Route: <sip:127.0.0.9;lr>\r\n";
        await using Stage stage = await Stage.OpenAsync(options => options with
        {
            Trunks = new TrunkTable([Trunk("t", "127.0.0.9/32") with { Profile = new TrunkProfile { EchoesRecordRoute = echoes } }]),
        });
        var (dialog, tag) = await stage.EstablishAsync(extra: route);
        dialog.ReinviteHandler = _ => Task.FromResult(SipReinviteAnswer.Accept(ScriptedPhone.Sdp));
        stage.Phone.Say(stage.Phone.Request(method, "call-1", "z9hG4bK-later", 2, tag, sdp: ScriptedPhone.Sdp, extra: route));
        SipResponse ok;
        do
        {
            ok = await stage.Phone.HearResponseAsync(200, method);
        }
        while (ok.CSeq.Number != 2);

        Assert.Equal(echoes ? "<sip:127.0.0.9;lr>" : null, ok.Header("Record-Route"));
        if (method == "INVITE")
        {
            stage.Ack(ok, "z9hG4bK-ack-2");
        }
    }

    [Fact]
    public void One_lost_probe_moves_no_call_and_one_answer_does_not_bring_a_trunk_back()
    {
        TrunkHealth health = default;
        string seen = "";
        foreach (char probe in "+-+--+---+-+++-+")
        {
            health = health.Probed(probe == '+');
            seen += health.State.ToString()[0];
        }

        Assert.Equal("UUUUUUUUDDDDUUUU", seen);
        Assert.True(TrunkHealth.IsAnswer(404, true));
        Assert.True(TrunkHealth.IsAnswer(486, true));
        Assert.False(TrunkHealth.IsAnswer(503, true));
        Assert.False(TrunkHealth.IsAnswer(404, false));
    }

    [Fact]
    public void Living_trunks_come_first_by_priority_and_weight()
    {
        SipTrunk[] trunks = [Calls("spare", 2, 1), Calls("small", 1, 1), Calls("large", 1, 3), Calls("down", 0, 1), Trunk("only-in")];
        var first = new Dictionary<string, int>();
        var dice = new Random(1);
        for (int i = 0; i < 4_000; i++)
        {
            IReadOnlyList<SipTrunk> order = TrunkOrder.Of(trunks, trunk => trunk.Name == "down" ? TrunkState.Down : TrunkState.Unknown, dice);
            Assert.Equal(["spare", "down"], order.Skip(2).Select(trunk => trunk.Name));
            first[order[0].Name] = first.GetValueOrDefault(order[0].Name) + 1;
        }

        // Weights 3 and 1, five numbers on the dice (RFC 2782 draws 0 to the sum).
        Assert.InRange(first["large"], 2_200, 3_300);
    }

    [Fact]
    public async Task A_call_goes_to_the_next_trunk_when_one_has_trouble_and_stays_refused_when_the_callee_is_busy()
    {
        var trunks = new TrunkTable([Calls("a", 1, 1, "sip:127.0.0.11:5070;transport=udp") with { Credentials = new SipCredentials("u", "p") }, Calls("b", 2, 1, "sip:127.0.0.12")]);
        await using Stage stage = await Stage.OpenAsync(options => options with { Trunks = trunks });
        var a = new ScriptedPhone(stage.Network, stage.Server, "127.0.0.11", 5070);
        var b = new ScriptedPhone(stage.Network, stage.Server, "127.0.0.12");
        await using var keeper = new TrunkKeeper(stage.Endpoint, trunks, new TollPolicy(TollRules.Unlimited, stage.Time), stage.Time, dice: new Random(1));
        var call = new TrunkCall { Number = "+90 532", Caller = NameAddr.Create(null, SipUri.Parse("sip:100@home.example")), Offer = _ => ValueTask.FromResult<string?>(ScriptedPhone.Sdp) };
        for (int round = 1; round <= 3; round++)
        {
            Task<TrunkCallResult> placing = keeper.CallAsync(call);
            SipRequest atA = await a.HearRequestAsync("INVITE");
            Assert.Equal("sip:+90%20532@127.0.0.11:5070;transport=udp", atA.Uri.ToString());
            Assert.Equal("<sip:100@home.example>", atA.Header("P-Asserted-Identity"));
            a.Say(IncomingCallTests.Response(atA, 503, "t"));
            b.Say(IncomingCallTests.Response(await b.HearRequestAsync("INVITE"), 486, "t"));
            TrunkCallResult result = await TestApplication.Within(placing, "the refusal");
            Assert.Equal(("b", 486), (result.Trunk?.Name, result.Result.StatusCode));
        }

        // Three failures in a row: a is down and b is asked first.
        Assert.Equal([TrunkState.Down, TrunkState.Up], keeper.Statuses.Select(one => one.State));
        Task<TrunkCallResult> last = keeper.CallAsync(call);
        b.Say(IncomingCallTests.Response(await b.HearRequestAsync("INVITE"), 486, "t"));
        Assert.Equal("b", (await TestApplication.Within(last, "the refusal")).Trunk?.Name);
        Assert.Equal(3, a.Requests("INVITE").Count);
    }

    [Fact]
    public async Task Options_find_out_whether_a_trunk_lives()
    {
        var trunks = new TrunkTable([Calls("a", 1, 1, "sip:127.0.0.9") with { OptionsEvery = TimeSpan.FromSeconds(30) }]);
        await using Stage stage = await Stage.OpenAsync(options => options with { Trunks = trunks });
        var asked = new HashSet<string>();
        await using var keeper = new TrunkKeeper(stage.Endpoint, trunks, new TollPolicy(TollRules.Unlimited, stage.Time), stage.Time);
        var noted = Channel.CreateUnbounded<string>();
        keeper.Waiting += name => noted.Writer.TryWrite(name);
        Assert.Equal((null, null), (keeper.Statuses[0].Since, keeper.Statuses[0].LastOptions));
        Assert.Equal(TrunkState.Unknown, await AnswerAsync(null));
        Assert.Equal((null, 408), (keeper.Statuses[0].Since, keeper.Statuses[0].LastOptions?.StatusCode));
        Assert.Equal(TrunkState.Up, await AnswerAsync(405));
        DateTimeOffset up = stage.Time.GetUtcNow();
        Assert.Equal((up, 405), (keeper.Statuses[0].Since, keeper.Statuses[0].LastOptions?.StatusCode));
        Assert.Equal(TrunkState.Up, await AnswerAsync(503));
        Assert.Equal(TrunkState.Up, await AnswerAsync(null));
        // What does not change it leaves the time alone.
        Assert.Equal(up, keeper.Statuses[0].Since);
        Assert.Equal(TrunkState.Down, await AnswerAsync(503));
        Assert.Equal(new TrunkOptionsResult(stage.Time.GetUtcNow(), 503, keeper.Statuses[0].LastOptions!.Reason), keeper.Statuses[0].LastOptions);
        Assert.Equal(stage.Time.GetUtcNow(), keeper.Statuses[0].Since);
        Assert.Equal(TrunkState.Down, await AnswerAsync(200));
        Assert.Equal(TrunkState.Up, await AnswerAsync(200));

        // Null: silence until timer F.
        async Task<TrunkState> AnswerAsync(int? status)
        {
            stage.Time.Advance(TimeSpan.FromSeconds(33));
            SipRequest request = await NextAsync();
            if (status is { } answer)
            {
                stage.Phone.Say(IncomingCallTests.Response(request, answer, "t"));
            }
            else
            {
                stage.Time.Advance(TimeSpan.FromSeconds(32));
            }

            await TestApplication.Within(noted.Reader.ReadAsync().AsTask(), "the answer to be noted");
            return keeper.Statuses[0].State;
        }

        // Copies of a request that went unanswered are passed over.
        async Task<SipRequest> NextAsync()
        {
            SipRequest request = await stage.Phone.HearRequestAsync("OPTIONS");
            return asked.Add(request.CallId) ? request : await NextAsync();
        }
    }

    private static SipTrunk Trunk(string name, params string[] sources) => new() { Name = name, Sources = [.. sources.Select(IPNetwork.Parse)] };

    private static SipTrunk Calls(string name, int priority, int weight, string target = "sip:carrier.example") =>
        new() { Name = name, Target = SipUri.Parse(target), Priority = priority, Weight = weight };
}
