using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Peers;

/// <summary>kamailio rings two telephones at once (RFC 3261 16.7): ours at every end.</summary>
[Trait("Category", "Slow")]
public sealed class ForkingTests : IAsyncLifetime
{
    private const int Theirs = 61;
    private static readonly TimeSpan Spoken = TimeSpan.FromSeconds(8);
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-forking-").FullName;

    private LoopbackPhone caller = null!;
    private LoopbackPhone kitchen = null!;
    private LoopbackPhone hall = null!;
    private KamailioProxy kamailio = null!;

    public async Task InitializeAsync()
    {
        (caller, kitchen, hall) = (await LoopbackPhone.StartAsync(), await LoopbackPhone.StartAsync(), await LoopbackPhone.StartAsync());
        kamailio = await KamailioProxy.StartAsync(folder, kitchen.AddressOf("us").Port, SipTransportKind.Udp, alsoTo: hall.AddressOf("us").Port);
    }

    public async Task DisposeAsync()
    {
        await kamailio.DisposeAsync();
        foreach (var phone in new[] { caller, kitchen, hall })
        {
            await phone.DisposeAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    [PeerFact("kamailio")]
    public async Task One_of_two_branches_answers_and_the_other_is_cancelled()
    {
        await using var call = await caller.DialAsync(new Dialing(kamailio.Number("family"), "caller"));
        await using var inKitchen = await Until.DoneAsync("the kitchen to ring", kitchen.Incoming.ReadAsync().AsTask(), Calling.Patience);
        await using var inHall = await Until.DoneAsync("the hall to ring", hall.Incoming.ReadAsync().AsTask(), Calling.Patience);
        await Until.TrueAsync("the caller to hear of both", () => Task.FromResult(Tags(caller, "SIP/2.0 180").Count == 2), Calling.Patience, () => kamailio.Said);

        Assert.True(await inHall.AnswerAsync());
        Assert.True((await Until.DoneAsync("the answer", call.Established, Calling.Patience)).IsAnswered);
        await Until.TrueAsync("487 from the kitchen", () => Task.FromResult(Starts(kitchen, SipTraceDirection.Sent, "SIP/2.0 487")), Calling.Patience, () => kamailio.Said);
        Assert.True(Starts(kitchen, SipTraceDirection.Received, "CANCEL "), "The kitchen was not cancelled.");
        Assert.False(await inKitchen.AnswerAsync());
        Assert.Single(Tags(caller, "SIP/2.0 200"));

        inHall.Play(Melody.Repeated(Theirs, Spoken));
        var likeness = await Melody.HeardAsync(call, Theirs);
        Assert.True(likeness > Melody.Likeness, $"the hall is heard with {likeness:F3}");
        await call.HangUpAsync();
        Assert.Equal(SipDialogEndCause.RemoteBye, (await Until.DoneAsync("the BYE in the hall", inHall.Ended, Calling.Patience)).Cause);
    }

    [PeerFact("kamailio")]
    public async Task When_both_branches_refuse_the_caller_hears_one_refusal()
    {
        await using var call = await caller.DialAsync(new Dialing(kamailio.Number("family"), "caller"));
        await (await Until.DoneAsync("the kitchen to ring", kitchen.Incoming.ReadAsync().AsTask(), Calling.Patience)).RejectAsync(486);
        Assert.False(call.Established.IsCompleted, "The proxy waits for the other branch.");
        await (await Until.DoneAsync("the hall to ring", hall.Incoming.ReadAsync().AsTask(), Calling.Patience)).RejectAsync(480);
        Assert.Contains((await Until.DoneAsync("the refusal", call.Established, Calling.Patience)).Status, new[] { 480, 486 });
        await Until.TrueAsync("both refusals to be acknowledged", () => Task.FromResult(new[] { kitchen, hall }.All(p => Starts(p, SipTraceDirection.Received, "ACK "))), Calling.Patience, () => kamailio.Said);
    }

    /// <summary>The To tags of what the phone received with this start line: one for each dialog.</summary>
    private static HashSet<string> Tags(LoopbackPhone phone, string startLine) => [.. phone.Trace
        .Where(m => m.Direction == SipTraceDirection.Received && m.StartLine.StartsWith(startLine, StringComparison.Ordinal))
        .Select(m => m.RedactedText().Split("\r\n"))
        .Where(lines => lines.Any(line => line.StartsWith("CSeq:", StringComparison.Ordinal) && line.EndsWith("INVITE", StringComparison.Ordinal)))
        .Select(lines => lines.First(line => line.StartsWith("To:", StringComparison.Ordinal)).Split("tag=")[^1])];

    private static bool Starts(LoopbackPhone phone, SipTraceDirection direction, string startLine) =>
        phone.Trace.Any(m => m.Direction == direction && m.StartLine.StartsWith(startLine, StringComparison.Ordinal));
}
