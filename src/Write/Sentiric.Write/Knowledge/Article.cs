using Sentiric.Contracts;
using Sentiric.Contracts.Events;

namespace Sentiric.Write.Knowledge;

/// <summary>Stream <c>article-{id}</c>: what the knowledge base answers, and the ways in which people ask for it.</summary>
public sealed record Article(ArticleContent? Content, bool Withdrawn) : IState<Article>
{
    public static Article Initial { get; } = new(Content: null, Withdrawn: false);

    public Article Evolve(IFact fact) => fact switch
    {
        ArticlePublished a => new(new(a.Title, a.Questions, a.Answer, a.Language, a.Tags), Withdrawn: false),
        ArticleRevised a => this with { Content = new(a.Title, a.Questions, a.Answer, a.Language, a.Tags) },
        ArticleWithdrawn => this with { Withdrawn = true },
        _ => this,
    };
}

/// <param name="Questions">Several wordings each: they are what is searched and what the recogniser learns.</param>
public sealed record ArticleContent(
    string Title, IReadOnlyList<string> Questions, string Answer, string Language = "tr", IReadOnlyList<string>? Tags = null)
{
    public const int MaxQuestions = 100;
    public const int MaxTags = 20;

    public bool Says(ArticleContent other) =>
        (Title, Answer, Language) == (other.Title, other.Answer, other.Language)
        && Questions.SequenceEqual(other.Questions, StringComparer.Ordinal)
        && (Tags ?? []).SequenceEqual(other.Tags ?? [], StringComparer.Ordinal);

    internal Refusal? Check(string articleId)
    {
        if (!Valid.Id(articleId) || !Valid.Text(Title, Valid.MaxName) || !Valid.Text(Answer) || !Valid.Language(Language))
        {
            return new("article.invalid",
                "An article needs an id of lower-case letters, digits, dashes and underscores, a title, an answer and a language, 'tr' or 'en'.");
        }

        var questionsFit = Questions.Count is > 0 and <= MaxQuestions && Questions.All(q => Valid.Text(q, Valid.MaxName));
        var tagsFit = (Tags ?? []).Count <= MaxTags && (Tags ?? []).All(t => Valid.Text(t, Valid.MaxId));
        return questionsFit && tagsFit
            ? null
            : new("article.invalid", $"An article has 1 to {MaxQuestions} questions and at most {MaxTags} tags, none of them empty.");
    }
}
