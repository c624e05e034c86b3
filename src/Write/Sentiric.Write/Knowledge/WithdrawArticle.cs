using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Knowledge;

/// <summary>DELETE /articles/{id}. It is found no more; its history stays.</summary>
public sealed record WithdrawArticle(string ArticleId) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapDelete("/articles/{id}", (string id, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync(runner, new WithdrawArticle(id), ct))
            .Describe("WithdrawArticle", "knowledge");

    public Decision Decide(Article article, DateTimeOffset now) => article switch
    {
        { Content: null } => new Refusal("article.unknown", $"There is no article '{ArticleId}' in this tenant."),
        { Withdrawn: true } => Decision.Quiet,
        _ => Decision.Of(new ArticleWithdrawn(now, ArticleId)),
    };

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var article = await work.FetchAsync<Article>(Streams.Article(ArticleId), token).ConfigureAwait(false);
            return work.Append(Streams.Article(ArticleId), Decide(article, work.Now));
        }, ct);
}
