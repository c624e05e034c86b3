using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.EventStore;

namespace Sentiric.Write;

/// <summary>
/// One command at work: the streams that it looked at, with their versions, and the facts that it wants to add to them.
/// All of them are appended together or none; a stream that has moved on since it was fetched makes the command start over.
/// </summary>
public sealed class UnitOfWork(IEventStore store, string tenant, DateTimeOffset now)
{
    private readonly Dictionary<(string Tenant, string Stream), long> _versions = [];
    private readonly List<(string Tenant, string Stream, IReadOnlyList<IFact> Facts)> _pending = [];

    public string Tenant { get; } = tenant;

    /// <summary>The one moment at which this try of the command happens.</summary>
    public DateTimeOffset Now { get; } = now;

    public bool HasFacts => _pending.Count > 0;

    /// <summary>The state of a stream, of this tenant unless another is named.</summary>
    public async ValueTask<TState> FetchAsync<TState>(string stream, CancellationToken ct, string? otherTenant = null)
        where TState : IState<TState>
    {
        var address = (Tenant: otherTenant ?? Tenant, Stream: stream);
        var handle = await store.FetchForWritingAsync(
            address.Tenant, stream, TState.Initial, (state, fact) => fact is IFact known ? state.Evolve(known) : state, ct).ConfigureAwait(false);
        _versions[address] = handle.Version;
        return handle.State;
    }

    /// <summary>Takes what the rule said; hands back its refusal, if it was one. The stream was fetched before.</summary>
    public Refusal? Append(string stream, Decision decision, string? otherTenant = null)
    {
        if (decision.Facts.Count > 0)
        {
            _pending.Add((otherTenant ?? Tenant, stream, decision.Facts));
        }

        return decision.Refusal;
    }

    internal IReadOnlyList<StreamAppend> Appends(string actor) =>
        [.. _pending.Select(p => new StreamAppend(
            p.Tenant, p.Stream, ExpectedVersion.Exact(_versions[(p.Tenant, p.Stream)]), [.. p.Facts.Select(f => Data(f, actor))]))];

    private static EventData Data(IFact fact, string actor) => EventData.Of(fact, new EventMetadata(Actor: actor, OccurredAt: fact.At));
}
