using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Connectors;

/// <summary>DELETE /connectors/{name}. Assistants that name it hear <c>connector.unknown</c>; appointments stay.</summary>
public sealed record RemoveConnector(string Name) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapDelete("/connectors/{name}", (string name, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync(runner, new RemoveConnector(name), ct))
            .Describe("RemoveConnector", "connectors");

    public Decision Decide(Connector connector, DateTimeOffset now) => connector switch
    {
        { Removed: true } => Decision.Quiet,
        { Registered: null } => Connector.Unknown(Name),
        _ => Decision.Of(new ConnectorRemoved(now, Name)),
    };

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var connector = await work.FetchAsync<Connector>(Streams.Connector(Name), token).ConfigureAwait(false);
            return work.Append(Streams.Connector(Name), Decide(connector, work.Now));
        }, ct);
}
