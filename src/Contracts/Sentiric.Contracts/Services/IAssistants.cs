using Sentiric.Contracts.Events;

namespace Sentiric.Contracts.Services;

/// <summary>Assistants of a tenant, as the agent role asks for them when a chat starts.</summary>
public interface IAssistants
{
    /// <summary>Refusal <c>assistant.unknown</c>.</summary>
    ValueTask<Result<AssistantDefinition>> FindAsync(string tenant, string assistantId, CancellationToken ct);
}
