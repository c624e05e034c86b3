using System.Text.Json;
using Sentiric.Cli.Show;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands.Events;

/// <summary>The log as it grows. One call alone is told as its story; everything else one line an event.</summary>
internal static class TailVerb
{
    public static EventsVerb Verb { get; } = new(
        "tail",
        """
        sentiric events tail [--call ID] [--type TYPE]... [--stream ID] [--correlation ID] [--tenant NAME|'*']
                             [--since TIME] [--after POSITION] [--limit N] [--no-follow]
        Shows events as they are stored, until Ctrl-C. TYPE and the stream's ID may hold '*' ("call.*", "user-*"). TIME is "10m", "2h", "3d"
        ago, or a moment like 2026-03-02T09:00+03:00. --no-follow ends at the newest event. --json prints one event per line.
        """,
        ["--call", "--type", "--stream", "--correlation", "--since", "--after", "--limit"], ["--no-follow"], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        session.Arguments.NoMoreThan(1);
        var lines = new LogLines(session.Terminal, story: session.Arguments.Option("--call") is not null);
        try
        {
            await foreach (var item in session.Api.ServerSentAsync(Path(session), ct))
            {
                if (item.EventType == "event") Print(session, lines, item.Data);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return Cli.Ok; // Ctrl-C is how one stops looking
        }

        if (session.Arguments.Has("--no-follow") || session.Arguments.Option("--limit") is not null) return Cli.Ok;
        throw new CliException("platform.gone", "The platform closed the stream of events; it stopped.");
    }

    private static string Path(Session session)
    {
        var a = session.Arguments;
        Guid? call = a.Option("--call") is not { } text ? null : Guid.TryParse(text, out var id) ? id : throw new UsageException($"--call {text} is no call id.");
        return Query.Path("v1/events/tail",
        [
            .. a.All("--type").Select(t => ("type", (string?)t)), ("stream", a.Option("--stream")), ("call_id", call?.ToString()),
            ("correlation_id", a.Option("--correlation")), ("after", a.Position("--after")), ("since", Moments.Option(session, "--since")),
            ("limit", a.Option("--limit") is null ? null : $"{a.Number("--limit", 1, 1, int.MaxValue)}"), ("follow", a.Has("--no-follow") ? "false" : null),
        ]);
    }

    private static void Print(Session session, LogLines lines, string json)
    {
        if (session.Json) session.Terminal.Line(json);
        else if (JsonSerializer.Deserialize<LogEntry>(json, Wire.Json) is { } entry) foreach (var line in lines.Of(entry)) session.Terminal.Line(line);
        session.Terminal.Out.Flush();
    }
}
