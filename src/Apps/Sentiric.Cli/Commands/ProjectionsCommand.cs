using Sentiric.Cli.Show;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands;

internal static class ProjectionsCommand
{
    public static Command Command { get; } = new(
        "projections", "the read models, and building one anew",
        """
        sentiric projections                every read model with its position and lag
        sentiric projections rebuild NAME   builds one anew beside the old one and switches
        """,
        [], [], RunAsync);

    public static void Print(Terminal terminal, IReadOnlyList<ProjectionStatus> rows) =>
        Table.Print(terminal, ["read model", "position", "of", "lag", "state", "last error"],
            [.. rows.Select(r => (IReadOnlyList<string>)[r.Name, $"{r.Position}", $"{r.HighWater}", $"{r.Lag}", r.State, r.LastError ?? "-"])]);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        if (session.Arguments.Words is [])
        {
            if (session.Json) return await session.PrintJsonAsync("v1/projections", ct);
            Print(session.Terminal, await session.Api.GetAsync<IReadOnlyList<ProjectionStatus>>("v1/projections", ct));
            return Cli.Ok;
        }

        if (session.Arguments.Words[0] != "rebuild") throw new UsageException($"projections {session.Arguments.Words[0]}: there is no such command.");
        var name = session.Arguments.Word(1, "the name of a read model");
        session.Arguments.NoMoreThan(2);
        Print(session.Terminal, [await session.Api.PostAsync<ProjectionStatus>($"v1/projections/{Uri.EscapeDataString(name)}/rebuild", null, ct)]);
        return Cli.Ok;
    }
}
