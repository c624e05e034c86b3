using System.Text.Json.Serialization.Metadata;

namespace Sentiric.EventStore;

/// <summary>
/// How a kind of stream becomes a state, and how fetching it is made cheaper when it is long. Both helpers are only that: a state that was kept is used with
/// the events behind it, and whatever does not fit is folded from the first event on.
/// Make one and keep it.
/// </summary>
public sealed class Aggregate<TState>(string name, TState initial, Evolve<TState> evolve)
{
    /// <summary>Under this name its snapshots are kept; unique among the aggregates of one kind of stream.</summary>
    public string Name { get; } = name;

    public TState Initial { get; } = initial;

    public Evolve<TState> Evolve { get; } = evolve;

    /// <summary>Snapshots in the store, null: none.</summary>
    public Snapshots<TState>? Snapshots { get; init; }

    /// <summary>States in this process, null: none. A state must then be immutable: several callers get the same.</summary>
    public StateCache<TState>? Cache { get; init; }
}

/// <summary>When and how the state of a stream is stored beside its events.</summary>
/// <param name="Json">Reads and writes the state; what it does not carry is lost, so it must carry everything.</param>
/// <param name="Shape">Raise it whenever the state or the way it is folded changes: snapshots of other shapes are not used any more.</param>
public sealed record Snapshots<TState>(JsonTypeInfo<TState> Json, int Shape)
{
    /// <summary>A fetch that had to fold this many events leaves a snapshot behind.</summary>
    public int EveryEvents { get; init; } = 100;

    /// <summary>So does one that had to fold this many bytes of payload.</summary>
    public long EveryBytes { get; init; } = 64 * 1024;

    internal bool AreDue(Folded<TState> folded) => folded.Events >= EveryEvents || folded.Bytes >= EveryBytes;
}
