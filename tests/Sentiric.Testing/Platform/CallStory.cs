using System.Text.Json;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;

namespace Sentiric.Testing.Platform;

/// <summary>The events of one call as the API gives them, read back into facts.</summary>
public sealed record CallStory(IReadOnlyList<HistoryEntry> Entries)
{
    public IEnumerable<T> All<T>()
        where T : IFact => Entries.Where(e => e.Type == EventCatalog.Of(typeof(T)).RoutingKey).Select(Read<T>);

    public T One<T>()
        where T : IFact => All<T>().Count() == 1
            ? All<T>().First()
            : throw new InvalidDataException($"The call has {All<T>().Count()} of {typeof(T).Name}, one was expected. It has: {string.Join(", ", Types)}");

    public IEnumerable<string> Types => Entries.Select(e => e.Type);

    private static T Read<T>(HistoryEntry entry) =>
        entry.Data.Deserialize(EventCatalog.WireJson(typeof(T))) is T fact ? fact : throw new InvalidDataException($"{entry.Type} cannot be read as {typeof(T).Name}.");
}
