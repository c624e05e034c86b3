namespace Sentiric.Dialogue;

/// <summary>Numbers of turn-taking, in milliseconds.</summary>
/// <param name="SpeechAfterMs">Voiced sound that counts as speech. 20..500.</param>
/// <param name="BargeInMs">Speech into the agent's words that takes the floor, once its words are known. 100..2000.</param>
/// <param name="WordlessBargeInMs">The same when nothing was understood yet: a listener's "hı hı" is shorter. 200..5000.</param>
/// <param name="MaxUtteranceMs">An utterance ends here at the latest: noise is no speech without end. 5000..120000.</param>
/// <param name="PreRollMs">Audio before the start of speech that belongs to it. 0..1000.</param>
public sealed record TurnTakingOptions(
    int SpeechAfterMs = 60, int BargeInMs = 200, int WordlessBargeInMs = 600, int MaxUtteranceMs = 30_000, int PreRollMs = 300)
{
    public IEnumerable<string> Faults()
    {
        foreach (var (name, value, low, high) in new[]
        {
            (nameof(SpeechAfterMs), SpeechAfterMs, 20, 500), (nameof(BargeInMs), BargeInMs, 100, 2_000),
            (nameof(WordlessBargeInMs), WordlessBargeInMs, 200, 5_000), (nameof(MaxUtteranceMs), MaxUtteranceMs, 5_000, 120_000), (nameof(PreRollMs), PreRollMs, 0, 1_000),
        })
        {
            if (value < low || value > high)
            {
                yield return $"{name} is {value}, but must be within {low} and {high} ms.";
            }
        }
    }
}
