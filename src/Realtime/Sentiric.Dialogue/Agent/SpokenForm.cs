using System.Text;

namespace Sentiric.Dialogue;

/// <summary>Times as a voice should say them: "10:30" is "on buçuk", "14:00" is "on dört". People read the figures; the synthesiser reads this.</summary>
internal static class SpokenForm
{
    private static readonly string[] Units = ["sıfır", "bir", "iki", "üç", "dört", "beş", "altı", "yedi", "sekiz", "dokuz"];
    private static readonly string[] Tens = ["", "on", "yirmi", "otuz", "kırk", "elli"];

    public static string Of(string text, string language)
    {
        if (language == "en" || !text.Contains(':', StringComparison.Ordinal))
        {
            return text;
        }

        var spoken = new StringBuilder(text.Length + 16);
        for (var at = 0; at < text.Length;)
        {
            if (TimeAt(text, at) is { } time)
            {
                spoken.Append(time);
                at += 5;
                continue;
            }

            spoken.Append(text[at++]);
        }

        return spoken.ToString();
    }

    private static string? TimeAt(string text, int at)
    {
        if (at + 5 > text.Length || text[at + 2] != ':' || (at > 0 && char.IsDigit(text[at - 1])) || (at + 5 < text.Length && char.IsDigit(text[at + 5]))
            || !char.IsAsciiDigit(text[at]) || !char.IsAsciiDigit(text[at + 1]) || !char.IsAsciiDigit(text[at + 3]) || !char.IsAsciiDigit(text[at + 4]))
        {
            return null;
        }

        var (hour, minute) = (((text[at] - '0') * 10) + text[at + 1] - '0', ((text[at + 3] - '0') * 10) + text[at + 4] - '0');
        return hour > 23 || minute > 59 ? null : minute switch
        {
            0 => Number(hour),
            30 => Number(hour) + " buçuk",
            _ => $"{Number(hour)} {Number(minute)}",
        };
    }

    private static string Number(int value) => value < 10 ? Units[value] : (value % 10 == 0 ? Tens[value / 10] : $"{Tens[value / 10]} {Units[value % 10]}");
}
