using System.Net;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Trunks;

/// <summary>A carrier that must prove itself before its call is taken.</summary>
public sealed class TrunkGateTests
{
    [Theory]
    [InlineData("them", "theirs", true)]
    [InlineData("them", "wrong", false)]
    [InlineData("other", "others", false)]
    public async Task A_call_is_taken_with_the_trunks_own_account_alone(string user, string password, bool admitted)
    {
        var trunks = new TrunkTable(
        [
            new SipTrunk { Name = "t", Sources = [IPNetwork.Parse("127.0.0.9/32")], Inbound = SipAccount.Create(TrunkRealm.Name, "them", "theirs") },
            new SipTrunk { Name = "o", Inbound = SipAccount.Create(TrunkRealm.Name, "other", "others") },
        ]);
        await using Stage stage = await Stage.OpenAsync(options => options with { Trunks = trunks });
        var gate = new TrunkGate(trunks, stage.Time);
        stage.Phone.Say(stage.Phone.Request("INVITE", "c", "z9hG4bKc1", 1, sdp: ScriptedPhone.Sdp));
        Assert.False(await gate.AdmitAsync(await stage.Application.NextInviteAsync(), default));
        SipResponse challenge = await stage.Phone.HearResponseAsync(401);
        var credentials = DigestClient.Answer(challenge, new SipCredentials(user, password), "INVITE", $"sip:9000@{stage.Server}", isRetry: false)!.Value;
        stage.Phone.Say(stage.Phone.Request("INVITE", "c", "z9hG4bKc2", 2, sdp: ScriptedPhone.Sdp, extra: $"{credentials.Key}: {credentials.Value}\r\n"));
        IncomingInvite second = await stage.Application.NextInviteAsync();
        Assert.Equal(admitted, await gate.AdmitAsync(second, default));
        await second.RejectAsync(486);
        Assert.Equal(admitted ? 1 : 0, stage.Phone.Responses(486, "INVITE").Count);
    }
}
