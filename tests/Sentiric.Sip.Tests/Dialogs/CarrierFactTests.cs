using System.Net;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Dialogs;

/// <summary>What carriers' gear was seen to do.</summary>
public sealed class CarrierFactTests
{
    [Fact]
    public async Task The_ACK_and_the_BYE_may_come_from_another_port_than_the_INVITE()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (ok, answer) = await stage.AnswerAsync();
        stage.Phone.Address = new IPEndPoint(stage.Phone.Address.Address, 5088);
        stage.Ack(ok);
        SipAnswerResult result = await TestApplication.Within(answer, "the answer to be acknowledged");
        Assert.True(result.IsEstablished);
        stage.Phone.Say(stage.Phone.Request("BYE", ok.CallId, "z9hG4bK-bye", 2, ok.To.Tag));
        Assert.Equal(200, (await stage.Phone.HearResponseToAsync("z9hG4bK-bye")).StatusCode);
        Assert.Equal(SipDialogEndCause.RemoteBye, (await TestApplication.Within(result.Dialog.Ended, "the call to end")).Cause);
    }
}
