using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sentiric.Phone;

/// <summary>What the program prints: lines for people, or one JSON object per line for programs.</summary>
internal sealed class CallerOutput(TextWriter to, bool json)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public void Progress(CallerProgress happened)
    {
        to.WriteLine(json ? JsonSerializer.Serialize(happened, Json) : Line(happened));
        to.Flush();
    }

    public void Report(CallerReport report)
    {
        if (json)
        {
            to.WriteLine(JsonSerializer.Serialize(new { Event = "report", report.Ok, Report = report }, Json));
        }
        else
        {
            foreach (var line in Lines(report)) to.WriteLine(line);
        }

        to.Flush();
    }

    private static string Line(CallerProgress p) => string.Create(CultureInfo.InvariantCulture, $"{p.AtMs / 1000.0,7:0.00}  {What(p)}");

    private static string What(CallerProgress p) => p.Event switch
    {
        "dialing" => $"calling {p.Text}",
        "status" => $"<- {p.Status}",
        "answered" => "answered",
        "said" => $"said \"{p.Text}\"",
        "answer_heard" => $"the answer began after {p.Ms} ms",
        "agent_stopped" => $"the agent stopped after {p.Ms} ms",
        "key" => $"pressed {p.Text}",
        "hung_up" => $"{p.Text} hung up",
        "abandoned" => "vanished without a BYE",
        "recorded" => $"recorded to {p.Text}",
        _ => p.Event,
    };

    private static IEnumerable<string> Lines(CallerReport r)
    {
        var latencies = r.LatenciesMs().Order().ToList();
        yield return "";
        yield return $"ended      {r.End}{(r.HungUpBy is null ? "" : $", hung up by the {r.HungUpBy}")}";
        yield return $"sip        {string.Join(' ', r.Statuses)}   call-id {r.SipCallId}";
        yield return $"steps      {r.Steps.Count(s => s.Played)} of {r.Steps.Count} played";
        if (latencies.Count > 0) yield return $"latency    {string.Join(' ', r.LatenciesMs())} ms   median {latencies[latencies.Count / 2]}, max {latencies[^1]}";
        if (r.Rtp is { } rtp)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"rtp        {rtp.Codec}, received {rtp.Received}, lost {rtp.Lost}, max gap {rtp.MaxGapMs} ms, jitter {rtp.JitterMs} ms, MOS {rtp.Mos}, own late ticks {rtp.LateTicks}");
        }

        if (r.Recording is { } file) yield return $"recording  {file}";
        if (r.Problem is { } problem) yield return $"problem    {problem}";
    }
}
