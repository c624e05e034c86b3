using Sentiric.Contracts.Events;

namespace Sentiric.Cli.Commands.Events;

/// <summary>The proof of one call or stream, to the standard output.</summary>
internal static class ProveVerb
{
    public static EventsVerb Verb { get; } = new(
        "prove",
        """
        sentiric events prove CALL|STREAM > proof.json
        Writes everything that shows what was stored of a call, or of a stream by its name, and when it was signed. 'events verify-proof' checks it anywhere.
        """,
        [], [], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        var name = session.Arguments.Word(1, "the call or stream");
        session.Arguments.NoMoreThan(2);
        var stream = Guid.TryParse(name, out var call) ? Streams.Call(call) : name;
        session.Terminal.Line(await session.Api.GetTextAsync($"v1/events/audit/proofs/{Uri.EscapeDataString(stream)}", ct));
        return Cli.Ok;
    }
}
