using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary><see cref="IConnectors"/> and <see cref="IAssistants"/> over HTTP, both ends.</summary>
public sealed class ConnectorsPort(HttpClient client) : IConnectors, IAssistants
{
    private const string Execute = PortHttp.Prefix + "/connectors/execute";
    private const string Assistant = PortHttp.Prefix + "/assistants/find";

    public ValueTask<Result<ConnectorOutcome>> ExecuteAsync(ExecuteConnector request, CancellationToken ct) =>
        client.AskAsync<ExecuteConnector, ConnectorOutcome>(Execute, request, ct);

    public ValueTask<Result<AssistantDefinition>> FindAsync(string tenant, string assistantId, CancellationToken ct) =>
        client.AskAsync<AssistantQuestion, AssistantDefinition>(Assistant, new(tenant, assistantId), ct);

    public static void Map(IEndpointRouteBuilder routes, IConnectors connectors, IAssistants assistants)
    {
        routes.MapQuestion<ExecuteConnector, ConnectorOutcome>(Execute, connectors.ExecuteAsync);
        routes.MapQuestion<AssistantQuestion, AssistantDefinition>(Assistant, (q, ct) => assistants.FindAsync(q.Tenant, q.AssistantId, ct));
    }

    public sealed record AssistantQuestion(string Tenant, string AssistantId);
}
