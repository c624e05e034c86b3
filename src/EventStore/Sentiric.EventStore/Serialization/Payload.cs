using System.Text.Json;
using System.Text.Unicode;

namespace Sentiric.EventStore;

/// <summary>A fact made ready for storage: named, serialised and checked against the bounds, so that no store meets a surprise.</summary>
internal readonly record struct Payload(EventData Event, string Name, ReadOnlyMemory<byte> Json)
{
    // The column "type" of mt_events.
    private const int MaxNameLength = 500;

    /// <summary>As they were when it was made ready: who keeps the dictionary may change it while the append waits with those of others.</summary>
    public byte[]? Headers { get; private init; }

    public static Payload[] Prepare(IEventSerializer serializer, IReadOnlyList<EventData> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (events.Count > EventStoreLimits.MaxEventsPerAppend)
            throw new AppendTooLargeException($"{events.Count} events in one append; at most {EventStoreLimits.MaxEventsPerAppend} are stored together.");
        var payloads = new Payload[events.Count];
        var bytes = 0L;
        for (var i = 0; i < payloads.Length; i++)
        {
            payloads[i] = Prepare(serializer, events[i]);
            bytes += payloads[i].Json.Length;
            EnsureNotTooMany(bytes);
        }
        return payloads;
    }

    public static void EnsureNotTooMany(long bytes)
    {
        if (bytes > EventStoreLimits.MaxBytesPerAppend)
            throw new AppendTooLargeException($"its events have more than {EventStoreLimits.MaxBytesPerAppend} bytes together.");
    }

    private static Payload Prepare(IEventSerializer serializer, EventData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        var name = serializer.NameOf(data.Data.GetType());
        var json = serializer.Serialize(data.Data);
        EnsureStorable(name, json, data.Metadata);
        return new Payload(data, name, json) { Headers = HeaderJson.Of(data.Metadata) };
    }

    /// <summary>Throws <see cref="EventTooLargeException"/> or <see cref="EventDataRejectedException"/> for what the storage would refuse.</summary>
    public static void EnsureStorable(string name, ReadOnlyMemory<byte> json, EventMetadata metadata)
    {
        if (name.Length is 0 or > MaxNameLength) throw new EventDataRejectedException(name, $"its name has {name.Length} characters; 1 to {MaxNameLength} are stored.");
        EnsureText(name, "its name", name);
        if (json.Length > EventStoreLimits.MaxEventBytes) throw new EventTooLargeException(name, json.Length);
        EnsureJson(name, json.Span);
        EnsureText(name, "the correlation id", metadata.CorrelationId);
        EnsureText(name, "the causation id", metadata.CausationId);
        EnsureText(name, "the actor", metadata.Actor);
        if (metadata.Headers is not { Count: > 0 } headers) return;
        foreach (var (key, value) in headers)
        {
            EnsureText(name, "the name of a header", key);
            EnsureText(name, "a header", value);
        }
    }

    public static void EnsureText(string name, string what, string? text)
    {
        if (text is not null && !StorableText.IsStorable(text)) throw new EventDataRejectedException(name, $"{what}: {StorableText.Why}");
    }

    private static void EnsureJson(string name, ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json)) throw new EventDataRejectedException(name, "the payload is not UTF-8.");
        // Only an escape can smuggle in what jsonb refuses: U+0000 and half a surrogate pair (GetString throws on the latter).
        var isSuspect = json.IndexOf("\\u0000"u8) >= 0 || json.IndexOf("\\ud"u8) >= 0 || json.IndexOf("\\uD"u8) >= 0;
        try
        {
            var reader = new Utf8JsonReader(json);
            while (reader.Read())
            {
                var isText = reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName;
                if (isSuspect && isText && reader.ValueIsEscaped && (reader.GetString() ?? "").Contains('\0', StringComparison.Ordinal))
                    throw new EventDataRejectedException(name, "a text holds the character U+0000.");
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw new EventDataRejectedException(name, "the payload is not valid JSON. " + broken.Message, broken);
        }
    }
}
