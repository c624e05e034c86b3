using System.Threading.Channels;
using Sentiric.Scenarios.Kit;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Sip.Rfc;

/// <summary>What our side does, and must hear, when it is the caller.</summary>
internal static class SippCallers
{
    public const string HangUp = "hang up", WaitForBye = "wait for BYE", HearBusy = "hear busy", GiveUp = "give up", FindItGone = "find it gone", HearWhereTo = "hear where to",
        Update = "update", Transfer = "transfer";

    public static async Task RunAsync(string driver, SipEndpoint endpoint, int port)
    {
        var call = await endpoint.InviteAsync(new OutgoingInvite
        {
            Target = SipUri.Create("sipp", new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port)),
            From = NameAddr.Create("Santral", SipUri.Parse("sip:100@127.0.0.1")),
            Offer = SippPartners.Sdp,
            Credentials = new SipCredentials("trunk", "trunk-secret-1"),
        });
        if (driver == GiveUp)
        {
            Assert.Equal(180, (await Until.DoneAsync("180", call.Progress.ReadAsync().AsTask(), Calling.Patience)).StatusCode);
            await call.CancelAsync();
        }

        await CheckAsync(driver, await Until.DoneAsync("the end of our INVITE", call.Completed, Calling.Patience));
    }

    private static async Task CheckAsync(string driver, OutgoingCallResult result)
    {
        switch (driver)
        {
            case HangUp:
                await Dialog(result).ByeAsync();
                break;
            case WaitForBye:
                var end = await Until.DoneAsync("their BYE", Dialog(result).Ended, Calling.Patience);
                Assert.Equal((SipDialogEndCause.RemoteBye, 16), (end.Cause, end.Q850Cause));
                break;
            case HearBusy:
                Assert.Equal((486, false), (result.StatusCode, result.IsAnswered));
                break;
            case GiveUp:
                Assert.Equal((487, true, false), (result.StatusCode, result.WasCancelled, result.IsAnswered));
                break;
            case FindItGone:
                Assert.Equal(481, (await Dialog(result).ReinviteAsync(SippPartners.Sdp)).StatusCode);
                Assert.Equal(SipDialogEndCause.RemoteGone, (await Until.DoneAsync("the end of the call", Dialog(result).Ended, Calling.Patience)).Cause);
                break;
            case HearWhereTo:
                Assert.Equal(302, result.StatusCode);
                Assert.Equal(["sip:first@192.0.2.7", "sip:second@192.0.2.8"], result.Redirections.Select(uri => uri.ToString()));
                break;
            case Update:
                Assert.True((await Until.DoneAsync("the answer to our UPDATE", Dialog(result).UpdateAsync(SippPartners.Sdp), Calling.Patience)).IsAccepted);
                await Dialog(result).ByeAsync();
                break;
            case Transfer:
                var referral = await Dialog(result).ReferAsync(SipUri.Parse("sip:elsewhere@192.0.2.9"));
                Assert.Equal(202, await Until.DoneAsync("the answer to our REFER", referral.Answered, Calling.Patience));
                Assert.Equal(200, (await Until.DoneAsync("the last report", referral.Completed, Calling.Patience))?.StatusCode);
                await Dialog(result).ByeAsync();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(driver), driver, "No caller does that.");
        }
    }

    private static SipDialog Dialog(OutgoingCallResult result)
    {
        Assert.True(result.IsAnswered, $"{result.StatusCode} {result.Reason}");
        return result.Dialog;
    }
}
