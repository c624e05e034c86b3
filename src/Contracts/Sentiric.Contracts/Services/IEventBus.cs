using Sentiric.Contracts.Events;

namespace Sentiric.Contracts.Services;

/// <summary>The way out of the store and between roles: a topic exchange <c>sentiric_events</c>, routing key = event type.</summary>
public interface IEventBus
{
    /// <summary>Completes when the broker has confirmed it. Throws when the broker cannot be reached within the token's time.</summary>
    Task PublishAsync(EventEnvelope envelope, CancellationToken ct);
}

/// <summary>A durable queue and who handles it. Handlers are idempotent: delivery is at least once.</summary>
/// <param name="Queue">Durable name: "sentiric.agent".</param>
/// <param name="Patterns">AMQP topic patterns: "call.started", "call.#".</param>
public sealed record BusSubscription(string Queue, IReadOnlyList<string> Patterns, Func<EventEnvelope, CancellationToken, Task> Handle);

/// <summary>Commands travel apart from events: exchange <c>sentiric_commands</c>, never stored.</summary>
public static class BusCommands
{
    /// <summary>End a call; data: <see cref="TerminateCall"/>.</summary>
    public const string TerminateCall = "call.terminate.request";
}

public sealed record TerminateCall(Guid CallId, CallEndReason Reason, HungUpBy By);
