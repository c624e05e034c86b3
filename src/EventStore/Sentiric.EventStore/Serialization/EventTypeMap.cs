using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Sentiric.EventStore;

/// <summary>One kind of fact: its type, the name that is stored for ever, and how its JSON is read and written.</summary>
public sealed record EventTypeEntry(Type Clr, string StoredName, JsonTypeInfo Json)
{
    public static EventTypeEntry Of<T>(string storedName, JsonTypeInfo<T> json) => new(typeof(T), storedName, json);
}

/// <summary>
/// The application's explicit list of facts. A list that names a type or a name twice, or an upcaster that leads nowhere, stops the start.
/// </summary>
public sealed class EventTypeMap : IEventSerializer
{
    private readonly FrozenDictionary<Type, EventTypeEntry> _byType;
    private readonly FrozenDictionary<string, EventTypeEntry> _byName;
    private readonly FrozenDictionary<string, IEventUpcaster> _upcasters;

    public EventTypeMap(IEnumerable<EventTypeEntry> entries, IEnumerable<IEventUpcaster>? upcasters = null)
    {
        var list = entries.ToList();
        _byType = list.ToFrozenDictionary(e => e.Clr);
        _byName = list.ToFrozenDictionary(e => e.StoredName, StringComparer.Ordinal);
        _upcasters = (upcasters ?? []).ToFrozenDictionary(u => StoredName.Of(u.EventType, u.FromVersion), StringComparer.Ordinal);
        foreach (var name in _upcasters.Keys) EnsureItLeadsSomewhere(name);
    }

    public IReadOnlyCollection<EventTypeEntry> Entries => _byName.Values;

    public string NameOf(Type type) =>
        _byType.TryGetValue(type, out var entry) ? entry.StoredName : throw new UnknownEventTypeException(type.Name);

    public ReadOnlyMemory<byte> Serialize(object data)
    {
        if (!_byType.TryGetValue(data.GetType(), out var entry)) throw new UnknownEventTypeException(data.GetType().Name);
        return JsonSerializer.SerializeToUtf8Bytes(data, entry.Json);
    }

    public object Deserialize(string storedName, ReadOnlyMemory<byte> json)
    {
        try
        {
            return _byName.TryGetValue(storedName, out var entry)
                ? Read(entry, JsonSerializer.Deserialize(json.Span, entry.Json))
                : Lift(storedName, json);
        }
        catch (Exception broken) when (broken is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new EventUnreadableException(storedName, broken);
        }
    }

    private object Lift(string storedName, ReadOnlyMemory<byte> json)
    {
        if (!_upcasters.ContainsKey(storedName)) throw new UnknownEventTypeException(storedName);
        var node = JsonNode.Parse(json.Span) ?? throw new JsonException("The payload is null.");
        var name = storedName;
        // The constructor saw every chain end at a registered name.
        while (_upcasters.TryGetValue(name, out var step))
        {
            node = step.Upcast(node);
            name = step.To;
            if (_byName.TryGetValue(name, out var entry)) return Read(entry, node.Deserialize(entry.Json));
        }
        throw new UnknownEventTypeException(storedName);
    }

    private void EnsureItLeadsSomewhere(string start)
    {
        var name = start;
        var passed = new HashSet<string>(StringComparer.Ordinal);
        while (_upcasters.TryGetValue(name, out var step))
        {
            if (!passed.Add(name)) throw new ArgumentException($"The upcasters of '{start}' come back to '{name}' and never end.");
            name = step.To;
        }
        if (!_byName.ContainsKey(name))
            throw new ArgumentException($"The upcasters of '{start}' end at '{name}', which is not a registered event.");
        if (_byName.ContainsKey(start))
            throw new ArgumentException($"'{start}' is registered and upcast at once; register only the newest version.");
    }

    private static object Read(EventTypeEntry entry, object? value) =>
        value ?? throw new JsonException($"The payload of '{entry.StoredName}' is null.");
}
