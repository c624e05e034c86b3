using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Knowledge;

/// <summary>PUT /articles/{id}.</summary>
public sealed record ReviseArticle(string ArticleId, ArticleContent Content) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/articles/{id}", (string id, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync<ArticleContent>(runner, body => new ReviseArticle(id, body), ct))
            .Describe<ArticleContent>("ReviseArticle", "knowledge");

    public Decision Decide(Article article, DateTimeOffset now)
    {
        if (Content.Check(ArticleId) is { } refusal)
        {
            return refusal;
        }

        return article switch
        {
            { Content: null } => new Refusal("article.unknown", $"There is no article '{ArticleId}' in this tenant."),
            { Withdrawn: true } => new Refusal("article.withdrawn", $"Article '{ArticleId}' is withdrawn; publish it anew."),
            { Content: { } earlier } when earlier.Says(Content) => Decision.Quiet,
            _ => Decision.Of(new ArticleRevised(now, ArticleId, Content.Title, Content.Questions, Content.Answer, Content.Language, Content.Tags ?? [])),
        };
    }

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var article = await work.FetchAsync<Article>(Streams.Article(ArticleId), token).ConfigureAwait(false);
            return work.Append(Streams.Article(ArticleId), Decide(article, work.Now));
        }, ct);
}
