using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>Fills the slots of a task, in any order and several at once, has them confirmed and sets the tool in motion.</summary>
internal static class Form
{
    public static void Begin(Draft d, AssistantTask task, IReadOnlyList<Word> words)
    {
        BuiltInEngine.Understood(d);
        d.Mind = d.Mind with { TaskId = task.Id, Slots = new Dictionary<string, string>(), SlotName = null, Awaiting = Awaiting.Slot, Digits = "" };
        Keep(d, Found(d, task, words, asked: null));
        AskNext(d, task);
    }

    /// <summary>The caller's words while a form is open; false when they are no answer to it.</summary>
    public static bool Take(Draft d, AssistantTask task, IReadOnlyList<Word> words, string text)
    {
        if (Intents.GivesUp(words))
        {
            LeaveTask(d);
            d.Say(d.Prompt(PlatformPrompts.GivenUp), UtteranceKind.Answer, d.Prompt(PlatformPrompts.AnythingElse));
            return true;
        }

        return d.Mind.Awaiting switch
        {
            Awaiting.Slot => TakeSlots(d, task, words),
            Awaiting.Confirmation => TakeConfirmation(d, task, words),
            Awaiting.Correction => TakeCorrection(d, task, words),
            Awaiting.Anything or Awaiting.AnythingElse => false,
        };
    }

    /// <summary>The words were a question to which there is no answer; if they hold a value all the same, it is taken ("salı olur mu acaba").</summary>
    public static bool TakeAfterAll(Draft d, AssistantTask task, IReadOnlyList<Word> words)
    {
        var found = Found(d, task, words, Asked(d, task));
        if (found.Count == 0)
        {
            return false;
        }

        Accept(d, task, found);
        return true;
    }

    /// <summary>The question that is open, for a caller who asked something else in between.</summary>
    public static string OpenQuestion(Draft d) => (d.Mind.Awaiting, d.Task) switch
    {
        (Awaiting.Slot, { } task) => Asked(d, task)?.Prompt ?? "",
        (Awaiting.Confirmation, { } task) => Confirmation(d, task),
        (Awaiting.Correction, not null) => d.Prompt(PlatformPrompts.WhatToCorrect),
        (Awaiting.AnythingElse, _) => d.Prompt(PlatformPrompts.AnythingElse),
        _ => d.Prompt(PlatformPrompts.HowToHelp),
    };

    public static void LeaveTask(Draft d) =>
        d.Mind = d.Mind with { TaskId = null, SlotName = null, Slots = new Dictionary<string, string>(), Awaiting = Awaiting.AnythingElse, Failures = 0, Digits = "" };

    /// <summary>Asks for the first slot of these kinds again: the connector said that it does not fit.</summary>
    public static void AskAgain(Draft d, AssistantTask task, string said, params string[] kinds)
    {
        var kept = d.Mind.Slots.Where(s => task.Slots.FirstOrDefault(t => t.Name == s.Key) is { } slot && !kinds.Contains(slot.Kind)).ToDictionary(s => s.Key, s => s.Value);
        d.Mind = d.Mind with { Slots = kept };
        var next = task.Slots.First(s => !kept.ContainsKey(s.Name));
        d.Mind = d.Mind with { Awaiting = Awaiting.Slot, SlotName = next.Name };
        d.Say(said, UtteranceKind.Answer, next.Prompt);
    }

    public static string? SpokenValue(Draft d, AssistantTask task, string name) =>
        d.Mind.Slots.TryGetValue(name, out var value) ? SlotParser.Spoken(task.Slots.FirstOrDefault(s => s.Name == name), value, d.Setup.Language) : null;

    private static bool TakeSlots(Draft d, AssistantTask task, IReadOnlyList<Word> words)
    {
        var asked = Asked(d, task);
        var found = Found(d, task, words, asked);
        var takesAnything = asked?.Kind is "text" or "name";
        var isAnswer = found.Count > 0 && (SlotParser.LeftOver(words, found.Values) == 0 || !Vocabulary.IsQuestion(words));

        // A name can be anything: what the assistant knows as a task or what opens with a question word is none.
        if (found.Count == 0 || !isAnswer || (takesAnything && Vocabulary.IsQuestion(words)))
        {
            return false;
        }

        Accept(d, task, found);
        return true;
    }

    private static bool TakeConfirmation(Draft d, AssistantTask task, IReadOnlyList<Word> words)
    {
        var found = Found(d, task, words, asked: null);
        var corrects = found.Any(f => d.Mind.Slots.GetValueOrDefault(f.Key) != f.Value.Value);
        if (corrects && !(Vocabulary.IsQuestion(words) && SlotParser.LeftOver(words, found.Values) > 0))
        {
            Accept(d, task, found);
            return true;
        }

        switch (Intents.YesOrNo(words))
        {
            case true when !Vocabulary.IsQuestion(words):
                BuiltInEngine.Understood(d);
                Tools.Call(d, task);
                return true;
            case false:
                BuiltInEngine.Understood(d);
                d.Mind = d.Mind with { Awaiting = Awaiting.Correction };
                d.Say(d.Prompt(PlatformPrompts.WhatToCorrect), UtteranceKind.Question);
                return true;
            default:
                return false;
        }
    }

    private static bool TakeCorrection(Draft d, AssistantTask task, IReadOnlyList<Word> words)
    {
        var found = Found(d, task, words, asked: null);
        if (found.Count > 0)
        {
            Accept(d, task, found);
            return true;
        }

        // "Saati", "günü": the caller names what is wrong and not yet what is right.
        if (task.Slots.FirstOrDefault(s => Names(s, words)) is { } slot)
        {
            d.Mind = d.Mind with { Awaiting = Awaiting.Slot, SlotName = slot.Name, Failures = 0 };
            d.Say(slot.Prompt, UtteranceKind.Question);
            return true;
        }

        if (words.Count <= 3 && words.Any(w => Vocabulary.No.Contains(w.Folded)))
        {
            LeaveTask(d);
            d.Say(d.Prompt(PlatformPrompts.GivenUp), UtteranceKind.Answer, d.Prompt(PlatformPrompts.AnythingElse));
            return true;
        }

        return false;
    }

    private static bool Names(AssistantSlot slot, IReadOnlyList<Word> words) => words.Any(w => slot.Kind switch
    {
        "day" => w.Folded.StartsWith("gun", StringComparison.Ordinal) || w.Folded.StartsWith("tarih", StringComparison.Ordinal) || w.Folded is "day" or "date",
        "time" => w.Folded.StartsWith("saat", StringComparison.Ordinal) || w.Folded is "time" or "hour",
        "name" => w.Folded.StartsWith("isim", StringComparison.Ordinal) || w.Folded.StartsWith("ismi", StringComparison.Ordinal) || w.Folded is "adi" or "adimi" or "name",
        _ => w.SameAs(Words.Fold(slot.Name)),
    });

    private static void Accept(Draft d, AssistantTask task, IReadOnlyDictionary<string, SlotMatch> found)
    {
        BuiltInEngine.Understood(d);
        Keep(d, found);
        AskNext(d, task);
    }

    private static void AskNext(Draft d, AssistantTask task)
    {
        if (task.Slots.FirstOrDefault(s => !d.Mind.Slots.ContainsKey(s.Name)) is { } next)
        {
            d.Mind = d.Mind with { Awaiting = Awaiting.Slot, SlotName = next.Name };
            d.Say(next.Prompt, UtteranceKind.Question);
        }
        else if (task.Confirm.Length > 0)
        {
            d.Mind = d.Mind with { Awaiting = Awaiting.Confirmation, SlotName = null };
            d.Say(Confirmation(d, task), UtteranceKind.Confirmation);
        }
        else
        {
            Tools.Call(d, task);
        }
    }

    private static string Confirmation(Draft d, AssistantTask task) => Template.Sentence(Template.Fill(task.Confirm, name => SpokenValue(d, task, name)));

    private static AssistantSlot? Asked(Draft d, AssistantTask task) => task.Slots.FirstOrDefault(s => s.Name == d.Mind.SlotName);

    /// <summary>Values of any slot of the task. Free text counts for the slot that was asked for alone.</summary>
    public static Dictionary<string, SlotMatch> Found(AssistantTask task, IReadOnlyList<Word> words, AssistantSlot? asked, DateOnly today, string language)
    {
        var found = new Dictionary<string, SlotMatch>(StringComparer.Ordinal);
        foreach (var slot in task.Slots)
        {
            // Two slots of one kind: what was said belongs to the one that was asked for.
            var isTwin = asked is not null && slot.Kind == asked.Kind && slot.Name != asked.Name;
            if (!isTwin && SlotParser.Find(slot, words, slot.Name == asked?.Name, today, language) is { } match)
            {
                found[slot.Name] = match;
            }
        }

        // "Salı günü saat onda" is no name, though a name was asked for.
        if (asked?.Kind is "name" && found.Count > 1)
        {
            found.Remove(asked.Name);
        }

        return found;
    }

    private static Dictionary<string, SlotMatch> Found(Draft d, AssistantTask task, IReadOnlyList<Word> words, AssistantSlot? asked) =>
        Found(task, words, asked, d.Today, d.Setup.Language);

    private static void Keep(Draft d, IReadOnlyDictionary<string, SlotMatch> found)
    {
        var slots = new Dictionary<string, string>(d.Mind.Slots, StringComparer.Ordinal);
        foreach (var (name, match) in found)
        {
            slots[name] = match.Value;
        }

        d.Mind = d.Mind with { Slots = slots };
    }
}
