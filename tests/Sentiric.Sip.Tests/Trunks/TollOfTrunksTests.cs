using Sentiric.Sip.Tests.Dialogs;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Trunks;

/// <summary>No call leaves without the policy's word, and every one is counted to its end.</summary>
public sealed class TollOfTrunksTests
{
    [Fact]
    public async Task A_number_that_is_not_allowed_is_not_dialled()
    {
        await using Stage stage = await Stage.OpenAsync();
        await using var keeper = Keeper(stage, new TollRules { Allow = ["90"], Deny = ["90900"] }, Trunk("a", "127.0.0.11"));
        var a = new ScriptedPhone(stage.Network, stage.Server, "127.0.0.11");
        TrunkCallResult result = await TestApplication.Within(keeper.CallAsync(Call("+909001112233")), "the refusal");
        Assert.Equal((TollRefusal.Prefix, 403, null), (result.Toll, result.Result.StatusCode, result.Trunk));
        Assert.Empty(a.Requests("INVITE"));
        Assert.Equal((TollRefusal.Prefix, TollRefusal.None), (keeper.Check("+909001112233"), keeper.Check("+905321112233")));
    }

    [Fact]
    public async Task A_trunk_whose_own_rules_forbid_the_number_is_passed_over()
    {
        await using Stage stage = await Stage.OpenAsync();
        await using var keeper = Keeper(
            stage, TollRules.Unlimited, Trunk("a", "127.0.0.11") with { Toll = new TollRules { Allow = ["49"] } }, Trunk("b", "127.0.0.12") with { Priority = 1 });
        var a = new ScriptedPhone(stage.Network, stage.Server, "127.0.0.11");
        var b = new ScriptedPhone(stage.Network, stage.Server, "127.0.0.12");
        Task<TrunkCallResult> placing = keeper.CallAsync(Call("+905321112233"));
        b.Say(IncomingCallTests.Response(await b.HearRequestAsync("INVITE"), 486, "t"));
        TrunkCallResult result = await TestApplication.Within(placing, "the refusal");
        Assert.Equal((TollRefusal.None, 486, "b"), (result.Toll, result.Result.StatusCode, result.Trunk?.Name));
        Assert.Empty(a.Requests("INVITE"));
    }

    [Fact]
    public async Task When_every_trunk_is_forbidden_the_refusal_says_so()
    {
        await using Stage stage = await Stage.OpenAsync();
        await using var keeper = Keeper(stage, TollRules.Unlimited, Trunk("a", "127.0.0.11") with { Toll = new TollRules { Allow = ["49"] } });
        Assert.Equal(TollRefusal.Prefix, (await TestApplication.Within(keeper.CallAsync(Call("+905321112233")), "the refusal")).Toll);
    }

    [Fact]
    public async Task An_answered_call_counts_until_its_end_and_a_refused_one_does_not()
    {
        await using Stage stage = await Stage.OpenAsync();
        var policy = new TollPolicy(new TollRules { Allow = [""], MaxConcurrent = 1, MaxPerDay = TimeSpan.FromMinutes(10), MaxCall = TimeSpan.FromMinutes(8) }, stage.Time);
        await using var keeper = new TrunkKeeper(stage.Endpoint, new TrunkTable([Trunk("a", "127.0.0.11")]), policy, stage.Time);
        var a = new ScriptedPhone(stage.Network, stage.Server, "127.0.0.11");

        Task<TrunkCallResult> busy = keeper.CallAsync(Call("1"));
        a.Say(IncomingCallTests.Response(await a.HearRequestAsync("INVITE"), 486, "t1"));
        await TestApplication.Within(busy, "the refusal");
        Assert.Equal((0, TimeSpan.Zero), policy.Used(TrunkKeeper.AllTrunks));

        Task<TrunkCallResult> placing = keeper.CallAsync(Call("2"));
        SipRequest invite = await a.HearRequestAsync("INVITE");
        a.Say(IncomingCallTests.Response(invite, 200, "t2", "Contact: <sip:a@127.0.0.11>", ScriptedPhone.Sdp));
        TrunkCallResult answered = await TestApplication.Within(placing, "the answer");
        Assert.Equal(TimeSpan.FromMinutes(8), answered.MaxTalk);
        Assert.Equal(TollRefusal.Concurrent, (await TestApplication.Within(keeper.CallAsync(Call("3")), "the refusal")).Toll);

        stage.Time.Advance(TimeSpan.FromMinutes(7));
        _ = answered.Result.Dialog!.ByeAsync();
        await TestApplication.Within(answered.Result.Dialog.Ended, "the end");
        await TestApplication.Within(CountedAsync(policy), "the call to be counted");
        Assert.Equal((0, TimeSpan.FromMinutes(7)), policy.Used(TrunkKeeper.AllTrunks));
    }

    [Fact]
    public async Task What_was_talked_before_a_restart_counts_for_all_and_for_its_trunk()
    {
        await using Stage stage = await Stage.OpenAsync();
        var hour = new TollRules { Allow = [""], MaxPerDay = TimeSpan.FromHours(1) };
        await using var keeper = Keeper(stage, TollRules.Unlimited, Trunk("a", "127.0.0.11") with { Toll = hour });
        keeper.Remember("a", TimeSpan.FromHours(1));
        keeper.Remember("gone", TimeSpan.FromHours(1));
        Assert.Equal(TollRefusal.DayUsedUp, (await TestApplication.Within(keeper.CallAsync(Call("+905321112233")), "the refusal")).Toll);
    }

    // The policy hears of the end as everybody does, and not before.
    private static async Task<bool> CountedAsync(TollPolicy policy)
    {
        while (policy.Used(TrunkKeeper.AllTrunks).Concurrent > 0)
        {
            await Task.Yield();
        }

        return true;
    }

    private static TrunkKeeper Keeper(Stage stage, TollRules rules, params SipTrunk[] trunks) =>
        new(stage.Endpoint, new TrunkTable(trunks), new TollPolicy(rules, stage.Time), stage.Time);

    private static SipTrunk Trunk(string name, string host) => new() { Name = name, Target = SipUri.Parse($"sip:{host};transport=udp") };

    private static TrunkCall Call(string number) => new()
    {
        Number = number, Caller = NameAddr.Create(null, SipUri.Parse("sip:100@home.example")), Offer = _ => ValueTask.FromResult<string?>(ScriptedPhone.Sdp),
    };
}
