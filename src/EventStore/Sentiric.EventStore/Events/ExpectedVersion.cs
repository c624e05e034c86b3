using System.Globalization;

namespace Sentiric.EventStore;

/// <summary>What the writer believes about a stream; the append is refused when the belief is wrong.</summary>
public readonly record struct ExpectedVersion
{
    private const long AnyValue = -2;
    private const long ExistsValue = -1;

    private ExpectedVersion(long value) => Value = value;

    /// <summary>0: the stream must not exist; n: it must stand at version n; negative: see the named values.</summary>
    public long Value { get; }

    /// <summary>No belief: the append goes wherever the stream stands.</summary>
    public static ExpectedVersion Any { get; } = new(AnyValue);

    public static ExpectedVersion NoStream { get; } = new(0);

    public static ExpectedVersion StreamExists { get; } = new(ExistsValue);

    /// <summary>The stream stands at exactly <paramref name="version"/>; 0 is the same as <see cref="NoStream"/>.</summary>
    public static ExpectedVersion Exact(long version)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(version);
        return new ExpectedVersion(version);
    }

    public bool Allows(long actualVersion) => Value switch
    {
        AnyValue => true,
        ExistsValue => actualVersion > 0,
        _ => actualVersion == Value,
    };

    public override string ToString() => Value switch
    {
        AnyValue => "any version",
        ExistsValue => "an existing stream",
        0 => "no stream",
        _ => Value.ToString(CultureInfo.InvariantCulture),
    };
}
