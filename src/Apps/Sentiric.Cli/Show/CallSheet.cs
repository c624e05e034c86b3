using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Show;

/// <summary>A call's record, its transcript and its latencies as text.</summary>
internal static class CallSheet
{
    private static readonly (string, string)[] NoPairs = [];

    public static IEnumerable<string> Record(CallRecord r) => Table.Pairs(
    [
        ("call", r.CallId.ToString()),
        ("from", r.UserName is { } name ? $"{r.From} ({name})" : r.From),
        ("to", $"{r.To}, {Words.Name(r.Direction)}"),
        ("dialplan", $"{r.DialplanId ?? "-"}, {Words.Name(r.Action)} ({r.Why ?? "-"})"),
        ("started", Words.Time(r.StartedAt)),
        ("answered", r.Answered ? $"{Words.Time(r.AnsweredAt)}, after {r.RingMs} ms" : "no"),
        ("ended", $"{Words.Time(r.EndedAt)}, {Words.Name(r.EndReason)}, hung up by the {Words.Name(r.HungUpBy)}, {Words.Number(r.SipCode)} / Q.850 {Words.Number(r.Q850Cause)}"),
        ("talked", $"{Words.Seconds(r.TalkMs)}, billable {Words.Seconds(r.BillableMs)}, {r.Turns} turns"),
        ("quality", $"{r.Codec ?? "-"}, MOS {Words.Number(r.Mos)}, loss {Words.Number(r.LossPercent)} %, jitter {Words.Number(r.JitterMs)} ms"),
        ("recording", r.RecordingUri is { } uri ? $"{uri}, {Words.Seconds(r.RecordingMs ?? 0)}" : "-"),
        ("sip call-id", r.SipCallId.Length > 0 ? r.SipCallId : "-"),
        .. r.Trunk is { } trunk ? [("trunk", trunk)] : NoPairs,
        .. r.TollRule is { } rule ? [("not dialled", Words.Name(rule))] : NoPairs,
        .. r.TransferredTo is { } number ? [("transferred", $"{number}, {r.Transfer}")] : NoPairs,
    ]);

    public static IEnumerable<string> Transcript(IReadOnlyList<TranscriptLine> lines) => lines.Select(l =>
        $"{Words.Seconds(l.OffsetMs),8}  {Words.Name(l.Speaker),-6}  {l.Text}{(l.Speaker == Speaker.Caller ? $"  [{Words.Percent(l.Confidence)}]" : l.FullText is { } full && full != l.Text ? "  [cut off]" : "")}");

    public static IReadOnlyList<IReadOnlyList<string>> Latencies(IReadOnlyList<TurnRow> turns) =>
        [.. turns.Select(t => (IReadOnlyList<string>)[$"{t.Turn}", $"{t.Latency.TotalMs}", $"{t.Latency.EndOfSpeechMs}", $"{t.Latency.RecognizeMs}", $"{t.Latency.ThinkMs}", $"{t.Latency.SpeakMs}", t.Heard])];

    public static readonly IReadOnlyList<string> LatencyTitles = ["turn", "total ms", "end of speech", "recognise", "think", "speak", "heard"];

    public static string Spread(IReadOnlyList<long> ms)
    {
        if (ms.Count == 0) return "none";
        var sorted = ms.Order().ToList();
        return $"p50 {sorted[(sorted.Count - 1) / 2]} ms, max {sorted[^1]} ms, {sorted.Count} turns";
    }
}
