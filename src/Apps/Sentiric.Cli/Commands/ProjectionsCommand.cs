using System.Globalization;
using System.Text.Json;
using Sentiric.Cli.Show;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands;

/// <summary>Read models and subscriptions: how far they are, stopping and starting, what they could not handle, building anew.</summary>
internal static class ProjectionsCommand
{
    private const int MostParked = 500; // of one answer
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    public static Command Command { get; } = new(
        "projections", "the read models: lag, pause, parked events, building one anew",
        """
        sentiric projections [list]                         every read model and subscription with its position and lag
        sentiric projections pause NAME [--reason TEXT]     no process applies further events until it is resumed
        sentiric projections resume NAME
        sentiric projections parked NAME [--limit N]        events that it could not handle, with the reason
        sentiric projections retry NAME POSITION|--all      applies a parked event now
        sentiric projections discard NAME POSITION          takes a parked event off the list
        sentiric projections skip NAME POSITION [--reason TEXT]   the event at POSITION, still to come, will not be applied
        sentiric projections rebuild NAME [--accept-differences] [--start-over]
                                                            builds it anew beside the old one and switches
        sentiric projections rebuild NAME --cancel          breaks a rebuild off
        sentiric projections rollback NAME                  puts the tables from before the last rebuild back
        """,
        ["--reason", "--limit"], ["--all", "--accept-differences", "--start-over", "--cancel"], RunAsync);

    public static void Print(Terminal terminal, IReadOnlyList<ProjectionStatus> rows) =>
        Table.Print(terminal, ["read model", "position", "of", "lag", "state", "behind", "parked", "last error"],
            [.. rows.Select(r => (IReadOnlyList<string>)[r.Name, $"{r.Position}", $"{r.HighWater}", $"{r.Lag}", State(r), Behind(r), $"{r.Parked}", r.LastError ?? "-"])]);

    private static Task<int> RunAsync(Session session, CancellationToken ct) => session.Arguments.Words switch
    {
        [] or ["list"] => ListAsync(session, ct),
        ["pause", var name] => ChangeAsync(session, name, Query.Path("pause", ("reason", session.Arguments.Option("--reason"))), ct),
        ["resume", var name] => ChangeAsync(session, name, "resume", ct),
        ["skip", var name, var position] => ChangeAsync(session, name, Query.Path("skip", ("position", Position(position)), ("reason", session.Arguments.Option("--reason"))), ct),
        ["parked", var name] => ParkedAsync(session, name, ct),
        ["retry", var name] when session.Arguments.Has("--all") => RetryAllAsync(session, name, ct),
        ["retry", var name, var position] => RetryAsync(session, name, [long.Parse(Position(position), CultureInfo.InvariantCulture)], ct),
        ["discard", var name, var position] => DiscardAsync(session, name, Position(position), ct),
        ["rebuild", var name] when session.Arguments.Has("--cancel") => CancelAsync(session, name, ct),
        ["rebuild", var name] => RebuildAsync(session, name, ct),
        ["rollback", var name] => RollbackAsync(session, name, ct),
        ["pause" or "resume" or "parked" or "rebuild" or "rollback" or "skip" or "discard" or "retry"] => throw new UsageException("the name of a read model is missing."),
        ["skip" or "discard" or "retry", _] => throw new UsageException("the position of an event is missing."),
        [var verb, ..] => throw new UsageException($"projections {verb}: there is no such command, or it has a word too many."),
    };

    private static async Task<int> ListAsync(Session session, CancellationToken ct)
    {
        if (session.Json) return await session.PrintJsonAsync("v1/projections", ct);
        Print(session.Terminal, await session.Api.GetAsync<IReadOnlyList<ProjectionStatus>>("v1/projections", ct));
        return Cli.Ok;
    }

    private static async Task<int> ChangeAsync(Session session, string name, string change, CancellationToken ct)
    {
        Show(session, await session.Api.PostAsync<ProjectionStatus>($"{Path(name)}/{change}", null, ct));
        return Cli.Ok;
    }

    private static async Task<int> ParkedAsync(Session session, string name, CancellationToken ct)
    {
        var path = Query.Path($"{Path(name)}/parked", ("limit", session.Arguments.Option("--limit") is null ? null : $"{session.Arguments.Number("--limit", 100, 1, MostParked)}"));
        if (session.Json) return await session.PrintJsonAsync(path, ct);
        var parked = await session.Api.GetAsync<IReadOnlyList<ParkedRow>>(path, ct);
        if (parked.Count == 0) session.Terminal.Line($"{name} has no parked events.");
        else Table.Print(session.Terminal, ["position", "parked", "tenant", "type", "why"],
            [.. parked.Select(p => (IReadOnlyList<string>)[$"{p.Position}", Words.Time(p.ParkedAt), p.Tenant, p.EventType, $"{p.ErrorType}: {p.ErrorMessage.ReplaceLineEndings(" ")}"])]);
        return Cli.Ok;
    }

    /// <summary>What was applied makes room for others in the list; it is read again until it brings nothing that was not tried.</summary>
    private static async Task<int> RetryAllAsync(Session session, string name, CancellationToken ct)
    {
        var (tried, code, count) = (new HashSet<long>(), Cli.Ok, 0);
        do
        {
            var parked = await session.Api.GetAsync<IReadOnlyList<ParkedRow>>($"{Path(name)}/parked?limit={MostParked.ToString(CultureInfo.InvariantCulture)}", ct);
            IReadOnlyList<long> positions = [.. parked.Select(p => p.Position).Where(tried.Add)];
            count = parked.Count;
            if (positions.Count == 0 && tried.Count > 0) break;
            if (await RetryAsync(session, name, positions, ct) != Cli.Ok) code = Cli.Failed;
        }
        while (count == MostParked);
        if (count == MostParked) session.Terminal.Error.WriteLine($"the first {count} stay parked, and more may wait behind them: discard them, or mend what they say, and do it again");
        return code;
    }

    private static async Task<int> RetryAsync(Session session, string name, IReadOnlyList<long> positions, CancellationToken ct)
    {
        if (positions.Count == 0) session.Terminal.Line($"{name} has no parked events.");
        var failed = 0;
        foreach (var position in positions)
        {
            var outcome = await session.Api.PostAsync<ParkedOutcome>($"{Path(name)}/parked/{position}/retry", null, ct);
            failed += outcome.Outcome == "applied" ? 0 : 1;
            if (session.Json) session.Terminal.Line(JsonSerializer.Serialize(outcome, Wire.Json));
            else session.Terminal.Line($"{position}: {session.Terminal.Paint(outcome.Outcome.Replace('_', ' '), outcome.Outcome == "applied" ? Colour.Green : Colour.Red)} {outcome.Why}".TrimEnd());
        }

        return failed == 0 ? Cli.Ok : Cli.Failed;
    }

    private static async Task<int> DiscardAsync(Session session, string name, string position, CancellationToken ct)
    {
        var outcome = await session.Api.DeleteAsync<ParkedOutcome>($"{Path(name)}/parked/{position}", ct);
        if (session.Json) return session.PrintJson(outcome);
        session.Terminal.Line($"{position}: discarded");
        return Cli.Ok;
    }

    /// <summary>The request lasts as long as the rebuild; meanwhile its progress is looked at.</summary>
    private static async Task<int> RebuildAsync(Session session, string name, CancellationToken ct)
    {
        var path = Query.Path($"{Path(name)}/rebuild",
            ("accept_differences", session.Arguments.Has("--accept-differences") ? "true" : null), ("start_over", session.Arguments.Has("--start-over") ? "true" : null));
        var running = session.Api.PostPatientlyAsync<ProjectionStatus>(path, null, ct);
        if (session.Terminal.Live) await WatchAsync(session, name, running, ct);
        Show(session, await running);
        return Cli.Ok;
    }

    private static async Task WatchAsync(Session session, string name, Task running, CancellationToken ct)
    {
        var progress = new ProgressLine(session.Terminal, session.Time, $"rebuilding {name}");
        while (await Task.WhenAny(running, Task.Delay(LookEvery, session.Time, ct)) != running)
        {
            var row = await session.Api.GetAsync<RebuildRow>($"{Path(name)}/rebuild", ct);
            if (row.State == "running") progress.Show(row.Position, row.Target, $"{row.Phase}, {Words.Grouped((long)row.EventsPerSecond)} events/s");
        }

        progress.Clear();
    }

    private static async Task<int> CancelAsync(Session session, string name, CancellationToken ct)
    {
        var row = await session.Api.DeleteAsync<RebuildRow>($"{Path(name)}/rebuild", ct);
        if (session.Json) return session.PrintJson(row);
        // The process that rebuilds sees the wish within moments; until then it says "running".
        session.Terminal.Line($"{name}: the rebuild is {(row.State == "running" ? "being broken off" : row.State)}; the tables stay as they were");
        return Cli.Ok;
    }

    private static async Task<int> RollbackAsync(Session session, string name, CancellationToken ct)
    {
        var row = await session.Api.PostAsync<RebuildRow>($"{Path(name)}/rollback", null, ct);
        if (session.Json) return session.PrintJson(row);
        session.Terminal.Line($"{name}: the tables from before the rebuild serve again{(row.PreviousVersion is { } version ? $"; those of version {version} are kept, rollback once more goes forward" : "")}");
        return Cli.Ok;
    }

    private static void Show(Session session, ProjectionStatus row)
    {
        if (session.Json) session.Terminal.Line(JsonSerializer.Serialize(row, Wire.Json));
        else Print(session.Terminal, [row]);
    }

    private static string State(ProjectionStatus row) => row.Pause is { } pause ? $"paused by {pause.By ?? "?"}{(pause.Reason is { } why ? ": " + why : "")}" : row.State;

    private static string Behind(ProjectionStatus row) => row.BehindSeconds <= 0 ? "-" : Words.Age(TimeSpan.FromSeconds(row.BehindSeconds));

    private static string Path(string name) => "v1/projections/" + Uri.EscapeDataString(name);

    private static string Position(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? text : throw new UsageException($"{text} is no position: a whole number is needed.");
}
