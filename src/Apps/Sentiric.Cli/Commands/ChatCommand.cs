using Sentiric.Contracts.Services;

namespace Sentiric.Cli.Commands;

internal static class ChatCommand
{
    public static Command Command { get; } = new(
        "chat", "write with an assistant",
        """
        sentiric chat ASSISTANT [--contact NUMBER] [--say LINE]...
        Without --say it reads what you write, line by line, until the assistant says good-bye or the input ends.
        The demo's assistants are dis-klinigi (Turkish) and dental-clinic (English).
        """,
        ["--say", "--contact"], [], RunAsync);

    private sealed record Opening(string AssistantId, string? Contact);

    private sealed record Line(string Text);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        var assistant = session.Arguments.Word(0, "the assistant");
        session.Arguments.NoMoreThan(1);
        var terminal = session.Terminal;
        var reply = await session.Api.PostAsync<ChatReply>("v1/chats", new Opening(assistant, session.Arguments.Option("--contact")), ct);
        Show(terminal, reply);
        var script = new Queue<string>(session.Arguments.All("--say"));
        var scripted = script.Count > 0;
        while (!reply.Ended)
        {
            if (terminal.Interactive && !scripted) await terminal.Out.WriteAsync("> ".AsMemory(), ct);
            var text = scripted ? (script.TryDequeue(out var next) ? next : null) : await terminal.In.ReadLineAsync(ct);
            if (text is null) break;
            if (text.Trim().Length == 0) continue;
            if (scripted) terminal.Line(terminal.Paint("> " + text, Colour.Cyan));
            reply = await session.Api.PostAsync<ChatReply>($"v1/chats/{reply.ChatId}/messages", new Line(text), ct);
            Show(terminal, reply);
        }

        return Cli.Ok;
    }

    private static void Show(Terminal terminal, ChatReply reply)
    {
        foreach (var text in reply.Texts) terminal.Line(text);
        terminal.Out.Flush();
    }
}
