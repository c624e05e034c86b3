namespace Sentiric.EventStore;

/// <summary>Where personal data is sealed on the way in. What is read is opened page by page, in the page's own function.</summary>
public sealed partial class PostgresEventStore : IProtectedStore
{
    IPayloadProtection? IProtectedStore.Protection => _options.Protection;

    private async ValueTask StartAsync(IPayloadProtection protection, CancellationToken ct)
    {
        await protection.StartAsync(ct).ConfigureAwait(false);
        await DropClearSnapshotsAsync(ct).ConfigureAwait(false);
    }

    private StreamAddress AddressOf(string tenant, string streamId) =>
        _tables.Address(tenant, _options.Protection?.StoredStream(tenant, streamId) ?? streamId);

    private async ValueTask<AppendResult> ProtectedAsync(IPayloadProtection protection, StreamPlan plan, bool remember, CancellationToken ct) =>
        await AppendAsync(await Failures.GuardAsync(() => protection.ProtectAsync(plan, ct)).ConfigureAwait(false), remember, ct).ConfigureAwait(false);

    private async ValueTask<IReadOnlyList<StreamPlan>> ProtectedAsync(IReadOnlyList<StreamPlan> plan, CancellationToken ct)
    {
        if (_options.Protection is not { } protection) return plan;
        var steps = new StreamPlan[plan.Count];
        for (var i = 0; i < steps.Length; i++) steps[i] = await protection.ProtectAsync(plan[i], ct).ConfigureAwait(false);
        return steps;
    }
}
