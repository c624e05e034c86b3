namespace Sentiric.Speech;

/// <summary>Decides whether the speaker has finished. Pure: the same context always gets the same answer.</summary>
public interface ITurnDetector
{
    TurnDecision Decide(TurnContext context);
}

/// <summary>
/// What is known right now: <paramref name="Silence"/> since the last speech, the text so far (null or empty when nothing was understood yet),
/// the language spoken ("tr", "en") and whether the text as a whole answers what the speaker was asked (<paramref name="IsAnswer"/>).
/// </summary>
public readonly record struct TurnContext(TimeSpan Silence, string? PartialText, string Language, bool IsAnswer = false);

public enum TurnReason
{
    /// <summary>The silence is still too short for what was said.</summary>
    Waiting,

    /// <summary>The text looks complete and a short silence followed.</summary>
    CompleteSentence,

    /// <summary>The text says all that was asked for, though its words alone may go on ("saat onda").</summary>
    Answer,

    /// <summary>The text may go on, but the pause was long.</summary>
    LongPause,

    /// <summary>The text ends on a word that wants more ("ve", "ama", "için"), but the limit has passed.</summary>
    SilenceLimit,
}

/// <summary>
/// <paramref name="Ended"/>: the turn is over. <paramref name="EndsAfter"/>: the silence at which it ends (or ended) if nothing more is said,
/// so a runner can set one timer in place of polling.
/// </summary>
public readonly record struct TurnDecision(bool Ended, TimeSpan EndsAfter, TurnReason Reason);
