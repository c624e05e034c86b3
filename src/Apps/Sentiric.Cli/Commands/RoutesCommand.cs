using Sentiric.Cli.Show;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands;

internal static class RoutesCommand
{
    public static Command Command { get; } = new(
        "routes", "which number does what",
        """
        sentiric routes list
        """,
        [], [], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        if (session.Arguments.Word(0, "list") is not "list" and var other) throw new UsageException($"routes {other}: there is no such command.");
        session.Arguments.NoMoreThan(1);
        if (session.Json) return await session.PrintJsonAsync("v1/routes", ct);
        var routes = await session.Api.GetAsync<IReadOnlyList<RouteRow>>("v1/routes", ct);
        Table.Print(session.Terminal, ["number", "dialplan", "off hours", "fail-safe", "schedule", "language", "guests", "maintenance"],
        [
            .. routes.Select(r => (IReadOnlyList<string>)
            [
                r.Number, r.Settings.ActiveDialplan, r.Settings.OffHoursDialplan ?? "-", r.Settings.FailSafeDialplan ?? "-", r.Settings.ScheduleId ?? "-",
                r.Settings.Language, Words.Name(r.Settings.GuestPolicy), r.Maintenance ? "on" : "off",
            ]),
        ]);
        return Cli.Ok;
    }
}
