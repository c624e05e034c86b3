namespace Sentiric.Contracts.Services;

/// <summary>How long was talked in outgoing calls, over all tenants: what a sip role that starts has to count as used of the day.</summary>
public interface ITalkTime
{
    /// <summary>Calls that were answered from <paramref name="since"/> on and before <paramref name="before"/>, by the trunk that they went over.</summary>
    ValueTask<IReadOnlyList<TrunkTalkTime>> BetweenAsync(DateTimeOffset since, DateTimeOffset before, CancellationToken ct);
}

/// <param name="Trunk">Its name when the call was placed; there may be no such trunk any more.</param>
public sealed record TrunkTalkTime(string? Trunk, long TalkMs);
