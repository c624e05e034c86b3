using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Demo;

/// <summary>What must be true of the demo's call. Each line that is missing is named; none missing is a success.</summary>
internal static class Verdict
{
    private const int FewestTurns = 3;

    public static IReadOnlyList<string> Missing(CallDetail call, IReadOnlyList<object> facts, RecordingCheck recording, PhoneMessage? phone) =>
    [
        .. Of(call.Record.Answered, "the call was not answered"),
        .. Of(call.Turns.Count >= FewestTurns, $"only {call.Turns.Count} turns were completed, {FewestTurns} are the least"),
        .. Of(facts.OfType<ToolSucceeded>().Any(), "no appointment was booked: no tool succeeded"),
        .. Of(WasKnowledgeAnswered(facts), "no question was answered from the knowledge base"),
        .. Unset(call.Record).Select(name => $"the call record has no {name}"),
        .. Of(recording.Fault is null, $"the recording: {recording.Fault}"),
        .. Of(phone is { Ok: true }, $"the caller's side: {phone?.Report?.Problem ?? "it made no report"}"),
    ];

    private static bool WasKnowledgeAnswered(IReadOnlyList<object> facts)
    {
        var hit = facts.ToList().FindIndex(f => f is KnowledgeSearched { Hits.Count: > 0 });
        return hit >= 0 && facts.Skip(hit).Any(f => f is TranscriptFinal { Speaker: Speaker.Agent, Kind: UtteranceKind.Answer });
    }

    private static IEnumerable<string> Unset(CallRecord r)
    {
        (string Name, object? Value)[] needed =
        [
            ("user", r.UserId), ("dialplan", r.DialplanId), ("answer time", r.AnsweredAt), ("end time", r.EndedAt), ("end reason", r.EndReason), ("side that hung up", r.HungUpBy),
            ("SIP code", r.SipCode), ("Q.850 cause", r.Q850Cause), ("codec", r.Codec), ("MOS", r.Mos), ("recording", r.RecordingUri), ("recording hash", r.RecordingSha256),
            ("talk time", r.TalkMs > 0 ? r.TalkMs : null),
        ];
        return needed.Where(n => n.Value is null).Select(n => n.Name);
    }

    private static IEnumerable<string> Of(bool isTrue, string missing) => isTrue ? [] : [missing];
}
