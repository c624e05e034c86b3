using System.Text.Json;
using Sentiric.Contracts.Events;

namespace Sentiric.Host.Bus;

/// <summary>A command on the exchange <c>sentiric_commands</c>: same members as an event's envelope, but a type, and so an exchange, of its own.</summary>
public sealed record CommandEnvelope(
    Guid Id, string Type, int Version, string Stream, long Sequence, DateTimeOffset OccurredAt, string Tenant, Guid? CallId, string? CorrelationId, string? CausationId,
    string? Actor, JsonElement Data)
{
    public static CommandEnvelope Of(EventEnvelope e) => new(
        e.Id, e.Type, e.Version, e.Stream, e.Sequence, e.OccurredAt, e.Tenant, e.CallId, e.CorrelationId, e.CausationId, e.Actor, e.Data);
}
