using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Dialogue;

/// <summary>
/// Runs a stored call through the conversation again: the inputs come out of its journal, the decisions must come out the same.
/// For the built-in engine; what an LLM wrote is not in the journal apart from the words that were spoken.
/// </summary>
public static class Replay
{
    /// <param name="events">The call's stream in order.</param>
    /// <param name="answers">The text of an article by its id: the journal notes which article answered, not its text.</param>
    /// <returns>Every effect that the conversation had, in order.</returns>
    public static IReadOnlyList<DialogueEffect> Run(
        Guid callId, string tenant, IEnumerable<object> events, Func<string, string> answers, DialogueOptions options)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(options.TimeZone);
        var state = DialogueState.New;
        var effects = new List<DialogueEffect>();
        foreach (var @event in events)
        {
            foreach (var input in InputsOf(@event, state, callId, tenant, answers, options))
            {
                (state, var done) = DialogueStep.Next(state, input with { At = TimeZoneInfo.ConvertTime(input.At, zone) });
                effects.AddRange(done);
            }
        }

        return effects;
    }

    private static IEnumerable<DialogueInput> InputsOf(
        object @event, DialogueState state, Guid callId, string tenant, Func<string, string> answers, DialogueOptions options) => @event switch
    {
        CallStarted e => [Started.Of(e.At, callId, tenant, e, useLlm: false, options)],
        SpeechStarted e => [new CallerStartedSpeaking(e.At)],
        TranscriptFinal { Speaker: Speaker.Caller } e => [new CallerSaid(e.At, e.Text, e.Confidence, e.OffsetMs, e.DurationMs)],
        KnowledgeSearched e when state.Mind.Pending is { } work =>
            [new KnowledgeAnswered(e.At, work.Id, e.Hits.Select(h => new KnowledgeHit(h.ArticleId, h.Title, answers(h.ArticleId), h.Score)).ToArray())],
        ToolSucceeded e when state.Mind.Pending is { } work => [new ToolAnswered(e.At, work.Id, e.Values, null, null, e.TookMs)],
        ToolFailed e when state.Mind.Pending is { } work => [new ToolAnswered(e.At, work.Id, new Dictionary<string, string>(), e.Code, e.Why, e.TookMs)],
        PlaybackStarted e => BeforePlayback(e, state).Append(new UtteranceStarted(e.At, e.PlaybackId)),
        PlaybackFinished e => [new UtteranceFinished(e.At, e.PlaybackId, 0, e.PlayedMs)],
        PlaybackInterrupted e => [new UtteranceInterrupted(e.At, e.PlaybackId, 0, e.HeardMs, TotalOf(e, state))],
        AgentFailed e => [new EngineFailed(e.At, e.Stage, e.Why)],
        DtmfReceived e => [new DtmfPressed(e.At, e.Digit)],
        TransferRequested e => [new TransferBegan(e.At)],
        TransferFailed e => [new TransferGaveUp(e.At, e.Reason)],
        _ => [],
    };

    // Words that nothing in the journal has led to: a timer ran out, or a sound turned out to be none.
    private static IEnumerable<DialogueInput> BeforePlayback(PlaybackStarted e, DialogueState state)
    {
        if (state.Speaking.Any(u => u.Id == e.PlaybackId))
        {
            return [];
        }

        return state.Mind.Pending is not null ? [new TimerElapsed(e.At, DialogueTimer.Thinking)]
            : state.CutOff.Count > 0 ? [new CallerFellSilent(e.At)]
            : [new CallerFellSilent(e.At), new TimerElapsed(e.At, DialogueTimer.NoInput)];
    }

    // The length of what was not played is not kept; the words that were heard tell the proportion.
    private static long TotalOf(PlaybackInterrupted e, DialogueState state)
    {
        var text = state.Speaking.FirstOrDefault(u => u.Id == e.PlaybackId)?.Text ?? "";
        return e.HeardText.Length == 0 ? long.MaxValue / Math.Max(1, text.Length) / 2 : e.HeardMs * text.Length / (e.HeardText.Length + 1);
    }
}
