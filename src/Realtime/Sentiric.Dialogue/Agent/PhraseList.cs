using System.Globalization;
using Sentiric.Contracts.Events;
using Sentiric.Speech;

namespace Sentiric.Dialogue;

/// <summary>What a caller is likely to say to this assistant: it biases the recogniser.</summary>
public static class PhraseList
{
    private static readonly string[] TurkishDays = ["pazartesi", "salı", "çarşamba", "perşembe", "cuma", "cumartesi", "pazar", "bugün", "yarın"];
    private static readonly string[] EnglishDays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "today", "tomorrow"];

    private static readonly (string Bare, string At)[] TurkishHours =
    [
        ("sekiz", "sekizde"), ("dokuz", "dokuzda"), ("on", "onda"), ("on bir", "on birde"), ("on iki", "on ikide"), ("on üç", "on üçte"), ("on dört", "on dörtte"), ("on beş", "on beşte"),
        ("on altı", "on altıda"), ("on yedi", "on yedide"), ("bir", "birde"), ("iki", "ikide"), ("üç", "üçte"), ("dört", "dörtte"), ("beş", "beşte"), ("altı", "altıda"), ("yedi", "yedide"),
    ];

    private static readonly string[] EnglishHours = ["eight", "nine", "ten", "eleven", "twelve", "one", "two", "three", "four", "five"];

    private static readonly string[] TurkishNames =
    [
        "ahmet", "mehmet", "mustafa", "ali", "hüseyin", "hasan", "ibrahim", "murat", "ömer", "yusuf", "emre", "burak", "can", "deniz", "kerem", "onur", "serkan", "okan", "selim", "tolga",
        "ayşe", "fatma", "emine", "hatice", "zeynep", "elif", "meryem", "merve", "esra", "selin", "ece", "derya", "gül", "leyla", "sevgi", "yasemin", "özlem", "seda", "gizem", "aylin",
        "ayşe yılmaz", "mehmet kaya", "zeynep demir", "ali çelik", "elif şahin", "ahmet yıldız", "deniz aydın", "selin arslan", "murat doğan", "fatma koç",
    ];

    private static readonly string[] EnglishNames = ["john", "mary", "james", "anna", "david", "sarah", "michael", "emma", "john smith", "mary brown"];

    private static readonly string[] TurkishGeneral =
    [
        "merhaba", "alo", "iyi günler", "günaydın", "evet", "evet doğru", "evet onaylıyorum", "tamam", "olur", "doğru", "onaylıyorum", "hayır", "hayır yanlış", "hayır istemiyorum", "vazgeçtim",
        "iptal et", "teşekkür ederim", "teşekkürler", "hayır teşekkür ederim", "hayır teşekkür ederim iyi günler", "hayır teşekkürler", "başka bir sorum yok", "başka bir sorum yok teşekkür ederim",
        "hoşça kalın", "iyi günler hoşça kalın", "görüşmek üzere", "bir sorum daha var", "bir de şunu soracaktım", "anlamadım", "tekrar eder misiniz", "bir dakika lütfen",
        "müşteri temsilcisine bağlanmak istiyorum", "hı hı", "anladım", "umarım",
    ];

    private static readonly string[] EnglishGeneral =
    [
        "hello", "good morning", "yes", "yes that is right", "yes please", "correct", "no", "no thank you", "no thank you good bye", "okay", "sure", "thank you", "that is all", "nothing else", "good bye",
        "cancel that", "never mind", "i have another question", "please repeat that", "i want to speak to a person", "one moment please",
    ];

    public static IReadOnlyList<string> For(AssistantDefinition assistant, IReadOnlyList<string> questions, string language)
    {
        var english = language == "en";
        var phrases = new List<string>(english ? EnglishGeneral : TurkishGeneral);
        phrases.AddRange(assistant.Phrases);
        phrases.AddRange(questions);
        foreach (var task in assistant.Tasks)
        {
            phrases.AddRange(task.Triggers);
            phrases.AddRange(task.Triggers.Select(t => (english ? "hello " : "merhaba ") + t));
            phrases.AddRange(task.Slots.SelectMany(s => Values(s, english)));
            phrases.AddRange(Together(task, english));
        }

        return phrases.Select(p => p.Trim()).Where(p => p.Length > 0).Distinct(StringComparer.Ordinal).Take(RecognitionOptions.MaxPhrases).ToArray();
    }

    private static IEnumerable<string> Values(AssistantSlot slot, bool english) => slot.Kind switch
    {
        "day" => english ? EnglishDays.SelectMany(d => new[] { d, "on " + d, "no " + d }) : TurkishDays.SelectMany(ForDay),
        "time" => english ? EnglishHours.SelectMany(h => new[] { h, "at " + h, $"{h} o'clock", $"at {h} thirty" }) : TurkishHours.SelectMany(ForHour),
        "name" => english ? EnglishNames.SelectMany(n => new[] { n, "my name is " + n }) : TurkishNames.SelectMany(n => new[] { n, "adım " + n, "ismim " + n, "benim adım " + n }),
        "number" => english ? ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
            : ["sıfır", "bir", "iki", "üç", "dört", "beş", "altı", "yedi", "sekiz", "dokuz", "on", "yirmi", "otuz", "kırk", "elli", "altmış", "yetmiş", "seksen", "doksan", "yüz"],
        "choice" => slot.Choices,
        _ => [],
    };

    private static IEnumerable<string> ForDay(string day) =>
        day is "bugün" or "yarın" ? [day, $"{day} olsun", $"{day} gelebilirim", $"hayır {day} olsun"] : [day, $"{day} günü", $"{day} olsun", $"{day} günü olsun", $"hayır {day} olsun", $"hayır {day} günü"];

    private static IEnumerable<string> ForHour((string Bare, string At) hour) =>
        [$"saat {hour.At}", hour.At, $"saat {hour.Bare}", $"{hour.Bare} buçukta", $"saat {hour.Bare} buçukta", $"saat {hour.Bare} olsun", $"hayır saat {hour.At}"];

    // "Salı günü saat onda randevu almak istiyorum": the first trigger with a day and a time before it.
    private static IEnumerable<string> Together(AssistantTask task, bool english)
    {
        if (english || task.Triggers.Count == 0 || !task.Slots.Any(s => s.Kind == "day") || !task.Slots.Any(s => s.Kind == "time"))
        {
            yield break;
        }

        foreach (var day in TurkishDays.Take(7))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{day} günü {task.Triggers[0]}");
            foreach (var hour in TurkishHours.Take(10))
            {
                yield return $"{day} günü saat {hour.At}";
                yield return $"{day} günü saat {hour.At} {task.Triggers[0]}";
            }
        }
    }
}
