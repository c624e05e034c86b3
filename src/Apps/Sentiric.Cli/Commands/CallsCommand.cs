using Sentiric.Cli.Show;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands;

internal static class CallsCommand
{
    private const int UsualLimit = 20, MostCalls = 200;

    public static Command Command { get; } = new(
        "calls", "call records, live calls, events and recordings; dial, transfer, hang up",
        """
        sentiric calls list [--from NUMBER] [--to NUMBER] [--limit N]   call records, newest first (20)
        sentiric calls show ID                                         one call: record, transcript, latencies
        sentiric calls live                                            calls that are up now
        sentiric calls events ID                                       every event of a call
        sentiric calls ladder ID [--pcap FILE]                         its SIP messages; --pcap: as a file for Wireshark, where they are kept
        sentiric calls recording ID -o FILE                            downloads the recording
        sentiric calls recording ID --verify                           compares it, piece by piece, with what the log says was recorded
        sentiric calls dial NUMBER|NAME --from NUMBER --plan DIALPLAN [--ring SECONDS] [--withhold] [--follow]
                                                                       calls somebody; --follow: tells how it goes until it is over
        sentiric calls transfer ID NUMBER|NAME                         connects the other party with a number, or a registered telephone
        sentiric calls hangup ID                                       ends a call
        """,
        ["--from", "--to", "--limit", "-o", "--pcap", "--plan", "--ring"], ["--withhold", "--follow", "--verify"], RunAsync);

    private static Task<int> RunAsync(Session session, CancellationToken ct) => session.Arguments.Word(0, "list, show, live, events, ladder, recording, dial, transfer or hangup") switch
    {
        "list" => ListAsync(session, ct),
        "show" => ShowAsync(session, ct),
        "live" => LiveAsync(session, ct),
        "events" => EventsAsync(session, ct),
        "ladder" => LadderAsync(session, ct),
        "recording" => RecordingAsync(session, ct),
        "dial" => DialCalls.DialAsync(session, ct),
        "transfer" => DialCalls.TransferAsync(session, ct),
        "hangup" => DialCalls.HangUpAsync(session, ct),
        var other => throw new UsageException($"calls {other}: there is no such command."),
    };

    private static async Task<int> ListAsync(Session session, CancellationToken ct)
    {
        session.Arguments.NoMoreThan(1);
        var path = Query.Path("v1/calls", ("from", session.Arguments.Option("--from")), ("to", session.Arguments.Option("--to")),
            ("limit", $"{session.Arguments.Number("--limit", UsualLimit, 1, MostCalls)}"));
        if (session.Json) return await session.PrintJsonAsync(path, ct);
        var page = await session.Api.GetAsync<Page<CallRecord>>(path, ct);
        if (page.Items.Count == 0)
        {
            var isSearch = session.Arguments.Option("--from") is not null || session.Arguments.Option("--to") is not null;
            session.Terminal.Line(isSearch
                ? "no call record fits; a call has one from its first moment"
                : "no call record yet; a call has one from its first moment (calls dial places one)");
            return Cli.Ok;
        }
        Table.Print(session.Terminal, ["call", "started", "from", "to", "dialplan", "answered", "talked", "ended", "turns", "MOS"],
        [
            .. page.Items.Select(c => (IReadOnlyList<string>)
            [
                $"{c.CallId}", Words.Time(c.StartedAt), c.UserName ?? c.From, c.To, c.DialplanId ?? "-", c.Answered ? "yes" : "no", Words.Seconds(c.TalkMs),
                Words.Name(c.EndReason), $"{c.Turns}", Words.Number(c.Mos),
            ]),
        ]);
        return Cli.Ok;
    }

    private static async Task<int> ShowAsync(Session session, CancellationToken ct)
    {
        var path = $"v1/calls/{session.Arguments.Id(1, "call id")}";
        session.Arguments.NoMoreThan(2);
        if (session.Json) return await session.PrintJsonAsync(path, ct);
        var call = await session.Api.GetAsync<CallDetail>(path, ct);
        foreach (var line in CallSheet.Record(call.Record)) session.Terminal.Line(line);
        session.Terminal.Line();
        foreach (var line in CallSheet.Transcript(call.Transcript)) session.Terminal.Line(line);
        session.Terminal.Line();
        Table.Print(session.Terminal, CallSheet.LatencyTitles, CallSheet.Latencies(call.Turns));
        return Cli.Ok;
    }

    private static async Task<int> LiveAsync(Session session, CancellationToken ct)
    {
        session.Arguments.NoMoreThan(1);
        if (session.Json) return await session.PrintJsonAsync("v1/calls/live", ct);
        var calls = await session.Api.GetAsync<IReadOnlyList<LiveCall>>("v1/calls/live", ct);
        Table.Print(session.Terminal, ["call", "since", "from", "to", "state", "turns", "heard last"],
        [
            .. calls.Select(c => (IReadOnlyList<string>)
                [$"{c.CallId}", Words.Time(c.StartedAt), c.UserName ?? c.From, c.To, c.State, $"{c.Turns}", c.LastHeard ?? "-"]),
        ]);
        return Cli.Ok;
    }

    private static Task<int> EventsAsync(Session session, CancellationToken ct) => EventsAsync(session, _ => true, ct);

    private static async Task<int> EventsAsync(Session session, Func<HistoryEntry, bool> shows, CancellationToken ct)
    {
        var id = session.Arguments.Id(1, "call id");
        session.Arguments.NoMoreThan(2);
        var path = $"v1/calls/{id}/events";
        if (session.Json) return await session.PrintJsonAsync(path, ct);
        var lines = new EventLines(session.Terminal, withCall: false);
        foreach (var entry in (await session.Api.GetAsync<IReadOnlyList<HistoryEntry>>(path, ct)).Where(shows))
        {
            foreach (var line in lines.Of(History.Envelope(entry, id))) session.Terminal.Line(line);
        }

        return Cli.Ok;
    }

    private static Task<int> LadderAsync(Session session, CancellationToken ct) => session.Arguments.Option("--pcap") is { } target
        ? DownloadAsync(session, "sip.pcap", target, ct)
        : EventsAsync(session, entry => entry.Type == EventCatalog.Of(typeof(SipMessageLogged)).RoutingKey, ct);

    private static Task<int> RecordingAsync(Session session, CancellationToken ct) => session.Arguments.Has("--verify")
        ? RecordingCheckCommand.RunAsync(session, ct)
        : DownloadAsync(session, "recording", session.Arguments.Needed("-o"), ct);

    private static async Task<int> DownloadAsync(Session session, string what, string target, CancellationToken ct)
    {
        var id = session.Arguments.Id(1, "call id");
        session.Arguments.NoMoreThan(2);
        try
        {
            await using var memory = new MemoryStream();
            await session.Api.DownloadAsync($"v1/calls/{id}/{what}", memory, ct);
            await File.WriteAllBytesAsync(target, memory.ToArray(), ct);
            session.Terminal.Line($"{target}: {memory.Length} bytes");
            return Cli.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException("file.not_written", $"{target}: {e.Message}");
        }
    }
}
