namespace Sentiric.Contracts.Events;

/// <param name="Questions">Ways in which people ask for it.</param>
/// <param name="Answer">What is said.</param>
public sealed record ArticlePublished(
    DateTimeOffset At, string ArticleId, string Title, IReadOnlyList<string> Questions, string Answer, string Language, IReadOnlyList<string> Tags) : IFact;

public sealed record ArticleRevised(
    DateTimeOffset At, string ArticleId, string Title, IReadOnlyList<string> Questions, string Answer, string Language, IReadOnlyList<string> Tags) : IFact;

public sealed record ArticleWithdrawn(DateTimeOffset At, string ArticleId) : IFact;
