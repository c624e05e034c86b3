using System.Globalization;
using System.Text;
using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>A value in a sentence: its canonical form and the words from <paramref name="Start"/> up to <paramref name="End"/>.</summary>
internal sealed record SlotMatch(string Value, int Start, int End);

/// <summary>Finds the values of slots in what a caller said, by the slot's kind.</summary>
internal static class SlotParser
{
    private const int MaxNameWords = 4;
    private const int MaxDigits = 24;
    private const double SameChoice = 0.6;

    private static readonly string[] NameOpeners =
        ["benim adim", "benim ismim", "adim soyadim", "adim", "ismim", "isim", "ad", "ben", "my name is", "name is", "this is", "i am", "im", "it is", "i m"];

    private static readonly string[] NameClosers = ["adina", "ismine", "olsun", "olarak", "lutfen", "please", "efendim"];

    /// <param name="asked">The slot was asked for just now: bare values count.</param>
    public static SlotMatch? Find(AssistantSlot slot, IReadOnlyList<Word> words, bool asked, DateOnly today, string language) => slot.Kind switch
    {
        "day" => DaySlot.Find(words, today),
        "time" => TimeSlot.Find(WithoutDates(words, today), asked),
        "number" => asked ? Number(words) : null,
        "choice" => Choice(slot.Choices, words, asked),
        "name" => asked ? Name(words, language) : NameSaidAsSuch(words, language),
        _ => asked && words.Count > 0 ? new(string.Join(' ', words.Select(w => w.Raw)), 0, words.Count) : null,
    };

    /// <summary>Words that no slot used and that carry meaning.</summary>
    public static int LeftOver(IReadOnlyList<Word> words, IEnumerable<SlotMatch> matches)
    {
        var used = new bool[words.Count];
        foreach (var match in matches)
        {
            Array.Fill(used, true, match.Start, Math.Min(match.End, words.Count) - match.Start);
        }

        return words.Where((w, i) => !used[i] && !Vocabulary.Fillers.Contains(w.Folded)).Count();
    }

    /// <summary>How a value is said to the caller.</summary>
    public static string Spoken(AssistantSlot? slot, string value, string language) => slot?.Kind == "day" ? DaySlot.Spoken(value, language) : value;

    // The figures of a date are no time: "15 kasım saat onda".
    private static IReadOnlyList<Word> WithoutDates(IReadOnlyList<Word> words, DateOnly today)
    {
        if (DaySlot.Find(words, today) is not { } day || NumberWords.Read(words[day.Start].Folded) is null)
        {
            return words;
        }

        return words.Select((w, i) => i >= day.Start && i < day.End ? new Word(w.Raw, "_") : w).ToArray();
    }

    /// <summary>Digits one by one or in groups: "beş üç iki", "beş yüz otuz iki", "532".</summary>
    private static SlotMatch? Number(IReadOnlyList<Word> words)
    {
        var digits = new StringBuilder();
        var (start, end) = (-1, 0);
        for (var at = 0; at < words.Count && digits.Length < MaxDigits;)
        {
            if (Group(words, at) is not { } group)
            {
                at++;
                continue;
            }

            digits.Append(group.Digits);
            start = start < 0 ? at : start;
            at = end = at + group.Used;
        }

        return start < 0 ? null : new(digits.ToString(), start, end);
    }

    private static (string Digits, int Used)? Group(IReadOnlyList<Word> words, int at)
    {
        if (words[at].Folded.All(char.IsAsciiDigit))
        {
            return (words[at].Folded, 1);
        }

        if (NumberWords.Read(words[at].Folded) is not { } first)
        {
            return null;
        }

        var (value, used, last) = (first.Value, 1, first.Value);
        while (at + used < words.Count && NumberWords.Read(words[at + used].Folded) is { } next && !words[at + used].Folded.All(char.IsAsciiDigit))
        {
            // A smaller place fills up ("yüz otuz iki"), hundred and thousand multiply; anything else begins a new group.
            var fills = next.Value > 0 && next.Value < Place(last);
            var hundreds = next.Value == 100 && last is >= 1 and <= 9 && (value - last) % 1000 == 0;
            var thousands = next.Value == 1000 && value is >= 1 and < 1000;
            if (!fills && !hundreds && !thousands)
            {
                break;
            }

            value = hundreds ? value - last + (last * 100) : thousands ? value * 1000 : value + next.Value;
            last = next.Value;
            used++;
        }

        return (value.ToString(CultureInfo.InvariantCulture), used);
    }

    private static int Place(int value) => value >= 1000 ? 1000 : value >= 100 ? 100 : value >= 20 || value == 10 ? 10 : 0;

    private static SlotMatch? Choice(IReadOnlyList<string> choices, IReadOnlyList<Word> words, bool asked)
    {
        SlotMatch? best = null;
        var bestScore = 0.0;
        foreach (var choice in choices)
        {
            var wanted = Words.Of(choice);
            for (var at = 0; wanted.Count > 0 && at + wanted.Count <= words.Count; at++)
            {
                var start = at;
                var score = wanted.Select((w, i) => Likeness.OfWords(words[start + i].Folded, w.Folded)).Average();
                if (score > bestScore && score >= (asked ? SameChoice : 0.85))
                {
                    (best, bestScore) = (new(choice, at, at + wanted.Count), score);
                }
            }
        }

        return best;
    }

    private static SlotMatch? Name(IReadOnlyList<Word> words, string language)
    {
        var (start, end) = (OpenerEnd(words), words.Count);
        while (end > start && NameClosers.Contains(words[end - 1].Folded))
        {
            end--;
        }

        return end - start is > 0 and <= MaxNameWords && words.Skip(start).Take(end - start).All(IsNameWord) ? new(Titled(words, start, end, language), start, end) : null;
    }

    private static SlotMatch? NameSaidAsSuch(IReadOnlyList<Word> words, string language)
    {
        for (var at = 0; at < words.Count; at++)
        {
            if (words[at].Folded is "adim" or "ismim" && at + 1 < words.Count)
            {
                var end = at + 1;
                while (end < words.Count && end - at <= 2 && IsNameWord(words[end]) && !Vocabulary.Fillers.Contains(words[end].Folded))
                {
                    end++;
                }

                return end > at + 1 ? new(Titled(words, at + 1, end, language), at, end) : null;
            }
        }

        return null;
    }

    private static int OpenerEnd(IReadOnlyList<Word> words)
    {
        var folded = Words.Joined(words) + " ";
        foreach (var opener in NameOpeners)
        {
            var skipped = folded.StartsWith("evet ", StringComparison.Ordinal) || folded.StartsWith("tabii ", StringComparison.Ordinal) ? 1 : 0;
            var rest = skipped == 0 ? folded : folded[(folded.IndexOf(' ', StringComparison.Ordinal) + 1)..];
            if (rest.StartsWith(opener + " ", StringComparison.Ordinal))
            {
                return skipped + opener.Count(c => c == ' ') + 1;
            }
        }

        return 0;
    }

    private static bool IsNameWord(Word word) =>
        word.Raw.All(char.IsLetter) && !Vocabulary.Yes.Contains(word.Folded) && !Vocabulary.No.Contains(word.Folded) && !Vocabulary.Interrogatives.Contains(word.Folded);

    private static string Titled(IReadOnlyList<Word> words, int start, int end, string language) =>
        string.Join(' ', words.Skip(start).Take(end - start).Select(w => Title(w.Raw, language)));

    private static string Title(string raw, string language)
    {
        var first = raw[0] == 'i' && language != "en" ? 'İ' : char.ToUpperInvariant(raw[0]);
        return first + raw[1..];
    }
}
