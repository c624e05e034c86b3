using Sentiric.Contracts;
using Sentiric.Contracts.Events;

namespace Sentiric.Write;

/// <summary>What a rule said: facts to append, nothing (it is so already), or no.</summary>
public readonly record struct Decision
{
    private readonly IReadOnlyList<IFact>? _facts;

    private Decision(IReadOnlyList<IFact>? facts, Refusal? refusal)
    {
        _facts = facts;
        Refusal = refusal;
    }

    /// <summary>It is so already: a repeated command returns no events.</summary>
    public static Decision Quiet { get; } = new([], null);

    public IReadOnlyList<IFact> Facts => _facts ?? [];

    public Refusal? Refusal { get; }

    public static Decision Of(params IFact[] facts) => new(facts, null);

    public static Decision Of(IEnumerable<IFact> facts) => new([.. facts], null);

    public static implicit operator Decision(Refusal refusal) => new(null, refusal);
}
