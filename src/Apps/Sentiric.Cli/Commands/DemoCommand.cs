using Sentiric.Cli.Demo;
using Sentiric.Cli.Show;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands;

/// <summary>One whole spoken call against the running platform, shown live, then looked at from every side.</summary>
internal static class DemoCommand
{
    public const string Script = "demo-tr";
    private const string Number = "+902120000001", Caller = "+905321112233", CallerName = "Ayşe";
    private static readonly TimeSpan RecordTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(300);

    public static Command Command { get; } = new(
        "demo", "a spoken call, live, and everything that it leaves behind",
        $"""
        sentiric demo [--to NUMBER]
        A caller telephones the demo clinic ({Number}), books an appointment and asks a question, all in speech over SIP and RTP.
        Needs SENTIRIC_SIP, SENTIRIC_PHONE, SENTIRIC_URL and SENTIRIC_API_KEY; ./sentiric demo sets them.
        Exit 0 only when the call was answered, an appointment booked, a question answered from the knowledge base, and call record,
        recording and the caller's own report are complete.
        """,
        ["--to"], [], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        session.Arguments.NoMoreThan(0);
        var slot = await FreeSlot.FindAsync(session, Caller, ct);
        var to = session.Arguments.Option("--to") ?? Number;
        Title(session.Terminal, $"{CallerName} calls {to} and asks for {slot.Day}, {slot.Time}");
        var call = new DemoCall(session,
        [
            "--from", Caller, "--name", CallerName, "--script", Script, "--set", $"day={slot.Day}", "--set", $"time={slot.Time}", "--max-seconds", "120", "--json",
        ]);
        await call.RunAsync(to, ct);
        if (call.CallId is not { } id)
        {
            throw new CliException("demo.no_call", $"The platform noted no call: {call.Report?.Report?.Problem ?? "the phone did not get through"}.");
        }

        return await LookBackAsync(session, id, call.Report, ct);
    }

    private static async Task<int> LookBackAsync(Session session, Guid id, PhoneMessage? phone, CancellationToken ct)
    {
        var detail = await RecordAsync(session, id, ct);
        var facts = (await session.Api.GetAsync<IReadOnlyList<HistoryEntry>>($"v1/calls/{id}/events", ct))
            .Select(e => History.Envelope(e, id).Decode()).OfType<object>().ToList();
        var recording = await RecordingCheck.OfAsync(session, detail.Record, ct);
        var terminal = session.Terminal;
        Show(terminal, "Call record", CallSheet.Record(detail.Record));
        Show(terminal, "Transcript", CallSheet.Transcript(detail.Transcript));
        Show(terminal, "What was said and what was heard", Hearing(detail, phone?.Report));
        Show(terminal, "Turns", Table.Lines(CallSheet.LatencyTitles, CallSheet.Latencies(detail.Turns)));
        Show(terminal, "Latency from the caller's last word to the first of the answer", Latencies(detail, phone?.Report));
        Show(terminal, "Where to look", Places(session, id, recording));
        return Judge(terminal, Verdict.Missing(detail, facts, recording, phone));
    }

    /// <summary>The read model follows the events by a moment: asks until the call is complete, for at most <see cref="RecordTime"/>.</summary>
    private static async Task<CallDetail> RecordAsync(Session session, Guid id, CancellationToken ct)
    {
        var began = session.Time.GetTimestamp();
        while (true)
        {
            var last = session.Time.GetElapsedTime(began) >= RecordTime;
            try
            {
                var detail = await session.Api.GetAsync<CallDetail>($"v1/calls/{id}", ct);
                if (last || detail.Record is { EndedAt: not null, RecordingSha256: not null, Mos: not null }) return detail;
            }
            catch (CliException e) when (e.Code == "call.unknown" && !last)
            {
                // its first event has not been read yet: ask again
            }

            await Task.Delay(PollEvery, session.Time, ct);
        }
    }

    private static IEnumerable<string> Hearing(CallDetail detail, PhoneReport? phone)
    {
        var said = phone?.Steps.Where(s => s is { Kind: "say", Played: true }).Select(s => s.ExpectHeard ?? s.Text ?? "").ToList() ?? [];
        var heard = detail.Transcript.Where(l => l.Speaker == Speaker.Caller).Select(l => l.Text).ToList();
        if (said.Count == heard.Count)
        {
            foreach (var (a, b) in said.Zip(heard)) yield return $"{(WordErrors.Between(a, b).Errors == 0 ? "=" : "!")} {a}{(WordErrors.Between(a, b).Errors == 0 ? "" : $"  ->  {b}")}";
        }

        yield return WordErrors.Between(string.Join(' ', said), string.Join(' ', heard)).ToString();
    }

    private static IEnumerable<string> Latencies(CallDetail detail, PhoneReport? phone)
    {
        yield return $"noted by the platform  {CallSheet.Spread([.. detail.Turns.Select(t => t.Latency.TotalMs)])}";
        yield return $"heard by the caller    {CallSheet.Spread([.. phone?.Steps.Where(s => s.LatencyMs is not null).Select(s => s.LatencyMs ?? 0) ?? []])}";
        if (phone?.Rtp is { } rtp)
        {
            yield return $"rtp at the caller      received {rtp.Received}, lost {rtp.Lost}, longest gap {Words.Number(rtp.MaxGapMs)} ms, MOS {Words.Number(rtp.Mos)}";
        }
    }

    private static IEnumerable<string> Places(Session session, Guid id, RecordingCheck recording) => Table.Pairs(
    [
        ("recording", recording.Where ?? "-"),
        ("sha-256", recording.Fault is null ? $"{recording.Sha256}, as in the call record" : $"{recording.Fault}"),
        ("transcript", $"{session.Api.Url}/v1/calls/{id}/transcript"),
        ("events", $"{session.Api.Url}/v1/calls/{id}/events"),
        ("console", $"{session.Api.Url}/console/#/call/{id}"),
    ]);

    private static int Judge(Terminal terminal, IReadOnlyList<string> missing)
    {
        terminal.Line();
        foreach (var line in missing) terminal.Line(terminal.Paint($"missing: {line}", Colour.Red));
        if (missing.Count == 0) terminal.Line(terminal.Paint("The call was answered, booked, informed, recorded and accounted for.", Colour.Green));
        return missing.Count == 0 ? Cli.Ok : Cli.Failed;
    }

    private static void Show(Terminal terminal, string title, IEnumerable<string> lines)
    {
        terminal.Line();
        Title(terminal, title);
        foreach (var line in lines) terminal.Line(line);
    }

    private static void Title(Terminal terminal, string title) => terminal.Line(terminal.Paint(title, Colour.Bold));
}
