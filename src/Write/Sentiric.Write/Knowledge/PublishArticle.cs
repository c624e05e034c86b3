using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Knowledge;

/// <summary>POST /articles. A withdrawn article may be published anew.</summary>
public sealed record PublishArticle(string ArticleId, ArticleContent Content) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/articles", (HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CreateAsync<PublishArticleBody, PublishArticle>(runner, body => body.ToCommand(),
                c => ($"articles/{c.ArticleId}", new ArticlePublishedReply(c.ArticleId)), ct))
            .Describe<PublishArticleBody, ArticlePublishedReply>("PublishArticle", "knowledge");

    public Decision Decide(Article article, DateTimeOffset now)
    {
        if (Content.Check(ArticleId) is { } refusal)
        {
            return refusal;
        }

        return article switch
        {
            { Content: { } earlier, Withdrawn: false } => earlier.Says(Content)
                ? Decision.Quiet
                : new Refusal("article.exists", $"Article '{ArticleId}' is published already with other words; revise it instead."),
            _ => Decision.Of(new ArticlePublished(now, ArticleId, Content.Title, Content.Questions, Content.Answer, Content.Language, Content.Tags ?? [])),
        };
    }

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var article = await work.FetchAsync<Article>(Streams.Article(ArticleId), token).ConfigureAwait(false);
            return work.Append(Streams.Article(ArticleId), Decide(article, work.Now));
        }, ct);
}

public sealed record PublishArticleBody(
    string ArticleId, string Title, IReadOnlyList<string> Questions, string Answer, string Language = "tr", IReadOnlyList<string>? Tags = null)
{
    public PublishArticle ToCommand() => new(ArticleId, new(Title, Questions, Answer, Language, Tags));
}

public sealed record ArticlePublishedReply(string ArticleId);
