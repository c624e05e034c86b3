using System.Text.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Calls;

/// <summary>What the sip role hears on the bus: calls to place, transfers, commands to end a call, media that fell silent, agents that took over.</summary>
public static class CallControl
{
    /// <param name="place">Begins an outgoing call; must return at once.</param>
    public static BusSubscription Subscription(LiveCalls calls, Action<RequestedCall> place) => new(
        "sentiric.sip", [BusCommands.TerminateCall, "call.requested", "call.transfer.requested", "media.timeout", "agent.took_over"], (envelope, _) =>
        {
            if (envelope.CallId is { } callId && envelope.Decode() is CallRequested requested)
            {
                place(new(callId, envelope.Tenant, requested));
            }
            else
            {
                Handle(calls, envelope);
            }

            return Task.CompletedTask;
        });

    public static void Handle(LiveCalls calls, EventEnvelope envelope)
    {
        if (envelope.CallId is not { } callId || calls.Find(callId) is not { } call)
        {
            return;
        }

        switch (envelope.Type)
        {
            case BusCommands.TerminateCall when envelope.Data.Deserialize<TerminateCall>(Wire.Json) is { } command
                && (envelope.Tenant == call.Log.Tenant):
                call.End(command.Reason, command.By);
                break;
            case "call.transfer.requested" when envelope.Decode() is TransferRequested transfer && envelope.Tenant == call.Log.Tenant:
                call.Transfer(transfer.To);
                break;
            case "media.timeout":
                call.End(CallEndReason.MediaTimeout, HungUpBy.System);
                break;
            case "agent.took_over":
                call.AgentIsThere();
                break;
        }
    }
}
