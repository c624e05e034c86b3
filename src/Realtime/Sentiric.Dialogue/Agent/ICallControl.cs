using Sentiric.Contracts.Services;

namespace Sentiric.Dialogue;

/// <summary>How the agent ends a call: in process a call of the SIP role, between processes the command <see cref="BusCommands.TerminateCall"/>.</summary>
public interface ICallControl
{
    /// <summary>Completes when the command was taken. Ending a call twice is quiet. Throws when it cannot be handed over.</summary>
    Task TerminateAsync(string tenant, TerminateCall command, CancellationToken ct);
}
