using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>Answers without an LLM: an open form first, then tasks, then the knowledge base. Runs an <see cref="AssistantDefinition"/> as it stands.</summary>
internal static class BuiltInEngine
{
    /// <summary>Below this a text that fits nothing is not even looked up.</summary>
    private const double TooUnsure = 0.2;

    public static void Answer(Draft d, string text, double confidence)
    {
        var words = Words.Of(text);
        if (Intents.IsClosing(words, d.Mind.Awaiting == Awaiting.AnythingElse, IsFirst(d)))
        {
            Closing.SayGoodbye(d);
            return;
        }

        if (Intents.WantsPerson(words) && Transferring.Wish(d))
        {
            return;
        }

        if (Intents.WantsPerson(words))
        {
            d.Say(d.Prompt(PlatformPrompts.NoPerson), UtteranceKind.Answer, Form.OpenQuestion(d));
            return;
        }

        if (Intents.OnlyGoesOn(words))
        {
            Understood(d);
            d.Mind = d.Task is null ? d.Mind with { Awaiting = Awaiting.Anything } : d.Mind;
            d.Say(d.Prompt(PlatformPrompts.GoOn), UtteranceKind.Answer);
            return;
        }

        if (d.Task is { } task && Form.Take(d, task, words, text))
        {
            return;
        }

        if (d.Task is null && StartsTask(d, words))
        {
            return;
        }

        if (SmallTalk(d, words))
        {
            return;
        }

        if (d.Assistant?.UseKnowledge == true && confidence >= TooUnsure)
        {
            Knowledge.Search(d, text);
            return;
        }

        AfterNoAnswer(d, text);
    }

    /// <summary>Nothing in the knowledge base either: the last chance is a task that fits less well than its threshold asks.</summary>
    public static void AfterNoAnswer(Draft d, string text)
    {
        var words = Words.Of(text);
        if (d.Task is { } task && Form.TakeAfterAll(d, task, words))
        {
            return;
        }

        if (d.Task is null && d.Assistant is { } assistant && Intents.BestTask(assistant, words) is { Task: { } best, Score: >= Intents.Threshold })
        {
            Form.Begin(d, best, words);
            return;
        }

        if (d.Task is null && Vocabulary.IsQuestion(words))
        {
            Understood(d);
            d.Mind = d.Mind with { Awaiting = Awaiting.AnythingElse };
            d.Say(d.Prompt(PlatformPrompts.NoAnswer), UtteranceKind.Answer, d.Prompt(PlatformPrompts.AnythingElse));
            return;
        }

        NotUnderstood(d);
    }

    public static void NotUnderstood(Draft d)
    {
        d.Mind = d.Mind with { Failures = d.Mind.Failures + 1 };
        if (d.Mind.Failures >= d.Setup.Limits.MaxFailures)
        {
            Closing.SayLast(d, d.Prompt(PlatformPrompts.MaxFailures), UtteranceKind.Announcement, CallEndReason.Policy);
            return;
        }

        d.Say(d.Prompt(PlatformPrompts.CannotUnderstand), UtteranceKind.Reprompt, Form.OpenQuestion(d));
    }

    public static void Understood(Draft d) => d.Mind = d.Mind with { Failures = 0 };

    private static bool IsFirst(Draft d) => d.State.Turn <= 1;

    // A question that shares its words with a trigger ("randevu nasıl alınır") goes to the knowledge base first; it comes back when that has nothing.
    private static bool StartsTask(Draft d, IReadOnlyList<Word> words)
    {
        if (d.Assistant is not { } assistant || Intents.BestTask(assistant, words) is not { Task: { } task } best)
        {
            return false;
        }

        var enough = Vocabulary.IsQuestion(words) && assistant.UseKnowledge && !IsRequest(words) ? Intents.Certain : Intents.Threshold;
        if (best.Score < enough)
        {
            return false;
        }

        Form.Begin(d, task, words);
        return true;
    }

    // "Alabilir miyim", "can I": asks for a thing to be done, not for an answer.
    private static bool IsRequest(IReadOnlyList<Word> words) =>
        words.Any(w => w.Folded is "miyim" or "muyum" or "misiniz" or "musunuz" or "miyiz" or "can" or "could") && !words.Any(w => Vocabulary.Interrogatives.Contains(w.Folded));

    private static bool SmallTalk(Draft d, IReadOnlyList<Word> words)
    {
        var open = Form.OpenQuestion(d);
        if (Intents.IsThanks(words))
        {
            Understood(d);
            d.Mind = d.Task is null ? d.Mind with { Awaiting = Awaiting.AnythingElse } : d.Mind;
            d.Say(d.Prompt(PlatformPrompts.YouAreWelcome), UtteranceKind.Answer, Form.OpenQuestion(d));
            return true;
        }

        if (Intents.IsGreeting(words) || (d.Mind.Awaiting == Awaiting.AnythingElse && Intents.YesOrNo(words) == true && words.Count <= 2))
        {
            Understood(d);
            d.Mind = d.Task is null ? d.Mind with { Awaiting = Awaiting.Anything } : d.Mind;
            d.Say(d.Task is null ? d.Prompt(PlatformPrompts.HowToHelp) : open, UtteranceKind.Question);
            return true;
        }

        return false;
    }
}
