using System.Text.Json;
using Sentiric.Cli.Show;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands.Events;

/// <summary>Compares the log with what was signed. Ends with 1 when anything differs.</summary>
internal static class VerifyVerb
{
    public static EventsVerb Verb { get; } = new(
        "verify",
        """
        sentiric events verify [--tenant NAME [--stream ID]] [--after BLOCK] [--anchor FILE]
        Compares every stored event with the signed history and names what was changed, removed, inserted or reordered.
        What was removed is listed with who ordered it: a key of the platform, nobody because it is older than the first order, or nobody although it should be.
        --after skips the events up to the end of a block; --anchor: a file from 'events checkpoints', whose last line the store must still hold.
        """,
        ["--stream", "--after", "--anchor"], [], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        session.Arguments.NoMoreThan(1);
        var after = session.Arguments.Option("--after") is null ? null : session.Arguments.Number("--after", 0, 0, int.MaxValue).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var path = Query.Path(
            "v1/events/audit/verify", ("of", session.Arguments.Option("--tenant")), ("stream", session.Arguments.Option("--stream")), ("after", after), ("anchor", Anchor(session)));
        var progress = new ProgressLine(session.Terminal, session.Time, "verifying");
        await foreach (var item in session.Api.ServerSentAsync(path, ct))
        {
            if (item.EventType == "progress" && JsonSerializer.Deserialize<AuditProgress>(item.Data, Wire.Json) is { } step) progress.Show(step.Done, step.Total, step.Phase);
            if (item.EventType == "refused" && JsonSerializer.Deserialize<ProblemBody>(item.Data, Wire.Json) is { } problem) throw new CliException(problem.Code, problem.Detail);
            if (item.EventType != "verdict") continue;
            progress.Clear();
            if (session.Json) session.Terminal.Line(item.Data);
            return Print(session, JsonSerializer.Deserialize<AuditVerdict>(item.Data, Wire.Json) ?? throw new CliException("answer.empty", "The verdict is empty."));
        }

        throw new CliException("platform.gone", "The platform ended the verification without a verdict; its log says why.");
    }

    private static string? Anchor(Session session)
    {
        if (session.Arguments.Option("--anchor") is not { } file) return null;
        try
        {
            return File.ReadLines(file).LastOrDefault(line => line.Length > 0) ?? throw new CliException("anchor.empty", $"{file} holds no checkpoint.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException("file.unreadable", $"{file}: {e.Message}");
        }
    }

    private static int Print(Session session, AuditVerdict verdict)
    {
        var terminal = session.Terminal;
        if (session.Json) return verdict.Sound ? Cli.Ok : Cli.Failed;
        terminal.Line($"{Words.Grouped(verdict.Events)} events of {Words.Grouped(verdict.Streams)} streams in {Words.Grouped(verdict.Blocks)} signed blocks compared");
        if (verdict.Pending > 0) terminal.Line($"{Words.Grouped(verdict.Pending)} events are stored and not signed yet: nothing is proven of them");
        foreach (var gone in verdict.Removals) terminal.Line(gone.Order == RemovalOrdering.NotOrdered ? terminal.Paint(Removal(gone), Colour.Red) : Removal(gone));
        foreach (var finding in verdict.Findings) terminal.Line(terminal.Paint(Finding(finding), Colour.Red));
        if (verdict.FindingCount > verdict.Findings.Count) terminal.Line($"and {Words.Grouped(verdict.FindingCount - verdict.Findings.Count)} more");
        terminal.Line(verdict.Sound ? terminal.Paint("as it was signed", Colour.Green) : terminal.Paint($"NOT as it was signed: {Words.Grouped(verdict.FindingCount)} findings", Colour.Red));
        return verdict.Sound ? Cli.Ok : Cli.Failed;
    }

    private static string Removal(AuditRemoval gone) =>
        FormattableString.Invariant($"{(gone.Order == RemovalOrdering.NotOrdered ? "gone" : "by right gone")}: {gone.Tenant} {gone.Stream} up to version {gone.UpToVersion}, {gone.At:u}, {gone.Actor ?? "nobody named"}: {gone.Why} {gone.File}").TrimEnd()
        + $" ({Orders.Signed(gone.SignedAt)}{Orders.Clause(gone.Order, gone.OrderedBy)})";

    private static string Finding(AuditFindingRow f) => string.Join("  ", new[]
    {
        f.Kind, f.Table, f.Columns.Count == 0 ? null : string.Join(",", f.Columns), f.Tenant, f.Stream, f.Version is { } v ? $"version {v}" : null,
        f.Position is { } p ? $"position {p}" : null, f.Block is { } b ? $"block {b}" : null, f.What,
    }.Where(part => !string.IsNullOrEmpty(part)));
}
