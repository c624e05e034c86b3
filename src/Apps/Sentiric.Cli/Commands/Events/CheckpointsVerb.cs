using Sentiric.Cli.Show;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands.Events;

/// <summary>Signed checkpoints to take away, the state of the notary, or its public keys.</summary>
internal static class CheckpointsVerb
{
    public static EventsVerb Verb { get; } = new(
        "checkpoints",
        """
        sentiric events checkpoints [--from BLOCK] [--limit N] > anchors.ndjson
        sentiric events checkpoints --state | --keys
        Prints signed checkpoints, one a line: kept elsewhere, they show a history that was rewritten or set back, whoever did it.
        --state: how far the log is signed. --keys: the public keys in PEM, for 'events verify-proof --key' and openssl.
        """,
        ["--from", "--limit"], ["--state", "--keys"], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        session.Arguments.NoMoreThan(1);
        var terminal = session.Terminal;
        if (!session.Arguments.Has("--state") && !session.Arguments.Has("--keys"))
        {
            var path = Query.Path("v1/events/audit/checkpoints", ("from", session.Arguments.Position("--from")), ("limit", session.Arguments.Position("--limit")));
            terminal.Out.Write(await session.Api.GetTextAsync(path, ct));
            return Cli.Ok;
        }

        if (session.Json) return await session.PrintJsonAsync("v1/events/audit", ct);
        var state = await session.Api.GetAsync<AuditState>("v1/events/audit", ct);
        if (session.Arguments.Has("--keys"))
        {
            foreach (var key in state.Keys) terminal.Line(key.Pem);
            return Cli.Ok;
        }

        foreach (var line in Table.Pairs(
        [
            ("blocks", Words.Grouped(state.Blocks)), ("streams", Words.Grouped(state.Streams)), ("signed up to", Words.Grouped(state.Position)),
            ("high-water mark", Words.Grouped(state.HighWater)), ("not signed yet", Words.Grouped(state.Pending)),
            ("signed at", state.SignedAt is { } at ? Words.Precise(at) : "-"), ("key", state.KeyId ?? "-"),
        ])) terminal.Line(line);
        return Cli.Ok;
    }
}
