using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Services;
using Sentiric.Read.Http;

namespace Sentiric.Read.Knowledge;

/// <summary>
/// The knowledge base as the agent asks it: lexical, tenant by tenant, over the questions that an editor wrote down for each article and its title.
/// What is not close enough is not an answer.
/// </summary>
public sealed class KnowledgeSearch(Tables tables) : IKnowledge
{
    private const double CloseEnough = 0.45;
    private const double TitleCounts = 0.9;
    private const int MaxQueryLetters = 500;
    private const int MaxHits = 10;

    public async ValueTask<IReadOnlyList<KnowledgeHit>> SearchAsync(SearchKnowledge request, CancellationToken ct)
    {
        var query = request.Query.Length <= MaxQueryLetters ? request.Query : request.Query[..MaxQueryLetters];
        var articles = await ArticleDirectory.ListAsync(tables, request.Tenant, ct);
        return
        [
            .. articles.Where(a => a.Language == request.Language)
                .Select(a => new KnowledgeHit(a.ArticleId, a.Title, a.Answer, Math.Round(Score(query, a), 3)))
                .Where(hit => hit.Score >= CloseEnough)
                .OrderByDescending(hit => hit.Score).ThenBy(hit => hit.ArticleId, StringComparer.Ordinal)
                .Take(Math.Clamp(request.Top, 1, MaxHits)),
        ];
    }

    public async ValueTask<IReadOnlyList<string>> QuestionsAsync(string tenant, string language, CancellationToken ct) =>
        [.. (await ArticleDirectory.ListAsync(tables, tenant, ct)).Where(a => a.Language == language).SelectMany(a => a.Questions)];

    internal static double Score(string query, ArticleRow article) =>
        article.Questions.Select(q => Similarity.Of(query, q)).Append(TitleCounts * Similarity.Of(query, article.Title)).Max();

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/knowledge/search", (HttpContext http, IKnowledge knowledge, string q, string? language, int? top, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => ReadHttp.Json(await knowledge.SearchAsync(new(tenant, q, language ?? "tr", top ?? 3), ct))))
            .WithTags("knowledge").WithName("SearchKnowledge").Produces<IReadOnlyList<KnowledgeHit>>().WithSummary("What the agent would find for a question.");
}
