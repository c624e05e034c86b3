namespace Sentiric.Dialogue;

/// <summary>
/// Tells the ear whether the words so far answer the open question. The ear asks with every frame; the words are looked at only when they
/// or the question have changed. Owned by the ear's loop.
/// </summary>
internal sealed class AnswerWatch(Func<DialogueState> state, TimeProvider time, TimeZoneInfo zone)
{
    private (Mind? Mind, string Text) _seen;
    private bool _isWhole;

    /// <param name="spokenMs">How long the caller has been speaking.</param>
    public bool IsAnswer(string text, long spokenMs)
    {
        var current = state();
        return current.Setup is { } setup && IsWhole(current.Mind, setup, text)
            && ((current.Speaking.Count == 0 && current.CutOff.Count == 0) || EarlyAnswer.IsAsking(current, time.GetUtcNow(), spokenMs));
    }

    private bool IsWhole(Mind mind, Setup setup, string text)
    {
        if (!ReferenceEquals(mind, _seen.Mind) || text != _seen.Text)
        {
            var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time.GetUtcNow(), zone).DateTime);
            _isWhole = WholeAnswer.Is(mind, setup.Assistant, text, today, setup.Language);
            _seen = (mind, text);
        }

        return _isWhole;
    }
}
