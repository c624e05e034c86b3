using Microsoft.Extensions.Diagnostics.HealthChecks;
using Sentiric.Contracts;
using Sentiric.Host.Settings;

namespace Sentiric.Host.Gateway;

/// <summary>/health/live: the process answers. /health/ready: everything that its roles need answers too; says what does not. Degraded: it serves, and somebody should look.</summary>
public static class Health
{
    public static void Map(WebApplication app, HostSettings settings)
    {
        app.MapGet("/health/live", () => Results.Text("live")).ExcludeFromDescription();
        app.MapGet("/health/ready", async (HealthCheckService health, CancellationToken ct) =>
        {
            var report = await health.CheckHealthAsync(ct);
            var body = new
            {
                Status = report.Status.ToString().ToLowerInvariant(),
                Roles = settings.Roles.ToString(),
                Checks = report.Entries.Select(e => new { Name = e.Key, Status = e.Value.Status.ToString().ToLowerInvariant(), e.Value.Description }),
            };
            return Results.Json(body, Wire.Json, statusCode: report.Status == HealthStatus.Unhealthy ? 503 : 200);
        }).ExcludeFromDescription();
    }
}
