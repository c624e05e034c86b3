using Microsoft.Extensions.Diagnostics.HealthChecks;
using Sentiric.EventStore;

namespace Sentiric.Host.Roles;

/// <summary>How the event store is. A warning degrades: the process still serves, and somebody should look; the description says at what and what to do.</summary>
internal sealed class EventStoreHealth(StoreHealth store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var findings = await store.CheckAsync(cancellationToken);
        if (findings.Count == 0) return HealthCheckResult.Healthy();
        var said = string.Join(" ", findings.OrderByDescending(f => f.Level).Select(f => $"[{f.Code}] {f.Sentence}"));
        return findings.Any(f => f.Level == FindingLevel.Failure) ? HealthCheckResult.Unhealthy(said) : HealthCheckResult.Degraded(said);
    }
}
