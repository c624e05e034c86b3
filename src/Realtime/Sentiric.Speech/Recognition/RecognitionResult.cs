namespace Sentiric.Speech;

public enum RecognitionKind
{
    Partial,
    Final,
}

/// <summary>Another reading of the same audio.</summary>
public sealed record RecognitionAlternative(string Text, float Confidence);

/// <summary>
/// What was heard. <paramref name="Confidence"/> is 0..1 (0 for an empty text); <paramref name="Start"/> and <paramref name="End"/> count
/// audio time from the start of the session.
/// </summary>
public sealed record RecognitionResult(
    RecognitionKind Kind,
    string Text,
    float Confidence,
    TimeSpan Start,
    TimeSpan End,
    string Language,
    IReadOnlyList<RecognitionAlternative> Alternatives)
{
    public bool IsEmpty => Text.Length == 0;
}
