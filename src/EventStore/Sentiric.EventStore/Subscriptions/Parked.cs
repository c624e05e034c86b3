namespace Sentiric.EventStore;

internal static class Parked
{
    private const int MaxMessageLength = 2_000;

    /// <summary>An event that somebody had left out.</summary>
    public static ParkedEvent Skipped(string shard, RecordedEvent recorded, TimeProvider clock) => new(
        shard, recorded.Position, recorded.Tenant, recorded.EventType, Timestamps.Now(clock), "Skipped", "An operator had it skipped.");

    public static ParkedEvent Of(string shard, RecordedEvent recorded, Exception failure, TimeProvider clock) => new(
        shard, recorded.Position, recorded.Tenant, recorded.EventType, Timestamps.Now(clock), failure.GetType().Name,
        failure.Message.Length <= MaxMessageLength ? failure.Message : failure.Message[..MaxMessageLength]);
}
