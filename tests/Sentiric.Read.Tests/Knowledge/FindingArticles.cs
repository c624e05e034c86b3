using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Read.Knowledge;
using Sentiric.Read.Tests.Kit;

namespace Sentiric.Read.Tests.Knowledge;

/// <summary>The knowledge of a small practice, asked as people speak.</summary>
public sealed class FindingArticles(FindingArticles.Practice practice) : IClassFixture<FindingArticles.Practice>
{
    [Theory]
    [InlineData("çalışma saatleriniz nedir", "hours")]
    [InlineData("çalışma saatlerinizi öğrenebilir miyim", "hours")]
    [InlineData("ÇALIŞMA SAATLERİ", "hours")]
    [InlineData("hafta sonu açık mısınız", "hours")]
    [InlineData("adresiniz nerede", "address")]
    [InlineData("adresinizi alabilir miyim acaba", "address")]
    [InlineData("nasıl gelebilirim size", "address")]
    [InlineData("muayene ücreti ne kadar", "price")]
    [InlineData("muayene ücretiniz ne kadardır", "price")]
    [InlineData("otoparkınız var mı", "parking")]
    public async Task A_question_finds_its_article_whatever_its_endings(string question, string article)
    {
        var hits = await practice.Knowledge.SearchAsync(new("demo", question, "tr"), CancellationToken.None);
        Assert.NotEmpty(hits);
        Assert.Equal(article, hits[0].ArticleId);
        Assert.InRange(hits[0].Score, 0.45, 1.0);
    }

    [Theory]
    [InlineData("uzay gemisi kaç yakıt harcar")]
    [InlineData("bugün maç kaç kaç bitti")]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("?!…")]
    [InlineData("asdf qwerty")]
    public async Task What_nobody_wrote_down_finds_nothing(string question) =>
        Assert.Empty(await practice.Knowledge.SearchAsync(new("demo", question, "tr"), CancellationToken.None));

    [Fact]
    public async Task A_question_in_another_language_finds_articles_of_that_language_only()
    {
        Assert.Equal("hours-en", Assert.Single(await practice.Knowledge.SearchAsync(new("demo", "what are your opening hours", "en"), CancellationToken.None)).ArticleId);
        Assert.Empty(await practice.Knowledge.SearchAsync(new("demo", "çalışma saatleriniz nedir", "en"), CancellationToken.None));
        Assert.Equal(["what are your opening hours"], await practice.Knowledge.QuestionsAsync("demo", "en", CancellationToken.None));
    }

    [Fact]
    public async Task As_many_hits_as_asked_for_best_first()
    {
        var hits = await practice.Knowledge.SearchAsync(new("demo", "çalışma saatleri", "tr", Top: 1), CancellationToken.None);
        Assert.Single(hits);
        Assert.Single(await practice.Knowledge.SearchAsync(new("demo", "çalışma saatleri", "tr", Top: -3), CancellationToken.None));
    }

    [Fact]
    public async Task A_question_of_a_thousand_words_is_cut_not_feared() =>
        Assert.NotNull(await practice.Knowledge.SearchAsync(new("demo", string.Concat(Enumerable.Repeat("saat ", 100_000)), "tr"), CancellationToken.None));

    public sealed class Practice : IAsyncLifetime
    {
        private readonly ReadWorld _world = new();

        public IKnowledge Knowledge { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            await _world.InitializeAsync();
            await PublishAsync("hours", "Çalışma saatleri", "tr", "çalışma saatleriniz nedir", "saat kaçta açıksınız", "hafta sonu açık mısınız");
            await PublishAsync("address", "Adres", "tr", "adresiniz nerede", "nasıl gelebilirim", "konumunuz nerede");
            await PublishAsync("price", "Ücretler", "tr", "muayene ücreti ne kadar", "fiyatlarınız nedir");
            await PublishAsync("parking", "Otopark", "tr", "otopark var mı", "arabamı nereye park edebilirim");
            await PublishAsync("hours-en", "Opening hours", "en", "what are your opening hours");
            Knowledge = new KnowledgeSearch(new Tables(_world.Source));
        }

        public Task DisposeAsync() => _world.DisposeAsync();

        private Task PublishAsync(string id, string title, string language, params string[] questions) =>
            _world.TellAsync("demo", Streams.Article(id), new ArticlePublished(DemoCall.Begin, id, title, questions, $"Answer of {id}.", language, []));
    }
}
