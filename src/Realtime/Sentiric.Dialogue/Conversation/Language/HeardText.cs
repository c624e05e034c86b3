namespace Sentiric.Dialogue;

/// <summary>Which part of a text was heard when its audio was cut: whole words, in proportion to the time.</summary>
public static class HeardText
{
    // Used while the length of the audio is not known: Turkish speech runs at about 15 letters a second.
    private const double LettersPerMs = 0.015;

    public static (string Heard, string Unheard) Cut(string text, long heardMs, long totalMs)
    {
        var letters = totalMs > 0 ? (double)text.Length * heardMs / totalMs : heardMs * LettersPerMs;
        if (letters >= text.Length)
        {
            return (text, "");
        }

        // A word that was cut in the middle was not heard.
        var blank = letters < 1 ? -1 : text.LastIndexOf(' ', (int)letters);
        return blank <= 0 ? ("", text) : (text[..blank].TrimEnd(), text[(blank + 1)..].TrimStart());
    }
}
