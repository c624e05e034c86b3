using System.Collections.Frozen;

namespace Sentiric.Contracts.Text;

/// <summary>
/// What the platform says when a tenant has not said it otherwise. A tenant overrides a text by defining an announcement with the same id.
/// </summary>
public static class BuiltInAnnouncements
{
    public const string Error = "error";
    public const string MaxFailures = "max_failures";
    public const string CannotHear = "cannot_hear";
    public const string CannotUnderstand = "cannot_understand";
    public const string GoodBye = "good_bye";
    public const string Maintenance = "maintenance";
    public const string AfterHours = "after_hours";
    public const string AllAgentsBusy = "all_agents_busy";
    public const string TransferFailed = "transfer_failed";
    public const string UnknownNumber = "unknown_number";
    public const string AnonymousBlocked = "anonymous_blocked";
    public const string RecordingNotice = "recording_notice";
    public const string WelcomeGuest = "welcome_guest";
    public const string WelcomeKnown = "welcome_known";

    private static readonly FrozenDictionary<string, (string Tr, string En)> Texts = new Dictionary<string, (string Tr, string En)>
    {
        [Error] = (
            "Üzgünüz, şu anda bir sorun yaşıyoruz. Lütfen biraz sonra yeniden arayın.",
            "We are sorry, something is not working right now. Please call again in a little while."),
        [MaxFailures] = (
            "Sizi bir türlü anlayamadım, özür dilerim. Lütfen daha sonra yeniden arayın.",
            "I am sorry, I could not understand you after several tries. Please call again later."),
        [CannotHear] = (
            "Sizi duyamıyorum. Biraz daha yüksek sesle konuşur musunuz?",
            "I cannot hear you. Could you speak a little louder?"),
        [CannotUnderstand] = (
            "Tam anlayamadım. Başka sözcüklerle söyler misiniz?",
            "I did not quite get that. Could you say it in other words?"),
        [GoodBye] = (
            "Aradığınız için teşekkürler, iyi günler dilerim.",
            "Thank you for calling. Have a nice day."),
        [Maintenance] = (
            "Şu anda bakım yapıyoruz, bu yüzden size yardımcı olamıyoruz. Lütfen daha sonra arayın.",
            "We are doing maintenance at the moment and cannot help you. Please call later."),
        [AfterHours] = (
            "Şu anda kapalıyız. Lütfen çalışma saatlerimiz içinde yeniden arayın.",
            "We are closed at the moment. Please call again during our opening hours."),
        [AllAgentsBusy] = (
            "Şu anda bütün hatlarımız dolu. Lütfen birkaç dakika sonra yeniden arayın.",
            "All our lines are busy at the moment. Please call again in a few minutes."),
        [TransferFailed] = (
            "Sizi aktaramadım, karşı taraf yanıt vermiyor.",
            "I could not put you through, nobody answers there."),
        [UnknownNumber] = (
            "Aradığınız numara kullanılmıyor. Lütfen numarayı kontrol edin.",
            "The number that you called is not in use. Please check it."),
        [AnonymousBlocked] = (
            "Bu hat gizli numaralardan gelen aramaları kabul etmiyor.",
            "This line does not take calls from withheld numbers."),
        [RecordingNotice] = (
            "Ben bir yapay zekâ asistanıyım. Görüşmemiz kayıt altına alınıyor.",
            "I am an artificial intelligence assistant. This call is being recorded."),
        [WelcomeGuest] = ("Hoş geldiniz.", "Welcome."),
        [WelcomeKnown] = ("Tekrar hoş geldiniz.", "Welcome back."),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static IReadOnlyCollection<string> Ids => Texts.Keys;

    /// <summary>The words in "en" for English, in Turkish for everything else; null when no such text is built in.</summary>
    public static string? Text(string id, string language) =>
        Texts.TryGetValue(id, out var text) ? (language == "en" ? text.En : text.Tr) : null;
}
