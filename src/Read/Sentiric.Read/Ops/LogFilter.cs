using Sentiric.Contracts.Events;
using Sentiric.EventStore;

namespace Sentiric.Read.Ops;

/// <summary>
/// What of the log somebody wants to see. Every criterion that is given must hold; of several types one. A type is a routing key or a stored name,
/// a stream its id; '*' in either stands for any run of characters.
/// </summary>
/// <param name="Tenant">Null: of every tenant.</param>
public sealed record LogFilter(string? Tenant, IReadOnlyList<string> Types, string? Stream, Guid? CallId, string? CorrelationId)
{
    public const string AllTenants = "*";

    public bool Wants(RecordedEvent recorded) =>
        (Tenant is null || recorded.Tenant == Tenant)
        && (Stream is null || Matches(Stream, recorded.StreamId))
        && (CallId is null || Streams.CallIdOf(recorded.StreamId) == CallId)
        && (CorrelationId is null || recorded.Metadata.CorrelationId == CorrelationId)
        && (Types.Count == 0 || IsWantedType(recorded.EventType));

    private bool IsWantedType(string storedName)
    {
        var routingKey = EventCatalog.ForStoredName(storedName)?.RoutingKey;
        return Types.Any(wanted => Matches(wanted, storedName) || (routingKey is not null && Matches(wanted, routingKey)));
    }

    /// <summary>Greedy matching with one step back to the last '*': linear for the patterns that people write, never more than length times length.</summary>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        var (p, t, star, mark) = (0, 0, -1, 0);
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*') (star, mark) = (p++, t);
            else if (p < pattern.Length && pattern[p] == text[t]) (p, t) = (p + 1, t + 1);
            else if (star >= 0) (p, t) = (star + 1, ++mark);
            else return false;
        }

        return pattern[p..].IndexOfAnyExcept('*') < 0;
    }
}
