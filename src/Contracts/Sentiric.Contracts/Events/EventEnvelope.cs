using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Sentiric.Contracts.Events;

/// <summary>
/// What travels on the bus and out of the API: one event with everything that a consumer in any language needs.
/// Delivery is at least once; <paramref name="Id"/> is the message id and the idempotency key.
/// </summary>
/// <param name="Type">Routing key: "call.started".</param>
/// <param name="Sequence">Position in the global log; 0 for commands, which are not stored.</param>
public sealed record EventEnvelope(
    Guid Id,
    string Type,
    int Version,
    string Stream,
    long Sequence,
    DateTimeOffset OccurredAt,
    string Tenant,
    Guid? CallId,
    string? CorrelationId,
    string? CausationId,
    string? Actor,
    JsonElement Data)
{
    /// <summary>The data as the CLR event, or null for a type that this build does not know.</summary>
    public object? Decode() =>
        EventCatalog.ForRoutingKey(Type) is { } kind ? Data.Deserialize(EventCatalog.WireJson(kind.Type)) : null;

    public static EventEnvelope Of(object @event, Guid id, string stream, long sequence, DateTimeOffset occurredAt, string tenant,
        string? correlationId = null, string? causationId = null, string? actor = null)
    {
        var kind = EventCatalog.Of(@event.GetType());
        var data = JsonSerializer.SerializeToElement(@event, EventCatalog.WireJson(kind.Type));
        return new(id, kind.RoutingKey, kind.Version, stream, sequence, occurredAt, tenant, Streams.CallIdOf(stream), correlationId, causationId, actor, data);
    }
}

[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EventEnvelope))]
[JsonSerializable(typeof(IReadOnlyList<EventEnvelope>))]
[JsonSerializable(typeof(JsonNode))]
public sealed partial class EnvelopeJson : JsonSerializerContext;
