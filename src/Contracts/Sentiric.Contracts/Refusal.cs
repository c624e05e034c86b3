namespace Sentiric.Contracts;

/// <summary>A "no" that the business expects: a stable machine code (<c>user.disabled</c>) and a sentence for people.</summary>
/// <param name="Code">Stable, lower case, dotted: <c>subject.problem</c>. Clients switch on it.</param>
/// <param name="Why">English sentence: what was wrong and what to do.</param>
public sealed record Refusal(string Code, string Why);

/// <summary>Either a value or a <see cref="Refusal"/>. Throwing is for bugs and for a broken world.</summary>
public readonly record struct Result<T>
{
    private readonly T? _value;

    private Result(T? value, Refusal? refusal)
    {
        _value = value;
        Refusal = refusal;
    }

    public Refusal? Refusal { get; }

    public bool Ok => Refusal is null;

    /// <summary>The value; asking for it on a refusal is a bug and throws.</summary>
    public T Value => Refusal is null ? _value! : throw new InvalidOperationException($"{Refusal.Code}: {Refusal.Why}");

    public static implicit operator Result<T>(T value) => new(value, null);

    public static implicit operator Result<T>(Refusal refusal) => new(default, refusal);

    public TOut Match<TOut>(Func<T, TOut> ok, Func<Refusal, TOut> refused) => Refusal is null ? ok(_value!) : refused(Refusal);
}
