using System.Text;
using Sentiric.Testing;

namespace Sentiric.Sip.Tests.Dialogs;

public sealed class OfferAnswerTableTests
{
    [Fact]
    public void The_offer_answer_machine_is_the_approved_table()
    {
        var table = new StringBuilder();
        table.AppendLine("Offers and answers of one dialog (RFC 3264, RFC 6337, RFC 3261 14, RFC 3311): what can be reached from the beginning.");
        table.AppendLine("States are offer/INVITE. What is ignored and changes nothing is left out; every other line is a rule.");
        foreach (SessionState state in Reachable())
        {
            table.AppendLine();
            table.AppendLine(Name(state));
            foreach (SessionInput input in Enum.GetValues<SessionInput>())
            {
                SessionStep step = OfferAnswerMachine.Step(state, input);
                if (step.Verdict != SessionVerdict.Ignore || step.Next != state)
                {
                    table.AppendLine($"  {input,-18} -> {Name(step.Next),-24} {step.Verdict}");
                }
            }
        }

        Golden.Check(table.ToString(), "tests", "Sentiric.Sip.Tests", "Dialogs", "offers.approved.txt");
    }

    [Fact]
    public void A_verdict_other_than_go_changes_no_state()
    {
        foreach (SessionState state in All())
        {
            foreach (SessionInput input in Enum.GetValues<SessionInput>())
            {
                SessionStep step = OfferAnswerMachine.Step(state, input);
                Assert.True(step.Verdict == SessionVerdict.Go || step.Next == state, $"{Name(state)} {input}");
            }
        }
    }

    [Fact]
    public void No_two_offers_are_ever_open_and_no_two_invites()
    {
        foreach (SessionState state in Reachable())
        {
            bool open = state.Offer is not (OfferState.None or OfferState.Stable);
            Assert.True(!open || OfferAnswerMachine.Step(state, SessionInput.SendOffer).Verdict != SessionVerdict.Go, Name(state));
            Assert.True(!open || OfferAnswerMachine.Step(state, SessionInput.ReceiveOffer).Verdict != SessionVerdict.Go, Name(state));
            bool busy = open || state.Invite != InviteState.Idle;
            foreach (SessionInput invite in (SessionInput[])[SessionInput.SendInvite, SessionInput.SendInviteOffer, SessionInput.ReceiveInvite, SessionInput.ReceiveInviteOffer])
            {
                Assert.Equal(!busy, OfferAnswerMachine.Step(state, invite).Verdict == SessionVerdict.Go);
            }
        }
    }

    private static IReadOnlyList<SessionState> Reachable()
    {
        var found = new List<SessionState> { OfferAnswerMachine.Begin };
        for (int i = 0; i < found.Count; i++)
        {
            foreach (SessionInput input in Enum.GetValues<SessionInput>())
            {
                SessionState next = OfferAnswerMachine.Step(found[i], input).Next;
                if (!found.Contains(next))
                {
                    found.Add(next);
                }
            }
        }

        return found;
    }

    private static IEnumerable<SessionState> All() =>
        from offer in Enum.GetValues<OfferState>() from invite in Enum.GetValues<InviteState>() select new SessionState(offer, invite);

    private static string Name(SessionState state) => $"{state.Offer}/{state.Invite}";
}
