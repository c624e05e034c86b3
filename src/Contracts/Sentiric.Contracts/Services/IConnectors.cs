namespace Sentiric.Contracts.Services;

/// <summary>Things outside that the agent can set in motion.</summary>
public interface IConnectors
{
    /// <summary>
    /// Runs an action once per <see cref="ExecuteConnector.IdempotencyKey"/>. Refusals: <c>connector.unknown</c>, <c>connector.action_unknown</c>,
    /// <c>connector.bad_parameter</c>, <c>calendar.slot_taken</c>, <c>calendar.closed</c>, <c>connector.failed</c>, <c>connector.timeout</c>.
    /// </summary>
    ValueTask<Result<ConnectorOutcome>> ExecuteAsync(ExecuteConnector request, CancellationToken ct);
}

/// <param name="Parameters">
/// calendar/book: day (weekday name, "bugün", "yarın" or yyyy-MM-dd), time (HH:mm), name, contact; calendar/cancel: appointment_id;
/// calendar/free: day; http: anything. All of calendar: language ("tr" or "en") in which a refusal is worded for the caller.
/// </param>
public sealed record ExecuteConnector(
    string Tenant, string Connector, string Action, IReadOnlyDictionary<string, string> Parameters, string IdempotencyKey, Guid? CallId);

/// <param name="Values">calendar/book: appointment_id, day, date, time; calendar/free: day, date, count, times.</param>
public sealed record ConnectorOutcome(IReadOnlyDictionary<string, string> Values);
