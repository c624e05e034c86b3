using Sentiric.Cli.Demo;

namespace Sentiric.Cli.Commands;

internal static class CallCommand
{
    public static Command Command { get; } = new(
        "call", "have a scripted caller call a number",
        """
        sentiric call --to NUMBER [--from NUMBER] [--name TEXT] [--script FILE|demo-tr|barge-in-tr|silent|abandon] [--set WORD=VALUE]...
                      [--voice VOICE] [--transport udp|tcp] [--record FILE.wav] [--max-seconds N] [--json]
        Calls the platform at SENTIRIC_SIP and speaks the script (demo-tr). Exit 0 when it was answered, played and ended normally.
        """,
        [.. Passed, "--to", "--script"], [], RunAsync);

    private static IReadOnlyList<string> Passed => ["--from", "--name", "--voice", "--transport", "--record", "--max-seconds", "--set"];

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        var told = session.Arguments;
        told.NoMoreThan(0);
        List<string> arguments = ["--script", told.Option("--script") ?? DemoCommand.Script];
        foreach (var option in Passed)
        {
            foreach (var value in told.All(option)) arguments.AddRange([option, value]);
        }

        if (session.Json) arguments.Add("--json");
        using var phone = PhoneProcess.Start(session, told.Needed("--to"), arguments, piped: false);
        return await phone.ExitAsync(ct);
    }
}
