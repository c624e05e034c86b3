using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary><see cref="IKnowledge"/> over HTTP, both ends.</summary>
public sealed class KnowledgePort(HttpClient client) : IKnowledge
{
    private const string Search = PortHttp.Prefix + "/knowledge/search";
    private const string Questions = PortHttp.Prefix + "/knowledge/questions";

    public async ValueTask<IReadOnlyList<KnowledgeHit>> SearchAsync(SearchKnowledge request, CancellationToken ct) =>
        (await client.AskAsync<SearchKnowledge, KnowledgeHit[]>(Search, request, ct)).Value;

    public async ValueTask<IReadOnlyList<string>> QuestionsAsync(string tenant, string language, CancellationToken ct) =>
        (await client.AskAsync<QuestionsQuestion, string[]>(Questions, new(tenant, language), ct)).Value;

    public static void Map(IEndpointRouteBuilder routes, IKnowledge knowledge)
    {
        routes.MapPlainQuestion<SearchKnowledge, IReadOnlyList<KnowledgeHit>>(Search, knowledge.SearchAsync);
        routes.MapPlainQuestion<QuestionsQuestion, IReadOnlyList<string>>(Questions, (q, ct) => knowledge.QuestionsAsync(q.Tenant, q.Language, ct));
    }

    public sealed record QuestionsQuestion(string Tenant, string Language);
}
