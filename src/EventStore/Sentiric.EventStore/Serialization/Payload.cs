using System.Text.Json;
using System.Text.Unicode;

namespace Sentiric.EventStore;

/// <summary>A fact made ready for storage: named, serialised and checked against the bounds, so that no store meets a surprise.</summary>
internal readonly record struct Payload(EventData Event, string Name, ReadOnlyMemory<byte> Json)
{
    public static Payload[] Prepare(IEventSerializer serializer, IReadOnlyList<EventData> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (events.Count > EventStoreLimits.MaxEventsPerAppend)
            throw new ArgumentOutOfRangeException(nameof(events), events.Count, "Too many events in one append.");
        var payloads = new Payload[events.Count];
        for (var i = 0; i < payloads.Length; i++) payloads[i] = Prepare(serializer, events[i]);
        return payloads;
    }

    private static Payload Prepare(IEventSerializer serializer, EventData data)
    {
        var name = serializer.NameOf(data.Data.GetType());
        var json = serializer.Serialize(data.Data);
        if (json.Length > EventStoreLimits.MaxEventBytes) throw new EventTooLargeException(name, json.Length);
        EnsureStorable(name, json.Span);
        return new Payload(data, name, json);
    }

    private static void EnsureStorable(string name, ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json)) throw new EventDataRejectedException(name, "the payload is not UTF-8.");
        try
        {
            var reader = new Utf8JsonReader(json);
            while (reader.Read())
            {
                var isText = reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName;
                // Only an escape can smuggle in what jsonb refuses: U+0000 and half a surrogate pair (GetString throws on the latter).
                if (isText && reader.ValueIsEscaped && (reader.GetString() ?? "").Contains('\0', StringComparison.Ordinal))
                    throw new EventDataRejectedException(name, "a text holds the character U+0000.");
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw new EventDataRejectedException(name, "the payload is not valid JSON. " + broken.Message, broken);
        }
    }
}
