namespace Sentiric.EventStore;

/// <summary>One checked step of an append to several streams.</summary>
internal sealed record StreamPlan(StreamAddress Address, ExpectedVersion Expected, Payload[] Payloads, string? AggregateType)
{
    public static IReadOnlyList<StreamPlan> Of(
        IEventSerializer serializer, Func<string, string, StreamAddress> address, string tenant, IReadOnlyList<StreamAppend> appends)
    {
        ArgumentNullException.ThrowIfNull(appends);
        if (appends.Count > EventStoreLimits.MaxStreamsPerAppend)
            throw new AppendTooLargeException($"{appends.Count} streams in one append; at most {EventStoreLimits.MaxStreamsPerAppend} are stored together.");
        var plan = appends
            .Select(a => new StreamPlan(
                address(a.TenantOverride ?? tenant, a.StreamId), a.Expected, Payload.Prepare(serializer, a.Events), a.AggregateType))
            .ToList();
        Payload.EnsureNotTooMany(plan.Sum(p => p.Payloads.Sum(e => (long)e.Json.Length)));
        if (plan.Any(p => p.Payloads.Length == 0)) throw new ArgumentException("A stream of the append has no events.", nameof(appends));
        if (plan.DistinctBy(p => p.Address).Count() != plan.Count) throw new ArgumentException("A stream is named twice.", nameof(appends));
        return plan;
    }
}
