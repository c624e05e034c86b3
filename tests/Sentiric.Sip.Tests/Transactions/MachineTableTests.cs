using System.Text;
using Sentiric.Testing;

namespace Sentiric.Sip.Tests.Transactions;

public sealed class MachineTableTests
{
    [Fact]
    public void The_four_transaction_machines_are_the_approved_table()
    {
        var table = new StringBuilder();
        foreach (bool reliable in new[] { false, true })
        {
            string over = reliable ? "reliable" : "unreliable";
            Table<InviteClientState, InviteClientInput>(table, $"INVITE client over {over} (RFC 3261 17.1.1, RFC 6026 7.2)", (s, i) => InviteClientMachine.Step(s, i, reliable), InviteClientMachine.Begin(reliable));
            Table<NonInviteClientState, NonInviteClientInput>(table, $"non-INVITE client over {over} (RFC 3261 17.1.2)", (s, i) => NonInviteClientMachine.Step(s, i, reliable), NonInviteClientMachine.Begin(reliable));
            Table<InviteServerState, InviteServerInput>(table, $"INVITE server over {over} (RFC 3261 17.2.1, RFC 6026 7.1)", (s, i) => InviteServerMachine.Step(s, i, reliable), null);
            Table<NonInviteServerState, NonInviteServerInput>(table, $"non-INVITE server over {over} (RFC 3261 17.2.2)", (s, i) => NonInviteServerMachine.Step(s, i, reliable), null);
        }

        Golden.Check(table.ToString(), "tests", "Sentiric.Sip.Tests", "Transactions", "machines.approved.txt");
    }

    private static void Table<TState, TInput>(StringBuilder table, string title, Func<TState, TInput, TransactionStep<TState>> step, TransactionStep<TState>? begin)
        where TState : struct, Enum
        where TInput : struct, Enum
    {
        table.AppendLine(title);
        if (begin is { } first)
        {
            table.AppendLine($"  {"(begin)",-11} {"",-15} -> {first.Next,-11} {first.Effects}");
        }

        foreach (TState state in Enum.GetValues<TState>())
        {
            foreach (TInput input in Enum.GetValues<TInput>())
            {
                TransactionStep<TState> next = step(state, input);
                // What changes nothing is left out; every other line is a rule.
                if (!next.Next.Equals(state) || next.Effects != TransactionEffects.None)
                {
                    table.AppendLine($"  {state,-11} {input,-15} -> {next.Next,-11} {next.Effects}");
                }
            }
        }

        table.AppendLine();
    }
}
