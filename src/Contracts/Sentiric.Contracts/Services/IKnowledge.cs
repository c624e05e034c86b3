namespace Sentiric.Contracts.Services;

/// <summary>The knowledge base as the agent sees it.</summary>
public interface IKnowledge
{
    /// <summary>Best articles for a question, best first; empty when none is close enough.</summary>
    ValueTask<IReadOnlyList<KnowledgeHit>> SearchAsync(SearchKnowledge request, CancellationToken ct);

    /// <summary>Every phrase by which people ask for the tenant's articles: they bias the recogniser.</summary>
    ValueTask<IReadOnlyList<string>> QuestionsAsync(string tenant, string language, CancellationToken ct);
}

public sealed record SearchKnowledge(string Tenant, string Query, string Language, int Top = 3);

/// <param name="Score">0..1.</param>
public sealed record KnowledgeHit(string ArticleId, string Title, string Answer, double Score);
