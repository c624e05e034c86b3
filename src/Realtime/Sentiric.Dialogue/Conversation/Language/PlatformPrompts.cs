using System.Collections.Frozen;

namespace Sentiric.Dialogue;

/// <summary>What the platform itself says around an assistant's own words, Turkish and English. A tenant may put its own wording in place.</summary>
public static class PlatformPrompts
{
    public const string Hello = "hello";
    public const string HelloKnown = "hello_known";
    public const string Disclosure = "ai_disclosure";
    public const string DisclosureText = "ai_disclosure_chat";
    public const string RecordingNotice = "recording_notice";
    public const string HowToHelp = "how_to_help";
    public const string AnythingElse = "anything_else";
    public const string GoOn = "go_on";
    public const string YouAreWelcome = "you_are_welcome";
    public const string CannotUnderstand = "cannot_understand";
    public const string CannotHear = "cannot_hear";
    public const string MaxFailures = "max_failures";
    public const string NoAnswer = "no_answer_found";
    public const string OneMoment = "one_moment";
    public const string GivenUp = "given_up";
    public const string WhatToCorrect = "what_to_correct";
    public const string YesOrNo = "yes_or_no";
    public const string NoPerson = "no_person";
    public const string Connecting = "connecting";
    public const string NotConnected = "not_connected";
    public const string Back = "back_again";
    public const string Goodbye = "good_bye";
    public const string FailSafe = "error";
    public const string TransferFailed = "transfer_failed";
    public const string Busy = "busy";
    public const string Maintenance = "maintenance";
    public const string AfterHours = "after_hours";
    public const string UnknownNumber = "unknown_number";
    public const string EchoTest = "echo_test";
    public const string TooLong = "too_long";
    public const string TaskDone = "task_done";
    public const string TaskFailed = "task_failed";
    public const string SlotTaken = "why_slot_taken";
    public const string Closed = "why_closed";
    public const string BadParameter = "why_bad_parameter";
    public const string Unreachable = "why_unreachable";

    private static readonly FrozenDictionary<string, (string Turkish, string English)> Texts = new Dictionary<string, (string, string)>
    {
        [Hello] = ("Merhaba.", "Hello."),
        [HelloKnown] = ("Merhaba {name}.", "Hello {name}."),
        [Disclosure] = ("Yapay zeka destekli bir sesli asistanla görüşüyorsunuz.", "You are speaking with an AI voice assistant."),
        [DisclosureText] = ("Yapay zeka destekli bir asistanla yazışıyorsunuz.", "You are chatting with an AI assistant."),
        [RecordingNotice] = ("Görüşmemiz kaydedilmektedir.", "This call is being recorded."),
        [HowToHelp] = ("Size nasıl yardımcı olabilirim?", "How can I help you?"),
        [AnythingElse] = ("Başka bir konuda yardımcı olabilir miyim?", "Is there anything else that I can help you with?"),
        [GoOn] = ("Buyurun, sizi dinliyorum.", "Please go on, I am listening."),
        [YouAreWelcome] = ("Rica ederim.", "You are welcome."),
        [CannotUnderstand] = ("Kusura bakmayın, anlayamadım.", "Sorry, I did not understand that."),
        [CannotHear] = ("Sizi duyamıyorum.", "I cannot hear you."),
        [MaxFailures] = (
            "Üzgünüm, şu anda size yardımcı olamıyorum. Lütfen daha sonra tekrar arayın. İyi günler.",
            "I am sorry that I cannot help you at the moment. Please try again later. Good-bye."),
        [NoAnswer] = ("Bu konuda elimde bilgi yok.", "I have no information on that."),
        [OneMoment] = ("Bir saniye lütfen, bakıyorum.", "One moment please, I am checking."),
        [GivenUp] = ("Peki, bu işlemi iptal ettim.", "All right, I have cancelled that."),
        [WhatToCorrect] = ("Peki, neyi değiştirelim?", "All right, what should I change?"),
        [YesOrNo] = ("Lütfen evet ya da hayır deyin.", "Please say yes or no."),
        [NoPerson] = (
            "Sizi şu anda bir müşteri temsilcisine bağlayamıyorum; görüşmeyi yalnızca ben yürütebiliyorum.",
            "I cannot connect you to a person at the moment; on this line there is only me."),
        [Connecting] = ("Sizi bağlıyorum, lütfen hatta kalın.", "I am connecting you, please hold the line."),
        [NotConnected] = ("Üzgünüm, sizi şu anda bağlayamadım.", "I am sorry, I could not connect you just now."),
        [Back] = ("Kısa bir kesinti oldu, kaldığımız yerden devam edelim.", "There was a short interruption, let us go on where we were."),
        [Goodbye] = ("Bizi aradığınız için teşekkür ederiz. İyi günler, hoşça kalın.", "Thank you for contacting us. Have a nice day, good-bye."),
        [FailSafe] = (
            "Üzgünüm, teknik bir sorun oluştu. Lütfen daha sonra tekrar arayın. İyi günler.",
            "I am sorry, there is a technical problem. Please call again later. Good-bye."),
        [TransferFailed] = (
            "Üzgünüm, çağrınızı şu anda aktaramıyoruz. Lütfen daha sonra tekrar arayın. İyi günler.",
            "I am sorry, your call cannot be transferred at the moment. Please call again later. Good-bye."),
        [Busy] = (
            "Şu anda tüm hatlarımız dolu. Lütfen daha sonra tekrar arayın. İyi günler.",
            "All our lines are busy at the moment. Please call again later. Good-bye."),
        [Maintenance] = (
            "Sistemimiz şu anda bakımdadır. Lütfen daha sonra tekrar arayın. İyi günler.",
            "Our system is under maintenance at the moment. Please call again later. Good-bye."),
        [AfterHours] = (
            "Şu anda mesai saatleri dışındayız. Lütfen çalışma saatlerimizde tekrar arayın. İyi günler.",
            "We are closed at the moment. Please call again during our opening hours. Good-bye."),
        [UnknownNumber] = ("Aradığınız numara kullanılmamaktadır.", "The number that you have called is not in use."),
        [EchoTest] = ("Yankı testi başlıyor. Konuşun, kendinizi duyacaksınız.", "The echo test begins. Speak, and you will hear yourself."),
        [TooLong] = ("Görüşme süremiz doldu. Aradığınız için teşekkür ederiz, iyi günler.", "We have reached the longest time for a call. Thank you, good-bye."),
        [TaskDone] = ("İşleminiz tamamlandı.", "It is done."),
        [TaskFailed] = ("Üzgünüm, işlem yapılamadı. {why}", "I am sorry, that did not work. {why}"),
        [SlotTaken] = ("Bu saat dolu.", "That time is taken."),
        [Closed] = ("Bu saatte kapalıyız.", "We are closed at that time."),
        [BadParameter] = ("Verilen bilgilerde bir eksik var.", "Something in the details is missing."),
        [Unreachable] = ("Sisteme şu anda ulaşamıyorum.", "The system cannot be reached at the moment."),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static IReadOnlyCollection<string> Names => Texts.Keys;

    /// <summary>Languages in which the platform has its own words.</summary>
    public static IReadOnlyList<string> Languages { get; } = ["tr", "en"];

    /// <summary>The own wording where there is one; English for "en", Turkish for everything else.</summary>
    public static string Text(string name, string language, IReadOnlyDictionary<string, string> own) =>
        own.TryGetValue(name, out var text) ? text : language.StartsWith("en", StringComparison.OrdinalIgnoreCase) ? Texts[name].English : Texts[name].Turkish;

    public static string BuiltIn(string name, string language) => Text(name, language, FrozenDictionary<string, string>.Empty);
}
