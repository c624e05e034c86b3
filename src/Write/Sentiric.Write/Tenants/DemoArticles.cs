using Sentiric.Write.Knowledge;

namespace Sentiric.Write.Tenants;

/// <summary>What callers ask the demo clinic, in several wordings each.</summary>
internal static class DemoArticles
{
    public static IReadOnlyList<PublishArticle> Turkish { get; } =
    [
        Article("calisma-saatleri", "Çalışma saatleri", "Hafta içi ve cumartesi günleri sabah dokuzdan akşam altıya kadar açığız.",
            "çalışma saatleriniz nedir", "saat kaçta açılıyorsunuz", "saat kaçta kapanıyorsunuz", "kaça kadar açıksınız", "bugün açık mısınız", "hangi saatlerde açıksınız"),
        Article("adres", "Adres", "Kliniğimiz Kadıköy'de, Bahariye Caddesi numara on ikide. Metrodan yürüyerek beş dakika sürüyor.",
            "adresiniz nedir", "neredesiniz", "kliniğiniz nerede", "size nasıl gelebilirim", "size nasıl ulaşabilirim", "yeriniz nerede"),
        Article("muayene-ucreti", "Muayene ücreti", "Muayene ücreti beş yüz lira. Tedaviye başlarsanız muayeneden ücret almıyoruz.",
            "muayene ücreti ne kadar", "muayene ne kadar", "muayene kaç lira", "ücret ne kadar", "fiyat bilgisi alabilir miyim", "muayene fiyatı nedir"),
        Article("hafta-sonu", "Hafta sonu", "Cumartesi günleri açığız, pazar günleri kapalıyız.",
            "hafta sonu açık mısınız", "pazar günü açık mısınız", "cumartesi günü açık mısınız", "hafta sonu çalışıyor musunuz", "cumartesi çalışıyor musunuz"),
        Article("odeme", "Ödeme ve taksit", "Nakit ya da kredi kartıyla ödeyebilirsiniz. Kredi kartına altı taksit yapıyoruz.",
            "taksit yapabilir misiniz", "taksit var mı", "kaç taksit yapıyorsunuz", "kredi kartıyla ödeyebilir miyim", "nasıl ödeyebilirim", "ödeme nasıl yapılıyor"),
        Article("ilk-muayene", "İlk muayene", "İlk muayene yarım saat sürüyor. Lütfen kimliğinizi yanınızda getirin.",
            "ilk muayene ne kadar sürer", "muayene ne kadar sürüyor", "ilk muayene nasıl oluyor", "hangi belgeler gerekiyor", "ne getirmem gerekiyor", "ilk muayenede ne yapılıyor"),
    ];

    public static IReadOnlyList<PublishArticle> English { get; } =
    [
        EnglishArticle("opening-hours", "Opening hours", "We are open from nine in the morning to six in the evening, Monday to Saturday.",
            "what are your opening hours", "when are you open", "when do you open", "when do you close", "are you open today"),
        EnglishArticle("address", "Address", "Our clinic is in Kadikoy, at Bahariye street number twelve, five minutes on foot from the metro.",
            "what is your address", "where are you", "where is the clinic", "how do I get there"),
        EnglishArticle("examination-fee", "Examination fee", "An examination costs five hundred lira. If you start a treatment, the examination is free.",
            "how much is an examination", "what does it cost", "what is the price", "how much do you charge"),
        EnglishArticle("weekend", "Weekend", "We are open on Saturdays and closed on Sundays.",
            "are you open at the weekend", "are you open on Saturday", "are you open on Sunday"),
        EnglishArticle("payment", "Payment", "You can pay in cash or by credit card, in up to six instalments.",
            "how can I pay", "can I pay by credit card", "can I pay in instalments", "do you take cards"),
        EnglishArticle("first-examination", "First examination", "The first examination takes half an hour. Please bring your identity card.",
            "how long does the first examination take", "what happens at the first examination", "what do I need to bring"),
    ];

    private static PublishArticle Article(string id, string title, string answer, params string[] questions) =>
        new(id, new ArticleContent(title, questions, answer, "tr", ["demo"]));

    private static PublishArticle EnglishArticle(string id, string title, string answer, params string[] questions) =>
        new(id, new ArticleContent(title, questions, answer, "en", ["demo"]));
}
