using System.Globalization;
using Sentiric.Contracts.Events;

namespace Sentiric.Cli.Show;

/// <summary>
/// Events as a person follows a call: the SIP ladder, who called, which plan and why, what was heard and answered, and how long it took.
/// Times count from the first event of each call, which it remembers for the last <see cref="MaxCalls"/> of them.
/// </summary>
internal sealed class EventLines(Terminal terminal, bool withCall)
{
    private const int MaxCalls = 1_000;
    private const int Shortened = 6;
    private readonly Dictionary<string, DateTimeOffset> began = new(StringComparer.Ordinal);

    /// <summary>The lines of one event; none for events that only repeat what another says better.</summary>
    public IReadOnlyList<string> Of(EventEnvelope envelope)
    {
        if (envelope.Decode() is not { } fact) return [Prefix(envelope, envelope.OccurredAt) + envelope.Type];
        var at = fact is IFact { At: var when } ? when : envelope.OccurredAt;
        var prefix = Prefix(envelope, at);
        var indent = new string(' ', prefix.Length + Label("").Length);
        return [.. Lines(fact, envelope.Type).Select((line, n) => n == 0 ? prefix + line : indent + line)];
    }

    /// <summary>What an event says, on one line; null where nobody has put it into words.</summary>
    public string? Summary(EventEnvelope envelope) =>
        envelope.Decode() is { } fact && Lines(fact, envelope.Type).FirstOrDefault() is { } line && line != Unworded(envelope.Type) ? line : null;

    private string Prefix(EventEnvelope envelope, DateTimeOffset at)
    {
        if (began.Count >= MaxCalls) began.Clear();
        began.TryAdd(envelope.Stream, at);
        var seconds = Math.Max(0, (at - began[envelope.Stream]).TotalSeconds);
        var call = withCall ? (envelope.CallId?.ToString("N")[^Shortened..] ?? "").PadRight(Shortened) + " " : "";
        return string.Create(CultureInfo.InvariantCulture, $"{call}{seconds,7:0.00}  ");
    }

    private static string Label(string text) => text.PadRight(11);

    private static string Unworded(string type) => Label("event") + type;

    private IEnumerable<string> Lines(object fact, string type) => fact switch
    {
        CallReceived e => [Bold("call", $"{(e.FromDisplay.Length > 0 ? e.FromDisplay + " " : "")}{e.From} calls {e.To}, {e.Transport} from {e.Source}")],
        CallRequested e => [Bold("call", $"{e.To} is to be called, showing {(e.Withheld ? "no number" : e.From)}, plan {e.Resolution.DialplanId}")],
        CallDialled e => [Grey("dialled", e.Trunk is { } trunk ? $"over {trunk}" : "at a telephone of ours")],
        CallTollRefused e => [Red("toll", $"not dialled: {Words.Name(e.Rule)}")],
        TransferRequested e => [Yellow("transfer", $"to {e.To}")],
        TransferCompleted e => [Yellow("transfer", $"{e.To} has the call, by {Words.Name(e.Way)}{(e.Trunk is { } over ? $" over {over}" : "")}")],
        TransferFailed e => [Red("transfer", $"{e.To} was not reached: {Words.Name(e.Reason)}, {e.SipCode}")],
        SipMessageLogged e => [Grey("sip", $"{(e.Inbound ? "phone -> platform" : "phone <- platform")}  {e.Summary}")],
        UserIdentifiedForCall e => [Cyan("caller", $"{e.Name} ({Words.Name(e.Type)}, {e.Language}), known by {e.Contact}")],
        UserCreatedForCall e => [Cyan("caller", $"{e.Contact} is unknown: {Words.Name(e.Type)} {e.Name} was created")],
        CallRouteResolved e => Route(e.Resolution),
        MediaStarted e => [Grey("media", $"{e.Codec}, {e.RemoteAddress} <-> {e.LocalAddress}")],
        CallRinging => [Grey("ringing", "")],
        CallStarted e => [Grey("started", $"{e.DialplanResolution.DialplanId}, {e.MediaInfo.Codec}")],
        CallAnswered e => [Bold("answered", $"after {e.RingMs} ms")],
        CallHeld e => [Grey("held", e.By is { } by ? $"by {Words.Name(by)}" : "")],
        CallResumed e => [Grey("resumed", e.By is { } by ? $"by {Words.Name(by)}" : "")],
        CallSupervised e => [Yellow("supervised", $"{e.By}: {Words.Name(e.Mode)}")],
        SupervisionEnded e => [Grey("supervised", $"{e.By} left after {e.DurationMs} ms")],
        DtmfReceived e => [Cyan("key", e.Digit)],
        AgentTookOver e => [Grey("agent", $"{e.Engine}; hears with {e.Recognizer}, speaks with {e.Synthesizer}")],
        AgentFailed e => [Red("agent", $"failed at {e.Stage}: {e.Why}")],
        TranscriptFinal { Speaker: Speaker.Caller } e => [Cyan("heard", $"\"{e.Text}\"  {Words.Percent(e.Confidence)}")],
        TranscriptFinal e => [Green("said", $"\"{e.Text}\"{(e.FullText is { } full && full != e.Text ? "  (cut off)" : "")}")],
        DialogTurnCompleted e => [Grey($"turn {e.Turn}", Latency(e.Latency))],
        KnowledgeSearched { Hits: [] } e => [Yellow("knowledge", $"nothing for \"{e.Query}\"")],
        KnowledgeSearched e => [Yellow("knowledge", $"{e.Hits[0].Title} ({e.Hits[0].ArticleId}, {Words.Number(e.Hits[0].Score)}) for \"{e.Query}\"")],
        ToolCalled e => [Yellow("tool", $"{e.Connector}/{e.Action}: {Words.Pairs(e.Parameters)}")],
        ToolSucceeded e => [Yellow("tool", $"done in {e.TookMs} ms: {Words.Pairs(e.Values)}")],
        ToolFailed e => [Red("tool", $"{e.Code}: {e.Why} ({e.TookMs} ms)")],
        LlmRequested e => [Grey("llm", $"{e.Model}, {e.Messages} messages")],
        LlmCompleted e => [Grey("llm", $"{e.Model}, {e.PromptTokens} + {e.CompletionTokens} tokens, first after {e.FirstTokenMs} ms, all after {e.TookMs} ms")],
        LlmFailed e => [Red("llm", $"{e.Model}: {e.Why}")],
        PlaybackInterrupted e => [Yellow("barge-in", $"after {e.HeardMs} ms: \"{e.HeardText}\"")],
        SpeechStarted or SpeechEnded or PlaybackStarted or PlaybackFinished => [],
        RecordingStarted e => [Grey("recording", $"started: {e.Uri}")],
        RecordingSegmentStored e => [Grey("recording", $"segment {e.Number}, {Words.Seconds(e.FromMs)} + {Words.Seconds(e.DurationMs)}, {e.Bytes} bytes at {e.Offset}, sha256 {e.Sha256}")],
        RecordingAvailable e => [Grey("recording", $"{e.Uri}, {Words.Seconds(e.DurationMs)}, {e.Bytes} bytes, sha256 {e.Sha256}")],
        MediaQualityMeasured e => [Grey("quality", $"{(e.Summary ? "whole call: " : "")}MOS {Words.Number(e.Mos)}, jitter {Words.Number(e.JitterMs)} ms, received {e.Received}, lost {e.Lost}, longest gap {e.MaxGapMs} ms")],
        MediaTimedOut e => [Red("media", $"nothing heard for {e.SilentSeconds} s")],
        CallEnded e => [Bold("ended", $"{Words.Name(e.Reason)}, hung up by the {Words.Name(e.HungUpBy)}, {e.SipCode} / Q.850 {e.Q850Cause}, talked {Words.Seconds(e.TalkMs)}")],
        ChatStarted e => [Bold("chat", $"with {e.AssistantId}{(e.Contact is { } contact ? ", " + contact : "")}")],
        ChatEnded e => [Bold("chat ended", Words.Name(e.Reason))],
        _ => [Unworded(type)],
    };

    private IEnumerable<string> Route(DialplanResolution r) =>
    [
        Yellow("dialplan", $"{r.DialplanId} revision {r.Revision}: {Words.Name(r.Action)} ({r.Why})"),
        .. r.Trace.Select(t => terminal.Paint("· " + t, Colour.Grey)),
    ];

    private static string Latency(TurnLatency l) =>
        $"{l.TotalMs} ms = end of speech {l.EndOfSpeechMs} + recognise {l.RecognizeMs} + think {l.ThinkMs} + speak {l.SpeakMs}";

    private string Grey(string label, string text) => terminal.Paint((Label(label) + text).TrimEnd(), Colour.Grey);

    private string Bold(string label, string text) => Painted(label, text, Colour.Bold);

    private string Cyan(string label, string text) => Painted(label, text, Colour.Cyan);

    private string Green(string label, string text) => Painted(label, text, Colour.Green);

    private string Yellow(string label, string text) => Painted(label, text, Colour.Yellow);

    private string Red(string label, string text) => Painted(label, text, Colour.Red);

    private string Painted(string label, string text, Colour colour) => terminal.Paint(Label(label), colour) + text;
}
