using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Connectors;

/// <summary>PUT /connectors/{name}. Settings are checked now, so that no call finds them wrong.</summary>
public sealed record RegisterConnector(string Name, ConnectorKind Kind, IReadOnlyDictionary<string, string> Settings) : ICommand
{
    public const int MaxSettings = 20;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/connectors/{name}", (string name, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync<RegisterConnectorBody>(runner, body => new RegisterConnector(name, body.Kind, body.Settings), ct))
            .Describe<RegisterConnectorBody>("RegisterConnector", "connectors");

    public Decision Decide(Connector connector, DateTimeOffset now)
    {
        if (!Valid.Id(Name) || Settings.Count > MaxSettings || !Settings.All(s => Valid.Id(s.Key) && Valid.Text(s.Value)))
        {
            return new Refusal("connector.invalid",
                $"A connector needs a name of lower-case letters, digits, dashes and underscores, and at most {MaxSettings} settings.");
        }

        if (WrongSetting() is { } refusal)
        {
            return refusal;
        }

        var registered = new ConnectorRegistered(now, Name, Kind, Settings);
        return connector.Registered is { } earlier && Valid.Same(earlier with { At = now }, registered) ? Decision.Quiet : Decision.Of(registered);
    }

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var connector = await work.FetchAsync<Connector>(Streams.Connector(Name), token).ConfigureAwait(false);
            return work.Append(Streams.Connector(Name), Decide(connector, work.Now));
        }, ct);

    private Refusal? WrongSetting() => Kind switch
    {
        ConnectorKind.Calendar => CalendarSettings.Parse(Settings).Refusal,
        ConnectorKind.Http => HttpSettings.Parse(Settings).Refusal,
    };
}

public sealed record RegisterConnectorBody(ConnectorKind Kind, IReadOnlyDictionary<string, string> Settings);
