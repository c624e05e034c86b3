using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Sentiric.Host.Metrics;

/// <summary>
/// Collects the measurements of the meters that it was told to listen to and prints them as Prometheus text, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/). Counters and histograms add up from the start of the process; gauges are asked when somebody looks.
/// </summary>
public sealed class PrometheusExporter : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Series beyond it are dropped: a tag without a bound must not eat the memory.</summary>
    public const int MaxSeries = 10_000;

    private static readonly double[] SecondBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
    private static readonly double[] CountBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

    private readonly ConcurrentDictionary<Instrument, ConcurrentDictionary<string, Series>> _instruments = new();
    private readonly MeterListener _listener = new();
    private int _series;

    public PrometheusExporter(IReadOnlyCollection<string> meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (meters.Contains(instrument.Meter.Name)) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((i, v, tags, _) => Take(i, v, tags));
        _listener.SetMeasurementEventCallback<long>((i, v, tags, _) => Take(i, v, tags));
        _listener.SetMeasurementEventCallback<int>((i, v, tags, _) => Take(i, v, tags));
        _listener.Start();
    }

    public void Dispose() => _listener.Dispose();

    public string Text()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var (instrument, series) in _instruments.OrderBy(i => i.Key.Name, StringComparer.Ordinal)) Write(text, instrument, series);
        return text.ToString();
    }

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var all = _instruments.GetOrAdd(instrument, _ => new ConcurrentDictionary<string, Series>(StringComparer.Ordinal));
        var labels = Labels(tags);
        if (!all.TryGetValue(labels, out var series))
        {
            if (Interlocked.Increment(ref _series) > MaxSeries) return;
            series = all.GetOrAdd(labels, _ => new Series(BucketsOf(instrument)));
        }

        series.Take(value, replaces: IsGauge(instrument) || instrument.IsObservable);
    }

    private static void Write(StringBuilder text, Instrument instrument, ConcurrentDictionary<string, Series> all)
    {
        var name = NameOf(instrument);
        var kind = IsHistogram(instrument) ? "histogram" : IsGauge(instrument) ? "gauge" : "counter";
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {Escaped(instrument.Description ?? instrument.Name)}\n# TYPE {name} {kind}\n");
        foreach (var (labels, series) in all.OrderBy(s => s.Key, StringComparer.Ordinal)) series.Write(text, name, labels);
    }

    // "eventstore.append.duration" in s is eventstore_append_duration_seconds; what counts ends with _total.
    private static string NameOf(Instrument instrument)
    {
        var name = new StringBuilder(instrument.Name.Replace('.', '_').Replace('-', '_'));
        if (instrument.Unit == "s") name.Append("_seconds");
        if (!IsHistogram(instrument) && !IsGauge(instrument)) name.Append("_total");
        return name.ToString();
    }

    private static bool IsHistogram(Instrument instrument) => instrument.GetType().GetGenericTypeDefinition() == typeof(Histogram<>);

    private static bool IsGauge(Instrument instrument) =>
        instrument.GetType().GetGenericTypeDefinition() is var type && (type == typeof(ObservableGauge<>) || type == typeof(Gauge<>) || type == typeof(UpDownCounter<>));

    private static double[] BucketsOf(Instrument instrument) => !IsHistogram(instrument) ? [] : instrument.Unit == "s" ? SecondBuckets : CountBuckets;

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty) return "";
        var text = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            text.Append(text.Length == 0 ? "" : ",").Append(name.Replace('.', '_')).Append("=\"");
            text.Append(Escaped(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "").Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
        }

        return text.ToString();
    }

    private static string Escaped(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    /// <summary>One instrument with one set of tags.</summary>
    private sealed class Series(double[] buckets)
    {
        private readonly Lock _gate = new();
        private readonly long[] _counts = new long[buckets.Length + 1];
        private double _value;
        private long _count;

        /// <param name="replaces">A gauge, or a counter that somebody else adds up.</param>
        public void Take(double value, bool replaces)
        {
            lock (_gate)
            {
                _value = replaces ? value : _value + value;
                _count++;
                var at = Array.FindIndex(buckets, bound => value <= bound);
                _counts[at < 0 ? buckets.Length : at]++;
            }
        }

        public void Write(StringBuilder text, string name, string labels)
        {
            lock (_gate)
            {
                if (buckets.Length == 0)
                {
                    Line(text, name, labels, _value);
                    return;
                }

                var below = 0L;
                for (var i = 0; i <= buckets.Length; i++)
                {
                    below += _counts[i];
                    var bound = i == buckets.Length ? "+Inf" : buckets[i].ToString(CultureInfo.InvariantCulture);
                    Line(text, name + "_bucket", (labels.Length == 0 ? "" : labels + ",") + $"le=\"{bound}\"", below);
                }

                Line(text, name + "_sum", labels, _value);
                Line(text, name + "_count", labels, _count);
            }
        }

        private static void Line(StringBuilder text, string name, string labels, double value) =>
            text.Append(name).Append(labels.Length == 0 ? "" : "{" + labels + "}").Append(CultureInfo.InvariantCulture, $" {value}\n");
    }
}
