namespace Sentiric.Speech;

/// <summary>Language tags as engines want them.</summary>
public static class SpeechLanguage
{
    /// <summary>"tr-TR" and "TR" both give "tr".</summary>
    public static string Primary(string tag)
    {
        int end = tag.IndexOfAny(['-', '_']);
        return (end < 0 ? tag : tag[..end]).ToLowerInvariant();
    }
}
