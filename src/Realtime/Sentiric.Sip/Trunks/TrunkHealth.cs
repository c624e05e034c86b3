namespace Sentiric.Sip;

public enum TrunkState
{
    /// <summary>Nothing was heard yet; it gets calls.</summary>
    Unknown,
    Up,
    Down,
}

/// <summary>Whether a trunk lives, as a pure step: it takes several failures in a row to fall and several successes to rise, so that one lost packet moves no call.</summary>
public readonly record struct TrunkHealth(TrunkState State, int Streak)
{
    /// <summary>Failures in a row until it is down.</summary>
    public const int FailuresToFall = 3;

    /// <summary>Successes in a row until it is up again.</summary>
    public const int SuccessesToRise = 2;

    /// <param name="answered">It answered, whatever it said but 503; or it did not.</param>
    public TrunkHealth Probed(bool answered) => (State, answered) switch
    {
        (TrunkState.Down, true) => Streak + 1 >= SuccessesToRise ? new(TrunkState.Up, 0) : this with { Streak = Streak + 1 },
        (TrunkState.Down, false) => this with { Streak = 0 },
        (TrunkState.Unknown or TrunkState.Up, true) => new(TrunkState.Up, 0),
        (TrunkState.Unknown or TrunkState.Up, false) => Streak + 1 >= FailuresToFall ? new(TrunkState.Down, 0) : this with { Streak = Streak + 1 },
        _ => this,
    };

    /// <summary>A response says that somebody is there (404 and 405 do), unless it says that nothing works or came from nobody.</summary>
    public static bool IsAnswer(int statusCode, bool hasResponse) => hasResponse && statusCode is not (408 or 500 or 502 or 503 or 504);
}

/// <summary>The order in which trunks are tried for a call.</summary>
public static class TrunkOrder
{
    /// <summary>Living ones by priority, weight and dice; then those that are down, for the check may be wrong.</summary>
    public static IReadOnlyList<SipTrunk> Of(IEnumerable<SipTrunk> trunks, Func<SipTrunk, TrunkState> stateOf, Random dice)
    {
        List<SipTrunk> calling = trunks.Where(trunk => trunk.Target is not null).ToList();
        return
        [
            .. WeightedOrder.Of(calling.Where(trunk => stateOf(trunk) != TrunkState.Down).ToList(), trunk => trunk.Priority, trunk => trunk.Weight, dice),
            .. WeightedOrder.Of(calling.Where(trunk => stateOf(trunk) == TrunkState.Down).ToList(), trunk => trunk.Priority, trunk => trunk.Weight, dice),
        ];
    }
}
