using System.Text.Json;
using Sentiric.Cli.Show;
using Sentiric.Contracts.Events;

namespace Sentiric.Cli.Commands;

internal static class EventsCommand
{
    public static Command Command { get; } = new(
        "events", "follow what happens",
        """
        sentiric events tail [--call ID]
        Shows events as they are stored, of the tenant or of one call, until Ctrl-C. --json prints one event per line.
        """,
        ["--call"], [], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        if (session.Arguments.Word(0, "tail") is not "tail" and var other) throw new UsageException($"events {other}: there is no such command.");
        session.Arguments.NoMoreThan(1);
        Guid? call = session.Arguments.Option("--call") is not { } text ? null
            : Guid.TryParse(text, out var id) ? id
            : throw new UsageException($"--call {text} is no call id.");
        var lines = new EventLines(session.Terminal, withCall: call is null);
        try
        {
            await foreach (var envelope in session.Api.EventsAsync(call, null, ct)) Print(session, lines, envelope);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return Cli.Ok; // Ctrl-C is how one stops looking
        }
        catch (IOException e)
        {
            throw new CliException("platform.gone", $"The stream of events broke off: {e.Message}");
        }

        throw new CliException("platform.gone", "The platform closed the stream of events; it stopped, or this reader was too slow.");
    }

    private static void Print(Session session, EventLines lines, EventEnvelope envelope)
    {
        if (session.Json) session.Terminal.Line(JsonSerializer.Serialize(envelope, EnvelopeJson.Default.EventEnvelope));
        else foreach (var line in lines.Of(envelope)) session.Terminal.Line(line);
        session.Terminal.Out.Flush();
    }
}
