namespace Sentiric.Speech;

/// <summary>When speech starts and ends. Speech starts at or above <see cref="StartThreshold"/> and goes on down to <see cref="EndThreshold"/>.</summary>
public sealed record VadOptions
{
    public static VadOptions Default { get; } = new();

    public float StartThreshold { get; init; } = 0.5f;

    public float EndThreshold { get; init; } = 0.35f;

    /// <summary>How long the probability must stay above the threshold before speech is said to have started.</summary>
    public TimeSpan StartAfter { get; init; } = TimeSpan.FromMilliseconds(90);

    /// <summary>How long silence must last before speech is said to have ended; 0 to 3 s.</summary>
    public TimeSpan HangOver { get; init; } = TimeSpan.FromMilliseconds(350);
}
