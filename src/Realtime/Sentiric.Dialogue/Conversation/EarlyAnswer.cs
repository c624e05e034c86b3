using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>
/// An answer spoken over the end of its question ("evet" into "…, onaylıyor musunuz?"). The same word into a statement, or before the caller
/// can know what is asked, shows that he listens and nothing more. Pure.
/// </summary>
internal static class EarlyAnswer
{
    /// <param name="saidMs">How long the caller has been speaking at <paramref name="now"/>.</param>
    public static bool Is(DialogueState state, string text, DateTimeOffset now, long saidMs, DateOnly today) =>
        state.Setup is { } setup && IsAsking(state, now, saidMs) && WholeAnswer.Is(state.Mind, setup.Assistant, text, today, setup.Language);

    /// <summary>The agent is asking, or was cut off asking, and enough of it was heard before the caller began.</summary>
    public static bool IsAsking(DialogueState state, DateTimeOffset now, long saidMs) =>
        state.Mind.Awaiting is Awaiting.Slot or Awaiting.Confirmation
        && (state.CutOff.Count > 0 ? state.CutOff[0] : state.Speaking.FirstOrDefault()) is { Abandoned: false, Kind: UtteranceKind.Question or UtteranceKind.Confirmation or UtteranceKind.Reprompt }
        && state.SpeakingSince is { } since && state.Setup is { } setup
        && (now - since).TotalMilliseconds - saidMs >= setup.Limits.MergeHeardMs;
}
