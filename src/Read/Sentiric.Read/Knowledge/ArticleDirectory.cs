using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Events;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Knowledge;

public sealed record ArticleRow(string ArticleId, string Title, IReadOnlyList<string> Questions, string Answer, string Language, IReadOnlyList<string> Tags);

/// <summary>The articles of the knowledge base that are in force.</summary>
public sealed class ArticleDirectory() : SingleStreamProjection<ArticleRow>("article_directory", ReadJson.Default.ArticleRow)
{
    internal const string Table = "mt_doc_article_directory";

    public override IReadOnlyCollection<string> EventTypes { get; } =
        new HashSet<string>(StringComparer.Ordinal) { "article_published", "article_revised", "article_withdrawn" };

    public override ArticleRow? Evolve(ArticleRow? document, RecordedEvent recorded, object @event) => @event switch
    {
        ArticlePublished e => new(e.ArticleId, e.Title, e.Questions, e.Answer, e.Language, e.Tags),
        ArticleRevised e => new(e.ArticleId, e.Title, e.Questions, e.Answer, e.Language, e.Tags),
        ArticleWithdrawn => null,
        _ => document,
    };

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/knowledge/articles", (HttpContext http, Tables tables, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => ReadHttp.Json(await ListAsync(tables, tenant, ct))))
            .WithTags("knowledge").WithName("ListArticles").Produces<IReadOnlyList<ArticleRow>>().WithSummary("The articles of the tenant.");

    internal static Task<IReadOnlyList<ArticleRow>> ListAsync(Tables tables, string tenant, CancellationToken ct) =>
        Documents.ListAsync(tables, Table, ReadJson.Default.ArticleRow, tenant, ct);
}
