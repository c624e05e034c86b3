using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;

namespace Sentiric.Write.Dialplans;

/// <summary>Assistants of a tenant, for a chat that starts.</summary>
public sealed class AssistantLookup(IEventStore store) : IAssistants
{
    public async ValueTask<Result<AssistantDefinition>> FindAsync(string tenant, string assistantId, CancellationToken ct)
    {
        var assistant = Valid.Id(assistantId)
            ? await store.StateAsync<Assistant>(tenant, Streams.Assistant(assistantId), ct).ConfigureAwait(false)
            : Assistant.Initial;
        return assistant.Definition is { } definition
            ? definition
            : new Refusal("assistant.unknown", $"There is no assistant '{assistantId}' in this tenant.");
    }
}
