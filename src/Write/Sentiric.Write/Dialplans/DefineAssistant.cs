using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

using Sentiric.Write.Connectors;

namespace Sentiric.Write.Dialplans;

/// <summary>PUT /assistants/{id}. Calls that are up keep the definition with which they started.</summary>
public sealed record DefineAssistant(string AssistantId, AssistantDefinition Definition) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/assistants/{id}", (string id, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync<AssistantDefinition>(runner, body => new DefineAssistant(id, body), ct))
            .Describe<AssistantDefinition>("DefineAssistant", "dialplans");

    public Decision Decide(Assistant assistant, IReadOnlyDictionary<string, ConnectorKind> connectors, DateTimeOffset now)
    {
        if (!Valid.Id(AssistantId))
        {
            return new Refusal("assistant.invalid", "An assistant's id has lower-case letters, digits, single dashes and underscores.");
        }

        if (AssistantRules.Check(Definition, connectors) is { } refusal)
        {
            return refusal;
        }

        var defined = new AssistantDefined(now, AssistantId, Definition);
        return assistant.Definition is { } earlier && Valid.Same(new AssistantDefined(now, AssistantId, earlier), defined)
            ? Decision.Quiet
            : Decision.Of(defined);
    }

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var assistant = await work.FetchAsync<Assistant>(Streams.Assistant(AssistantId), token).ConfigureAwait(false);
            var connectors = new Dictionary<string, ConnectorKind>(StringComparer.Ordinal);
            foreach (var name in Definition.Tasks.Take(AssistantRules.MaxTasks).Select(t => t.Connector).Where(Valid.Id).Distinct(StringComparer.Ordinal))
            {
                if ((await work.FetchAsync<Connector>(Streams.Connector(name), token).ConfigureAwait(false)).Registered is { } registered)
                {
                    connectors[name] = registered.Kind;
                }
            }

            return work.Append(Streams.Assistant(AssistantId), Decide(assistant, connectors, work.Now));
        }, ct);
}
