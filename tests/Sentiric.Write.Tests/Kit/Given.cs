using Sentiric.Contracts.Events;

namespace Sentiric.Write.Tests.Kit;

/// <summary>Given these facts, when a command is decided, then exactly these facts or this refusal.</summary>
internal static class Given
{
    public static readonly DateTimeOffset Earlier = new(2026, 11, 16, 9, 0, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset Now = new(2026, 11, 17, 7, 0, 0, TimeSpan.Zero);

    public static TState Facts<TState>(params IFact[] facts)
        where TState : IState<TState> =>
        facts.Aggregate(TState.Initial, (state, fact) => state.Evolve(fact));

    public static TState Nothing<TState>()
        where TState : IState<TState> =>
        TState.Initial;
}

internal static class Then
{
    public static void Says(this Decision decision, params IFact[] facts)
    {
        Assert.Null(decision.Refusal);
        Assert.Equal(facts.Select(Shown), decision.Facts.Select(Shown));
    }

    public static void IsQuiet(this Decision decision) => decision.Says();

    public static void Refuses(this Decision decision, string code)
    {
        Assert.Equal(code, decision.Refusal?.Code);
        Assert.NotEmpty(decision.Refusal?.Why ?? "");
        Assert.Empty(decision.Facts);
    }

    // Lists inside records compare by reference; what is stored is what counts.
    private static string Shown(IFact fact) =>
        EventCatalog.Of(fact.GetType()).StoredName + " " + System.Text.Json.JsonSerializer.Serialize(fact, EventCatalog.StoredJson(fact.GetType()));
}
