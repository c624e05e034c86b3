using Sentiric.Host.Metrics;

namespace Sentiric.Host.Gateway;

/// <summary>/metrics for Prometheus. Like /health it needs no key, and like it it tells of no tenant, no call and nobody.</summary>
public static class MetricsPage
{
    public static void Map(WebApplication app)
    {
        var exporter = app.Services.GetRequiredService<PrometheusExporter>();
        app.MapGet("/metrics", () => Results.Text(exporter.Text(), PrometheusExporter.ContentType)).ExcludeFromDescription();
    }
}
