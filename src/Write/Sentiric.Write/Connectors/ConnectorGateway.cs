using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;

namespace Sentiric.Write.Connectors;

/// <summary>Finds the tenant's connector and lets its kind do the work.</summary>
public sealed class ConnectorGateway(IEventStore store, CalendarConnector calendar, HttpConnector http) : IConnectors
{
    private const int MaxParameters = 50;
    private const int MaxKey = 200;

    public async ValueTask<Result<ConnectorOutcome>> ExecuteAsync(ExecuteConnector request, CancellationToken ct)
    {
        if (Unfit(request) is { } refusal)
        {
            return refusal;
        }

        var connector = await store.StateAsync<Connector>(request.Tenant, Streams.Connector(request.Connector), ct).ConfigureAwait(false);
        if (connector.Registered is not { } registered)
        {
            return Connector.Unknown(request.Connector);
        }

        return registered.Kind switch
        {
            ConnectorKind.Calendar => await WithAsync(CalendarSettings.Parse(registered.Settings), s => calendar.ExecuteAsync(s, request, ct))
                .ConfigureAwait(false),
            ConnectorKind.Http => await WithAsync(HttpSettings.Parse(registered.Settings), s => http.ExecuteAsync(s, request, ct))
                .ConfigureAwait(false),
        };
    }

    private static Refusal? Unfit(ExecuteConnector request)
    {
        if (!Valid.Id(request.Connector))
        {
            return Connector.Unknown(request.Connector);
        }

        // The key becomes a header and part of an event: visible ASCII only.
        var keyFits = request.IdempotencyKey is { Length: > 0 and <= MaxKey } key && key.All(c => c is > ' ' and <= '~');
        return keyFits && request.Parameters.Count <= MaxParameters && request.Parameters.Values.All(v => v.Length == 0 || Valid.Text(v))
            ? null
            : new("connector.bad_parameter",
                $"A request has a key of at most {MaxKey} visible ASCII characters and at most {MaxParameters} parameters without control characters.");
    }

    private static ValueTask<Result<ConnectorOutcome>> WithAsync<TSettings>(
        Result<TSettings> settings, Func<TSettings, ValueTask<Result<ConnectorOutcome>>> run) =>
        settings.Refusal is { } wrong ? ValueTask.FromResult<Result<ConnectorOutcome>>(wrong) : run(settings.Value);
}
