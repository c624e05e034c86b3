using Sentiric.Contracts.Events;
using Sentiric.Write.Knowledge;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests.Knowledge;

public sealed class ArticleDecisions
{
    private static readonly ArticleContent Hours = new("Saatler", ["kaçta açılıyorsunuz"], "Dokuzda.", "tr", ["klinik"]);
    private static readonly ArticlePublished Published = new(Given.Earlier, "saatler", "Saatler", ["kaçta açılıyorsunuz"], "Dokuzda.", "tr", ["klinik"]);
    private static readonly ArticleWithdrawn Withdrawn = new(Given.Earlier, "saatler");

    private static Article None => Given.Nothing<Article>();

    private static Article There => Given.Facts<Article>(Published);

    private static Article Gone => Given.Facts<Article>(Published, Withdrawn);

    [Fact]
    public void An_article_is_published() => new PublishArticle("saatler", Hours).Decide(None, Given.Now).Says(Published with { At = Given.Now });

    [Fact]
    public void Publishing_it_again_is_quiet() => new PublishArticle("saatler", Hours).Decide(There, Given.Now).IsQuiet();

    [Fact]
    public void Publishing_other_words_is_refused() => new PublishArticle("saatler", Hours with { Answer = "Onda." }).Decide(There, Given.Now).Refuses("article.exists");

    [Fact]
    public void A_withdrawn_article_is_published_anew() => new PublishArticle("saatler", Hours).Decide(Gone, Given.Now).Says(Published with { At = Given.Now });

    public static TheoryData<string, ArticleContent> Unusable => new()
    {
        { "no title", Hours with { Title = "" } },
        { "no answer", Hours with { Answer = " " } },
        { "no question", Hours with { Questions = [] } },
        { "an empty question", Hours with { Questions = [""] } },
        { "an unknown language", Hours with { Language = "de" } },
        { "too many questions", Hours with { Questions = [.. Enumerable.Repeat("x", ArticleContent.MaxQuestions + 1)] } },
    };

    [Theory]
    [MemberData(nameof(Unusable))]
    public void An_article_that_nobody_finds_is_refused(string because, ArticleContent content)
    {
        Assert.NotEmpty(because);
        new PublishArticle("saatler", content).Decide(None, Given.Now).Refuses("article.invalid");
        new ReviseArticle("saatler", content).Decide(There, Given.Now).Refuses("article.invalid");
    }

    [Fact]
    public void An_article_is_revised() => new ReviseArticle("saatler", Hours with { Answer = "Onda." }).Decide(There, Given.Now)
        .Says(new ArticleRevised(Given.Now, "saatler", "Saatler", ["kaçta açılıyorsunuz"], "Onda.", "tr", ["klinik"]));

    [Fact]
    public void Revising_nothing_is_quiet() => new ReviseArticle("saatler", Hours).Decide(There, Given.Now).IsQuiet();

    [Fact]
    public void An_unknown_article_is_not_revised() => new ReviseArticle("saatler", Hours).Decide(None, Given.Now).Refuses("article.unknown");

    [Fact]
    public void A_withdrawn_article_is_not_revised() => new ReviseArticle("saatler", Hours).Decide(Gone, Given.Now).Refuses("article.withdrawn");

    [Fact]
    public void An_article_is_withdrawn() => new WithdrawArticle("saatler").Decide(There, Given.Now).Says(Withdrawn with { At = Given.Now });

    [Fact]
    public void Withdrawing_it_again_is_quiet() => new WithdrawArticle("saatler").Decide(Gone, Given.Now).IsQuiet();

    [Fact]
    public void An_unknown_article_is_not_withdrawn() => new WithdrawArticle("saatler").Decide(None, Given.Now).Refuses("article.unknown");
}
