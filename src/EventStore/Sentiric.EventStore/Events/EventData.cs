namespace Sentiric.EventStore;

/// <summary>A fact to be stored. <see cref="EventId"/> is the key of an idempotent append.</summary>
public sealed record EventData(Guid EventId, object Data, EventMetadata Metadata)
{
    public static EventData Of(object data, EventMetadata? metadata = null) =>
        new(Guid.CreateVersion7(), data, metadata ?? EventMetadata.None);
}

/// <summary>
/// Who, why and when of a fact. <see cref="OccurredAt"/> is when it happened, where that differs from when it was recorded;
/// it travels as the reserved header <c>occurred_at</c>.
/// </summary>
public sealed record EventMetadata(
    string? CorrelationId = null,
    string? CausationId = null,
    string? Actor = null,
    DateTimeOffset? OccurredAt = null,
    IReadOnlyDictionary<string, string>? Headers = null)
{
    public const string OccurredAtHeader = "occurred_at";

    public static EventMetadata None { get; } = new();
}
