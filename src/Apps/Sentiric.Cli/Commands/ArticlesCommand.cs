using Sentiric.Cli.Show;

namespace Sentiric.Cli.Commands;

internal static class ArticlesCommand
{
    public static Command Command { get; } = new(
        "articles", "what the assistants know",
        """
        sentiric articles list
        """,
        [], [], RunAsync);

    private sealed record Article(string ArticleId, string Title, IReadOnlyList<string> Questions, string Answer, string Language);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        if (session.Arguments.Word(0, "list") is not "list" and var other) throw new UsageException($"articles {other}: there is no such command.");
        session.Arguments.NoMoreThan(1);
        if (session.Json) return await session.PrintJsonAsync("v1/knowledge/articles", ct);
        var articles = await session.Api.GetAsync<IReadOnlyList<Article>>("v1/knowledge/articles", ct);
        Table.Print(session.Terminal, ["article", "language", "title", "wordings", "answer"],
            [.. articles.Select(a => (IReadOnlyList<string>)[a.ArticleId, a.Language, a.Title, $"{a.Questions.Count}", a.Answer])]);
        return Cli.Ok;
    }
}
