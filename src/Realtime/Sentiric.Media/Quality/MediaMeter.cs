using System.Diagnostics.Metrics;

namespace Sentiric.Media;

/// <summary>What an engine counts, as System.Diagnostics.Metrics under the names <c>rtp.*</c>. Packets are added when a leg closes; gauges are asked.</summary>
internal sealed class MediaMeter : IDisposable
{
    private readonly Meter meter = new(MediaEngine.MeterName);
    private readonly Counter<long> packets, dropped, refused;
    private readonly Histogram<double> mos, jitter, loss;

    public MediaMeter(Func<int> sessions, Func<long> lateTicks)
    {
        meter.CreateObservableGauge("rtp.sessions", sessions, "{session}", "Legs that are open.");
        meter.CreateObservableCounter("rtp.ticks.late", lateTicks, "{tick}", "Times that a media thread began its 20 ms more than 5 ms late.");
        packets = meter.CreateCounter<long>("rtp.packets", "{packet}", "RTP packets of closed legs, by what became of them.");
        dropped = meter.CreateCounter<long>("rtp.dropped", "{packet}", "Datagrams of closed legs that reached no decoder, by reason.");
        refused = meter.CreateCounter<long>("rtp.ports.exhausted", "{session}", "Legs that were refused because no pair of ports was free.");
        mos = meter.CreateHistogram<double>("rtp.mos", "{score}", "Listening estimate of a closed leg (G.107), 1 to 4.5.");
        jitter = meter.CreateHistogram<double>("rtp.jitter", "s", "Interarrival jitter of a closed leg (RFC 3550).");
        loss = meter.CreateHistogram<double>("rtp.loss", "1", "Share of packets lost or too late of a closed leg.");
    }

    public void PortsExhausted() => refused.Add(1);

    public void Closed(MediaQuality quality)
    {
        Add(packets, quality.Sent, "fate", "sent");
        Add(packets, quality.Received, "fate", "received");
        Add(packets, quality.Lost, "fate", "lost");
        Add(packets, quality.Late, "fate", "late");
        Add(packets, quality.Duplicates, "fate", "duplicate");
        Add(dropped, quality.Foreign, "reason", "foreign");
        Add(dropped, quality.Malformed, "reason", "malformed");
        Add(dropped, quality.StrayPayload, "reason", "payload");
        Add(dropped, quality.Forged, "reason", "forged");
        Add(dropped, quality.Replayed, "reason", "replayed");
        if (quality.Received == 0) return;
        mos.Record(quality.Mos);
        jitter.Record(quality.JitterMs / 1_000);
        loss.Record(Math.Min(1, (double)(quality.Lost + quality.Late) / (quality.Received + quality.Lost)));
    }

    public void Dispose() => meter.Dispose();

    private static void Add(Counter<long> counter, long count, string tag, string value)
    {
        if (count > 0) counter.Add(count, new KeyValuePair<string, object?>(tag, value));
    }
}
