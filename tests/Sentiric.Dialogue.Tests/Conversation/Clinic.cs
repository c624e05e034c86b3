using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Dialogue.Tests;

/// <summary>A small clinic: one task, four articles. What the tests talk to.</summary>
internal static class Clinic
{
    public static readonly Guid CallId = Guid.Parse("0193a7b0-0000-7000-8000-000000000001");
    public const string Tenant = "klinik";

    // Tuesday, 17 November 2026, ten in the morning in Istanbul.
    public static readonly DateTimeOffset Start = new(2026, 11, 17, 10, 0, 0, TimeSpan.FromHours(3));

    public static readonly AssistantDefinition Turkish = new(
        "Deva Kliniği", "tr", "Merhaba, Deva Kliniği'ne hoş geldiniz. Size nasıl yardımcı olabilirim?", "Kliniğin asistanısın.",
        [
            new("book", ["randevu almak istiyorum", "randevu istiyorum", "randevu alabilir miyim"],
                [
                    new("day", "day", "Hangi gün gelmek istersiniz?", []),
                    new("time", "time", "Saat kaçta gelmek istersiniz?", []),
                    new("name", "name", "Adınızı söyler misiniz?", []),
                ],
                "takvim", "book", "Randevunuz {day} günü saat {time} için alındı.", "Randevuyu alamadım. {why}",
                "{day} günü saat {time}, {name} adına, onaylıyor musunuz?"),
        ],
        true, []);

    public static readonly AssistantDefinition English = new(
        "Deva Clinic", "en", "Hello, welcome to Deva Clinic. How can I help you?", "",
        [
            new("book", ["book an appointment", "make an appointment"],
                [new("day", "day", "Which day?", []), new("time", "time", "What time?", []), new("name", "name", "What is your name?", [])],
                "takvim", "book", "Your appointment on {day} at {time} is booked.", "I could not book it. {why}", "{day} at {time} for {name}, is that right?"),
        ],
        true, []);

    private static readonly (string Id, string Question, string Answer)[] Articles =
    [
        ("saatler", "çalışma saatleriniz nedir", "Hafta içi dokuzdan altıya kadar açığız."),
        ("adres", "adresiniz nedir", "Bahariye Caddesi on iki numaradayız."),
        ("ucret", "muayene ücreti ne kadar", "Muayene ücreti beş yüz lira."),
        ("hours", "what are your opening hours", "We are open from nine to six."),
    ];

    public static IReadOnlyList<KnowledgeHit> Search(string query) =>
        Articles.Where(a => Intents.Match(Words.Of(query), Words.Of(a.Question)) >= 0.7).Select(a => new KnowledgeHit(a.Id, a.Question, a.Answer, 0.9)).ToArray();

    public static string AnswerOf(string article) => Articles.First(a => a.Id == article).Answer;

    public static Setup Setup(AssistantDefinition assistant, string? caller = null, bool isText = false, bool llm = false) => new(
        CallId, Tenant, assistant.Language, assistant, caller, "+905321112233", isText, true, llm, new DialogueLimits(), new Dictionary<string, string>());
}
