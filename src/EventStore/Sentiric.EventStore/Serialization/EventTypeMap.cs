using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Sentiric.EventStore;

/// <summary>One kind of fact: its type, the name that is stored for ever, and how its JSON is read and written.</summary>
public sealed record EventTypeEntry(Type Clr, string StoredName, JsonTypeInfo Json)
{
    public static EventTypeEntry Of<T>(string storedName, JsonTypeInfo<T> json) => new(typeof(T), storedName, json);
}

/// <summary>
/// The application's explicit list of facts, and of what lifts their older versions. A list that names a type or a name twice, or an upcaster that leads
/// nowhere, stops the start with an <see cref="EventTypeListException"/>.
/// </summary>
public sealed class EventTypeMap : IEventSerializer
{
    private readonly FrozenDictionary<Type, EventTypeEntry> _byType;
    private readonly FrozenDictionary<string, EventTypeEntry> _byName;

    // By old name. Events of registered names never look here.
    private readonly FrozenDictionary<string, UpcasterChain> _old;

    // The records of older versions, to tell a writer what to append instead.
    private readonly FrozenDictionary<Type, string> _oldTypes;

    public EventTypeMap(IEnumerable<EventTypeEntry> entries, IEnumerable<IEventUpcaster>? upcasters = null)
    {
        var (list, steps) = (entries.ToList(), upcasters?.ToList() ?? []);
        EnsureOnce(list.Select(e => e.Clr.Name), list.Select(e => e.Clr).Distinct().Count());
        EnsureOnce(list.Select(e => e.StoredName), list.Select(e => e.StoredName).Distinct(StringComparer.Ordinal).Count());
        _byType = list.ToFrozenDictionary(e => e.Clr);
        _byName = list.ToFrozenDictionary(e => e.StoredName, StringComparer.Ordinal);
        _old = UpcasterChain.All(_byName, steps);
        _oldTypes = steps.OfType<ITypedUpcaster>().Where(s => !_byType.ContainsKey(s.Old)).DistinctBy(s => s.Old)
            .ToFrozenDictionary(s => s.Old, s => _old[StoredName.Of(s.EventType, s.FromVersion)].End);
    }

    public IReadOnlyCollection<EventTypeEntry> Entries => _byName.Values;

    public string NameOf(Type type) => EntryOf(type).StoredName;

    public IReadOnlyCollection<string> OldNamesOf(string storedName) => [.. _old.Where(o => o.Value.End == storedName).Select(o => o.Key).Order(StringComparer.Ordinal)];

    public ReadOnlyMemory<byte> Serialize(object data) => JsonSerializer.SerializeToUtf8Bytes(data, EntryOf(data.GetType()).Json);

    public object Deserialize(string storedName, ReadOnlyMemory<byte> json)
    {
        if (!_byName.TryGetValue(storedName, out var entry))
            return _old.TryGetValue(storedName, out var chain) ? chain.Read(json.Span) : throw new UnknownEventTypeException(storedName);
        try
        {
            return JsonSerializer.Deserialize(json.Span, entry.Json) ?? throw new JsonException($"The payload of '{entry.StoredName}' is null.");
        }
        catch (Exception broken) when (broken is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new EventUnreadableException(storedName, broken);
        }
    }

    private EventTypeEntry EntryOf(Type type)
    {
        if (_byType.TryGetValue(type, out var entry)) return entry;
        throw _oldTypes.TryGetValue(type, out var end)
            ? new UnknownEventTypeException(type.Name, $"It is the record of an older version, which is only read. Append a {_byName[end].Clr.Name} ('{end}').")
            : new UnknownEventTypeException(type.Name);
    }

    private static void EnsureOnce(IEnumerable<string> names, int distinct)
    {
        var all = names.ToList();
        if (all.Count == distinct) return;
        var twice = all.GroupBy(n => n, StringComparer.Ordinal).First(g => g.Count() > 1).Key;
        throw new EventTypeListException($"'{twice}' is listed twice among the events. A type has one stored name, and a stored name one type; older versions are lifted by upcasters.");
    }
}
