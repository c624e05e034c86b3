using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>
/// Whether a text that is still growing already is all that the open question asks for: the turn need not wait for more. Pure. Says no when in
/// doubt, because a wrong yes cuts the caller short and a wrong no costs half a second.
/// </summary>
internal static class WholeAnswer
{
    private const int WordsOfAFullName = 2;

    public static bool Is(Mind mind, AssistantDefinition? assistant, string text, DateOnly today, string language)
    {
        var words = Words.Of(text);
        if (words.Count == 0)
        {
            return false;
        }

        var task = mind.TaskId is { } id ? assistant?.Tasks.FirstOrDefault(t => t.Id == id) : null;
        return mind.Awaiting switch
        {
            Awaiting.Slot => task?.Slots.FirstOrDefault(s => s.Name == mind.SlotName) is { } asked && FillsTheSlot(task, asked, words, today, language),
            Awaiting.Confirmation => words.All(IsYesOrNo) || (task is not null && Corrects(task, words, today, language)),
            Awaiting.AnythingElse => words.All(IsYesOrNo),
            Awaiting.Anything or Awaiting.Correction => false,
        };
    }

    private static bool FillsTheSlot(AssistantTask task, AssistantSlot asked, IReadOnlyList<Word> words, DateOnly today, string language)
    {
        var found = Form.Found(task, words, asked, today, language);
        if (!found.TryGetValue(asked.Name, out var value))
        {
            return false;
        }

        // Before a name that was asked for stands nothing but its opening: "benim adım".
        var isName = asked.Kind == "name";
        return !(isName && IsNotYetAName(value, words)) && IsAllSaid(task, isName ? new() { [asked.Name] = value with { Start = 0 } } : found, words);
    }

    private static bool IsNotYetAName(SlotMatch name, IReadOnlyList<Word> words) =>
        name.End - name.Start < WordsOfAFullName || words.Skip(name.Start).Any(w => Vocabulary.Fillers.Contains(w.Folded));

    // "Hayır çarşamba günü": the correction comes with the no.
    private static bool Corrects(AssistantTask task, IReadOnlyList<Word> words, DateOnly today, string language)
    {
        var found = Form.Found(task, words, asked: null, today, language);
        return found.Count > 0 && IsAllSaid(task, found, words);
    }

    // Nothing is left over, and the last word belongs to a value that cannot grow.
    private static bool IsAllSaid(AssistantTask task, Dictionary<string, SlotMatch> found, IReadOnlyList<Word> words)
    {
        var last = found.FirstOrDefault(f => f.Value.End == words.Count);
        return last.Key is { } name && SlotParser.LeftOver(words, found.Values) == 0 && !MayGrow(task.Slots.First(s => s.Name == name).Kind, last.Value, words);
    }

    private static bool MayGrow(string kind, SlotMatch match, IReadOnlyList<Word> words) => kind switch
    {
        "day" or "choice" => false,
        "time" => TimeMayGrow(words[^1]),
        "name" => words.Skip(match.Start).Count(w => w.Folded is not ("adim" or "ismim")) < WordsOfAFullName,
        // Digits and free text may always go on.
        _ => true,
    };

    // "On" may become "on buçukta" or "on otuz", "ona" "ona çeyrek kala"; "onda" is said to its end.
    private static bool TimeMayGrow(Word last) => NumberWords.Read(last.Folded) is { } number && !NumberWords.IsLocative(number.Suffix);

    // "Değil" and "not" stand between what is wrong and what is right.
    private static bool IsYesOrNo(Word word) =>
        Vocabulary.Yes.Contains(word.Folded) || (Vocabulary.No.Contains(word.Folded) && word.Folded is not ("degil" or "not"));
}
