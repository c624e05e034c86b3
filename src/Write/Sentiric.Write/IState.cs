using Sentiric.Contracts.Events;
using Sentiric.EventStore;

namespace Sentiric.Write;

/// <summary>What the next decision about one stream needs to know; folded from its facts, pure.</summary>
public interface IState<TSelf>
    where TSelf : IState<TSelf>
{
    static abstract TSelf Initial { get; }

    /// <summary>The state after one more fact; a fact that says nothing to this state leaves it as it is.</summary>
    TSelf Evolve(IFact fact);
}

internal static class StateReading
{
    /// <summary>The state of a stream as it stands now.</summary>
    public static ValueTask<TState> StateAsync<TState>(this IEventStore store, string tenant, string stream, CancellationToken ct)
        where TState : IState<TState> =>
        store.AggregateStreamAsync(tenant, stream, TState.Initial, (state, fact) => fact is IFact known ? state.Evolve(known) : state, null, ct);
}
