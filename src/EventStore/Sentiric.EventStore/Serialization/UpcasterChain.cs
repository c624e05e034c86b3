using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sentiric.EventStore;

/// <summary>
/// The way of one old stored name to the registered event that it is read as, laid out once at the start.
/// <code>
///   stored bytes ─► step over JSON ─► node ─► step over types ─► record ─► step over types ─► record ─► step over JSON ─► node ─► registered type
/// </code>
/// </summary>
internal sealed class UpcasterChain(string start, IReadOnlyList<IEventUpcaster> steps, EventTypeEntry end)
{
    /// <summary>The stored name of the event that comes out.</summary>
    public string End => end.StoredName;

    /// <summary>Throws <see cref="EventUnreadableException"/>, whatever a step threw.</summary>
    public object Read(ReadOnlySpan<byte> json)
    {
        var at = 0;
        try
        {
            object? held = null;
            ITypedUpcaster? by = null;
            for (; at < steps.Count; at++)
            {
                held = steps[at] is ITypedUpcaster typed ? Record(typed, by, held, json) : steps[at].Upcast(Node(by, held, json)) ?? throw new JsonException("The upcaster gave no JSON.");
                by = steps[at] as ITypedUpcaster;
            }
            if (by is not null && held is not null) return held;
            return Node(by, held, json).Deserialize(end.Json) ?? throw new JsonException($"The payload of '{end.StoredName}' is null.");
        }
        catch (Exception failed) when (failed is not OutOfMemoryException)
        {
            throw new EventUnreadableException(start, at < steps.Count ? $"{Nameof(steps[at])} failed. {failed.Message}" : failed.Message, failed);
        }
    }

    private static object Record(ITypedUpcaster step, ITypedUpcaster? by, object? held, ReadOnlySpan<byte> json) => held switch
    {
        null => step.FromJson(json),
        _ when by is not null => step.FromRecord(held),
        _ => step.FromNode((JsonNode)held),
    };

    private static JsonNode Node(ITypedUpcaster? by, object? held, ReadOnlySpan<byte> json) => held switch
    {
        null => JsonNode.Parse(json) ?? throw new JsonException("The payload is null."),
        _ when by is not null => by.ToNode(held),
        _ => (JsonNode)held,
    };

    /// <summary>All ways, checked. Throws <see cref="EventTypeListException"/> for what cannot be walked to its end.</summary>
    public static FrozenDictionary<string, UpcasterChain> All(IReadOnlyDictionary<string, EventTypeEntry> registered, IEnumerable<IEventUpcaster> upcasters)
    {
        var steps = new Dictionary<string, IEventUpcaster>(StringComparer.Ordinal);
        foreach (var step in upcasters)
        {
            var from = From(step);
            if (!steps.TryAdd(from, step))
                throw new EventTypeListException($"Two upcasters lift '{from}': {step.GetType().Name} and {steps[from].GetType().Name}. Keep one; a second step begins at the name that the first one leads to.");
            if (registered.ContainsKey(from))
                throw new EventTypeListException($"'{from}' is registered and upcast at once. Register only the newest version: '{from}' is then read and no longer written.");
        }
        return steps.Keys.ToFrozenDictionary(start => start, start => Of(start, registered, steps), StringComparer.Ordinal);
    }

    private static UpcasterChain Of(string start, IReadOnlyDictionary<string, EventTypeEntry> registered, Dictionary<string, IEventUpcaster> steps)
    {
        var (name, way) = (start, new List<IEventUpcaster>());
        var passed = new HashSet<string>(StringComparer.Ordinal);
        while (steps.TryGetValue(name, out var step))
        {
            if (!passed.Add(name)) throw new EventTypeListException($"The upcasters of '{start}' come back to '{name}' and never end. Let one of them lead to a registered event.");
            EnsureItFits(way.Count > 0 ? way[^1] : null, step);
            way.Add(step);
            name = step.To;
        }
        if (!registered.TryGetValue(name, out var end))
            throw new EventTypeListException($"The upcasters of '{start}' end at '{name}', which is not a registered event. Register '{name}', or add the upcaster that leads on from it.");
        if (way[^1] is ITypedUpcaster last && !end.Clr.IsAssignableFrom(last.New))
            throw new EventTypeListException($"{Nameof(last)} gives a {last.New.Name}, but '{name}' is registered as {end.Clr.Name}. Let it give a {end.Clr.Name}, or lead to the version that a {last.New.Name} is.");
        return new UpcasterChain(start, way, end);
    }

    private static void EnsureItFits(IEventUpcaster? before, IEventUpcaster step)
    {
        if (before is ITypedUpcaster gives && step is ITypedUpcaster takes && !takes.Old.IsAssignableFrom(gives.New))
            throw new EventTypeListException($"{Nameof(gives)} gives a {gives.New.Name}, but {Nameof(takes)} takes a {takes.Old.Name}. One version of an event is one record: use the same in both.");
    }

    private static string From(IEventUpcaster step)
    {
        if (string.IsNullOrEmpty(step.EventType) || step.FromVersion < 1)
            throw new EventTypeListException($"The upcaster {step.GetType().Name} begins at version {step.FromVersion} of '{step.EventType}'. Give it the stored name without its suffix, and a version of 1 or more.");
        return StoredName.Of(step.EventType, step.FromVersion);
    }

    private static string Nameof(IEventUpcaster step) => $"The upcaster of '{StoredName.Of(step.EventType, step.FromVersion)}' to '{step.To}'";
}
