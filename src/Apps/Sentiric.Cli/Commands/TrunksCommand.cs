using System.Globalization;
using Sentiric.Cli.Show;
using Sentiric.Contracts.Services;

namespace Sentiric.Cli.Commands;

internal static class TrunksCommand
{
    public static Command Command { get; } = new(
        "trunks", "the carriers: up or down, registered until when, calls now",
        """
        sentiric trunks
        Every trunk with its target, since when it is up or down, its registration, what its last OPTIONS was told, and the calls that came over it and are up.
        """,
        [], [], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        session.Arguments.NoMoreThan(0);
        if (session.Json) return await session.PrintJsonAsync("v1/trunks", ct);
        var trunks = await session.Api.GetAsync<IReadOnlyList<TrunkReport>>("v1/trunks", ct);
        Table.Print(session.Terminal, ["trunk", "target", "state", "since", "registration", "last options", "calls"],
        [
            .. trunks.Select(t => (IReadOnlyList<string>)
            [
                t.Name, t.Target ?? "-", Words.Name(t.State), Words.Time(t.Since), Registration(t.Registration), Options(t.LastOptions), t.Calls.ToString(CultureInfo.InvariantCulture),
            ]),
        ]);
        return Cli.Ok;
    }

    private static string Registration(TrunkRegistration? registration) => registration switch
    {
        null => "-",
        { State: TrunkRegistrationState.Registered, Until: { } until } => $"until {Words.Time(until)}",
        { Status: > 0 } => $"{Words.Name(registration.State)} ({registration.Status} {registration.Reason})",
        _ => Words.Name(registration.State),
    };

    private static string Options(TrunkOptionsAnswer? answer) => answer is null ? "-" : $"{answer.Status} {answer.Reason} at {Words.Time(answer.At)}";
}
