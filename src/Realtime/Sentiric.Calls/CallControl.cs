using System.Text.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Calls;

/// <summary>What the sip role hears on the bus: commands to end a call, media that fell silent, agents that took over.</summary>
public static class CallControl
{
    public static BusSubscription Subscription(LiveCalls calls) => new(
        "sentiric.sip", [BusCommands.TerminateCall, "media.timeout", "agent.took_over"], (envelope, _) =>
        {
            Handle(calls, envelope);
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
            case "media.timeout":
                call.End(CallEndReason.MediaTimeout, HungUpBy.System);
                break;
            case "agent.took_over":
                call.AgentIsThere();
                break;
        }
    }
}
