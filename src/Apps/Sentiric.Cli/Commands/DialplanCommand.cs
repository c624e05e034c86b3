using Sentiric.Cli.Show;
using Sentiric.Contracts.Events;

namespace Sentiric.Cli.Commands;

internal static class DialplanCommand
{
    public static Command Command { get; } = new(
        "dialplan", "the dry run: which plan would answer a call, and why",
        """
        sentiric dialplan resolve --to NUMBER [--from NUMBER] [--at TIME]
        TIME is like 2026-03-01T09:30:00+03:00; now when left out. Changes nothing.
        """,
        ["--to", "--from", "--at"], [], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        if (session.Arguments.Word(0, "resolve") is not "resolve" and var other) throw new UsageException($"dialplan {other}: there is no such command.");
        session.Arguments.NoMoreThan(1);
        var path = Query.Path(
            "v1/dialplan/resolve", ("to", session.Arguments.Needed("--to")), ("from", session.Arguments.Option("--from")), ("at", session.Arguments.Option("--at")));
        if (session.Json) return await session.PrintJsonAsync(path, ct);
        var found = await session.Api.GetAsync<DialplanResolution>(path, ct);
        foreach (var rule in found.Trace) session.Terminal.Line("· " + rule);
        session.Terminal.Line();
        foreach (var line in Table.Pairs(
        [
            ("dialplan", $"{found.DialplanId} revision {found.Revision}"),
            ("action", Words.Name(found.Action)),
            ("why", found.Why),
            ("route", found.MatchedRoute ?? "-"),
            ("language", found.Language),
            ("assistant", found.Assistant?.Name ?? "-"),
        ]))
        {
            session.Terminal.Line(line);
        }

        return Cli.Ok;
    }
}
