namespace Sentiric.EventStore;

internal static class Parked
{
    private const int MaxMessageLength = 2_000;

    public static ParkedEvent Of(string shard, RecordedEvent recorded, Exception failure, TimeProvider clock) => new(
        shard, recorded.Position, recorded.Tenant, recorded.EventType, Timestamps.Now(clock), failure.GetType().Name,
        failure.Message.Length <= MaxMessageLength ? failure.Message : failure.Message[..MaxMessageLength]);
}
