namespace Sentiric.Contracts.Events;

/// <summary>What every event says of itself: when it happened, at its source.</summary>
public interface IFact
{
    DateTimeOffset At { get; }
}
