using Microsoft.Extensions.Diagnostics.HealthChecks;
using Sentiric.Calls;
using Sentiric.Sip;

namespace Sentiric.Host.Roles;

/// <summary>Degraded while a trunk is down or not registered: calls still come and go by the others, and somebody should look.</summary>
internal sealed class TrunkHealthCheck(SipRole role) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var troubled = role.Trunks.Select(Trouble).OfType<string>().ToList();
        return Task.FromResult(troubled.Count == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded(string.Join(" ", troubled)));
    }

    private static string? Trouble(TrunkStatus trunk) =>
        trunk.State == TrunkState.Down ? $"Trunk {trunk.Name} does not answer."
        : trunk.Registration is { State: not RegistrationState.Registered } registration ? $"Trunk {trunk.Name}: not registered ({registration.StatusCode} {registration.Reason})."
        : null;
}
