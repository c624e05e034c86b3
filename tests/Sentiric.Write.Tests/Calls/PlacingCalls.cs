using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Write.Calls;
using Sentiric.Write.Dialplans;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests.Calls;

/// <summary>Which calls and transfers may be asked for.</summary>
public sealed class PlacingCalls
{
    private const string Callee = "+905321112233", Ours = "+902121234567";
    private static readonly Guid Id = Guid.Parse("01980000-0000-7000-8000-0000000000cc");
    private static readonly PlaceCall Command = new(Id, Callee, Ours, "welcome", false, 30);
    private static readonly NumberOwner Owned = new(World.Demo);
    private static readonly DialplanResolution Plan = new(World.Demo, "welcome", 1, DialplanAction.EchoTest, new(), null, null, "tr", "normal", [], null, null);
    private static readonly CallRequested Requested = new(Given.Now, Ours, Callee, false, 30, Plan);
    private static readonly Call Up = Given.Facts<Call>(Requested, new CallAnswered(Given.Now, 100));

    [Fact]
    public void A_call_is_requested_with_all_that_it_needs() => Decide(Command).Says(Requested);

    [Fact]
    public void A_call_that_was_asked_for_before_stays_one() => Command.Decide(Given.Facts<Call>(Requested), Owned, Plan, World.Demo, Given.Now).IsQuiet();

    [Theory]
    [InlineData("anonymous", 30)]
    [InlineData("Ay Şe", 30)]
    [InlineData("123456", 30)]
    [InlineData(Callee, 4)]
    [InlineData(Callee, 181)]
    public void A_number_or_time_that_cannot_be_is_refused(string to, int ringSeconds) => Decide(Command with { To = to, RingSeconds = ringSeconds }).Refuses("call.invalid");

    [Fact]
    public void A_number_of_another_tenant_is_not_shown()
    {
        Command.Decide(Call.Initial, new NumberOwner(World.Other), Plan, World.Demo, Given.Now).Refuses("call.number_not_owned");
        Command.Decide(Call.Initial, NumberOwner.Initial, Plan, World.Demo, Given.Now).Refuses("call.number_not_owned");
    }

    [Fact]
    public void A_plan_that_is_missing_or_only_rejects_is_refused()
    {
        Command.Decide(Call.Initial, Owned, null, World.Demo, Given.Now).Refuses("call.dialplan_unknown");
        Command.Decide(Call.Initial, Owned, Plan with { Action = DialplanAction.Reject }, World.Demo, Given.Now).Refuses("call.dialplan_unfit");
    }

    [Fact]
    public void A_live_call_is_transferred_to_a_number_or_a_telephone() => Assert.All([Callee, "1001", "ayse"], to => new TransferCall(Id, to).Decide(Up, Given.Now).Says(new TransferRequested(Given.Now, to)));

    [Fact]
    public void A_transfer_is_refused_where_it_makes_no_sense()
    {
        var transfer = new TransferCall(Id, Callee);
        transfer.Decide(Call.Initial, Given.Now).Refuses("call.unknown");
        transfer.Decide(Given.Facts<Call>(Requested), Given.Now).Refuses("call.not_answered");
        transfer.Decide(Up with { Ended = true }, Given.Now).Refuses("call.ended");
        (transfer with { To = "no body" }).Decide(Up, Given.Now).Refuses("call.invalid");
        transfer.Decide(Up.Evolve(new TransferRequested(Given.Now, Callee)), Given.Now).Refuses("call.transferring");
        transfer.Decide(Up.Evolve(new TransferCompleted(Given.Now, Callee, TransferWay.Bridge, "t", 200)), Given.Now).Refuses("call.transferring");
    }

    [Fact]
    public void After_a_transfer_that_failed_another_may_be_tried() =>
        new TransferCall(Id, Callee).Decide(
            Up.Evolve(new TransferRequested(Given.Now, Ours)).Evolve(new TransferFailed(Given.Now, Ours, CallEndReason.Busy, 486)), Given.Now)
            .Says(new TransferRequested(Given.Now, Callee));

    [Theory]
    [InlineData("call.unknown", 404)]
    [InlineData("call.ended", 409)]
    [InlineData("call.transferring", 409)]
    [InlineData("call.not_answered", 409)]
    [InlineData("call.invalid", 422)]
    [InlineData("call.number_not_owned", 422)]
    public void Each_refusal_has_its_status(string code, int status) => Assert.Equal(status, Problems.StatusOf(code));

    private static Decision Decide(PlaceCall command) => command.Decide(Call.Initial, Owned, Plan, World.Demo, Given.Now);
}
