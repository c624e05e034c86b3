using Sentiric.Sip;

namespace Sentiric.Scenarios.Sip.Rfc;

/// <summary>A program on our stack that does what the called name says.</summary>
internal sealed class SippPartners : ISipApplication
{
    public const string Sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0\r\n";

    /// <summary>The cause that <c>rfc3326-2</c> sends; another one makes that call fail here.</summary>
    private const int ExpectedCause = 31;

    /// <summary>What went wrong on this side of a scenario, by Call-ID.</summary>
    public System.Collections.Concurrent.ConcurrentDictionary<string, string> Faults { get; } = new();

    public async Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping)
    {
        switch (invite.Request.Uri.UserText)
        {
            case "answers":
                await AnswerAsync(invite);
                break;
            case "rings":
                await invite.RingingAsync();
                break;
            case "speaks-early":
                await invite.RingingAsync(Sdp);
                await invite.AnswerAsync(Sdp);
                break;
            case "is-busy":
                await invite.RejectAsync(486);
                break;
            case "declines":
                await invite.RejectAsync(603);
                break;
            case "has-moved":
                await invite.RejectAsync(302, null, [new("Contact", "<sip:elsewhere@192.0.2.7>")]);
                break;
            case "fails":
                throw new InvalidOperationException("This program fails whenever it is called.");
            case "hangs-up":
                await (await AnswerAsync(invite)).ByeAsync();
                break;
            case "changes-and-hangs-up":
                await ChangeAndHangUpAsync(await AnswerAsync(invite));
                break;
            case "hangs-up-after-a-change":
                await HangUpAfterAChangeAsync(invite);
                break;
            case "takes-changes":
                invite.OfferHandler = _ => Task.FromResult(SipReinviteAnswer.Accept(Sdp));
                await AnswerAsync(invite);
                break;
            case "takes-transfers":
                invite.ReferHandler = TakeTransferAsync;
                await AnswerAsync(invite);
                break;
            case "reads-keys":
                await ReadKeysAsync(await AnswerAsync(invite));
                break;
            case "notes-the-reason":
                await NoteReasonAsync(await AnswerAsync(invite));
                break;
            default:
                await invite.RejectAsync(404);
                break;
        }
    }

    private static async Task<SipDialog> AnswerAsync(IncomingInvite invite)
    {
        await invite.RingingAsync();
        var answer = await invite.AnswerAsync(Sdp);
        return answer.Dialog ?? throw new InvalidOperationException($"{invite.CallId} was not established: {answer.Failure}.");
    }

    private static async Task ChangeAndHangUpAsync(SipDialog dialog)
    {
        await dialog.ReinviteAsync(Sdp);
        await dialog.ByeAsync();
    }

    private static async Task HangUpAfterAChangeAsync(IncomingInvite invite)
    {
        var acknowledged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        invite.OfferHandler = change =>
        {
            _ = change.AckSdp.ContinueWith(_ => acknowledged.TrySetResult(), TaskScheduler.Default);
            return Task.FromResult(SipReinviteAnswer.Accept(Sdp));
        };
        var dialog = await AnswerAsync(invite);
        await acknowledged.Task;
        await dialog.ByeAsync();
    }

    /// <summary>The fate of the new call is made up: what is under test is how it is told.</summary>
    private static async Task<SipAnswer> TakeTransferAsync(IncomingReferral referral)
    {
        await referral.NotifyAsync(200);
        return new SipAnswer(202);
    }

    private async Task ReadKeysAsync(SipDialog dialog)
    {
        var keys = "";
        await foreach (var digit in dialog.Digits.ReadAllAsync())
        {
            keys += digit.Key;
        }

        if (keys != "5#")
        {
            Faults[dialog.CallId] = $"The keys were \"{keys}\".";
        }
    }

    private async Task NoteReasonAsync(SipDialog dialog)
    {
        var end = await dialog.Ended;
        if (end is not { Cause: SipDialogEndCause.RemoteBye, Q850Cause: ExpectedCause })
        {
            Faults[dialog.CallId] = $"The call ended with {end}.";
        }
    }
}
