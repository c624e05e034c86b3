using System.Net;
using System.Text.Json;
using Sentiric.Cli.Show;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands;

internal static class StatusCommand
{
    public static Command Command { get; } = new(
        "status", "is the platform well, and how far are its read models",
        """
        sentiric status
        Asks the platform whether everything that it needs answers, and its read models for their lag. Exit 1 when it is not ready.
        """,
        [], [], RunAsync);

    private sealed record Ready(string Status, string Roles, IReadOnlyList<Check> Checks);

    private sealed record Check(string Name, string Status, string? Description);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        session.Arguments.NoMoreThan(0);
        var (status, body) = await session.Api.LookAsync("health/ready", ct);
        var ready = Read(body, status);
        if (session.Json)
        {
            session.Terminal.Line(body);
            return status == HttpStatusCode.OK ? Cli.Ok : Cli.Failed;
        }

        var terminal = session.Terminal;
        terminal.Line($"{terminal.Paint(ready.Status, ready.Status switch { "healthy" => Colour.Green, "degraded" => Colour.Yellow, _ => Colour.Red })}  {session.Api.Url}  {ready.Roles}");
        foreach (var check in ready.Checks.Where(c => c.Status != "healthy")) terminal.Line($"  {check.Name}: {check.Status} {check.Description}");
        terminal.Line();
        ProjectionsCommand.Print(terminal, await session.Api.GetAsync<IReadOnlyList<ProjectionStatus>>("v1/projections", ct));
        return status == HttpStatusCode.OK ? Cli.Ok : Cli.Failed;
    }

    private static Ready Read(string body, HttpStatusCode status)
    {
        try
        {
            return JsonSerializer.Deserialize<Ready>(body, Wire.Json) ?? throw new JsonException("null");
        }
        catch (JsonException)
        {
            throw new CliException("answer.unreadable", $"health/ready answered {(int)status} and no report; this is not a Sentiric platform.");
        }
    }
}
