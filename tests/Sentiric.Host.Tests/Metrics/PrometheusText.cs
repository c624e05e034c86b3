using System.Diagnostics.Metrics;
using Sentiric.Host.Metrics;

namespace Sentiric.Host.Tests.Metrics;

public sealed class PrometheusText
{
    [Fact]
    public void What_was_measured_is_printed_as_Prometheus_reads_it()
    {
        using var meter = new Meter("test-" + nameof(What_was_measured_is_printed_as_Prometheus_reads_it));
        using var exporter = new PrometheusExporter([meter.Name]);
        var counter = meter.CreateCounter<long>("store.events", "{event}", "Events\nstored.");
        var duration = meter.CreateHistogram<double>("store.duration", "s", "How long.");
        meter.CreateObservableGauge("store.lag", () => new Measurement<long>(7, new KeyValuePair<string, object?>("shard", "a\"b")), "{position}", "Lag.");
        counter.Add(2);
        counter.Add(3, new KeyValuePair<string, object?>("shard", "x"));
        counter.Add(1, new KeyValuePair<string, object?>("shard", "x"));
        duration.Record(0.0004);
        duration.Record(99);
        var text = exporter.Text();
        Assert.Contains("# HELP store_events_total Events\\nstored.\n# TYPE store_events_total counter\nstore_events_total 2\nstore_events_total{shard=\"x\"} 4\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE store_lag gauge\nstore_lag{shard=\"a\\\"b\"} 7\n", text, StringComparison.Ordinal);
        Assert.Contains("store_duration_seconds_bucket{le=\"0.0005\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("store_duration_seconds_bucket{le=\"10\"} 1\nstore_duration_seconds_bucket{le=\"+Inf\"} 2\nstore_duration_seconds_sum 99.0004\nstore_duration_seconds_count 2\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_counter_that_adds_up_by_itself_is_not_added_up_again()
    {
        using var meter = new Meter("test-" + nameof(A_counter_that_adds_up_by_itself_is_not_added_up_again));
        using var exporter = new PrometheusExporter([meter.Name]);
        meter.CreateObservableCounter("sip.requests", () => 7L);
        exporter.Text();
        Assert.Contains("# TYPE sip_requests_total counter\nsip_requests_total 7\n", exporter.Text(), StringComparison.Ordinal);
    }

    [Fact]
    public void Meters_that_nobody_asked_for_are_left_alone()
    {
        using var meter = new Meter("test-other");
        using var exporter = new PrometheusExporter(["test-mine"]);
        meter.CreateCounter<long>("x").Add(1);
        Assert.Equal("", exporter.Text());
    }
}
