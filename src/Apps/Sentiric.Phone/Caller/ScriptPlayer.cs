using Sentiric.Media;

namespace Sentiric.Phone;

/// <summary>
/// Goes through the steps of a script as the frames of the agent come in: one frame, one look at what is to be done.
/// Owned by the loop that reads the frames; its clock is theirs.
/// </summary>
internal sealed class ScriptPlayer(
    CallerScript script, IReadOnlyList<CallerStep> steps, IReadOnlyDictionary<int, short[]> sentences, PhoneCall call, Action<CallerProgress> tell)
{
    private readonly AgentEar ear = new();
    private readonly StepReport[] reports =
        [.. steps.Select((s, at) => new StepReport(at + 1, s.Kind, s.Say ?? s.Dtmf, s.Say is null ? null : s.ExpectHeard, false, null, null, null, null))];

    private int at;                  // the step that waits for its moment or is being done
    private long sinceMs;            // end of the last step
    private PlaybackHandle? speaking;
    private int? unanswered;         // a step whose answer has not been heard yet
    private int? bargedIn;           // a step that was said into the agent's words, which have not stopped yet

    public IReadOnlyList<StepReport> Reports => reports;

    /// <summary>Every step done; the last one may still be under way at the other side.</summary>
    public bool IsDone => at >= steps.Count;

    public bool HungUp { get; private set; }

    public bool Abandoned { get; private set; }

    /// <summary>Set when the agent kept the caller waiting for too long.</summary>
    public string? Problem { get; private set; }

    /// <summary>Takes a frame; false when there is nothing more to do on this call.</summary>
    public async Task<bool> HearAsync(MediaFrame frame)
    {
        ear.Hear(frame);
        var now = frame.ElapsedMs;
        NoteAnswer();
        NoteStop(now);
        if (speaking is { } playback)
        {
            if (!playback.Finished.IsCompleted) return true;
            await FinishSayingAsync(playback, now);
        }

        if (IsDone) return await HangUpAtTheEndAsync(now);
        var step = steps[at];
        if (step.WaitForHangUpMs is { } limit) return WaitForHangUp(limit, now);
        if (!IsTime(step, now)) return StillPatient(step, now);
        return await DoAsync(step, now);
    }

    /// <summary>The other side hung up: that is what a waiting step waited for.</summary>
    public void OtherSideHungUp()
    {
        if (IsDone || steps[at].WaitForHangUpMs is null) return;
        reports[at] = reports[at] with { Played = true };
        at++;
    }

    private bool IsTime(CallerStep step, long now) => step switch
    {
        { AfterMs: { } after } => now - sinceMs >= after,
        { WhileAgentSpeaksMs: { } into } => ear is { IsSpeaking: true, BeganMs: { } began } && now - Math.Max(began, sinceMs) >= into,
        _ => ear is { IsSpeaking: false, LastVoicedMs: { } last } && last > sinceMs && now - last >= (step.SilentMs ?? CallerStep.UsualSilenceMs),
    };

    private bool StillPatient(CallerStep step, long now)
    {
        var waitedFor = Math.Max(sinceMs, ear.LastVoicedMs ?? 0);
        if (step.AfterMs is not null || now - waitedFor < script.PatienceMs) return true;
        Problem = $"Step {at + 1}: the agent said nothing for {script.PatienceMs} ms.";
        return false;
    }

    private bool WaitForHangUp(int limit, long now)
    {
        if (now - sinceMs < limit) return true;
        Problem = $"Step {at + 1}: the other side did not hang up within {limit} ms.";
        return false;
    }

    private async Task<bool> DoAsync(CallerStep step, long now)
    {
        reports[at] = reports[at] with { StartedMs = now };
        if (step.Say is not null)
        {
            speaking = call.Play(sentences[at]);
            bargedIn = step.WhileAgentSpeaksMs is null ? null : at;
            unanswered = null;
            return true;
        }

        if (step.Dtmf is { } keys)
        {
            if (!call.SendDtmf(keys))
            {
                Problem = $"Step {at + 1}: the other side takes no keys, or \"{keys}\" holds others than 0-9, *, # and A-D.";
                return false;
            }

            tell(new("key", now, at + 1, keys));
        }

        if (step.Abandon) Abandon(now);
        if (step.HangUp) await HangUpAsync(now);
        Finish(now);
        return !HungUp && !Abandoned;
    }

    private async Task FinishSayingAsync(PlaybackHandle playback, long now)
    {
        var said = await playback.Finished;
        speaking = null;
        if (said.Interrupted) return;
        unanswered = at;
        tell(new("said", now, at + 1, steps[at].Say, Ms: said.HeardMs));
        // The first packet leaves a tick after the step began, and 20 ms of quiet follow the last word: the words end here.
        Finish((reports[at].StartedMs ?? now) + said.HeardMs);
    }

    private void Finish(long endedMs)
    {
        reports[at] = reports[at] with { Played = true, EndedMs = endedMs };
        sinceMs = endedMs;
        at++;
    }

    // The script is over and does not say how the call ends: the caller hears the last answer and hangs up.
    private async Task<bool> HangUpAtTheEndAsync(long now)
    {
        var answered = ear is { IsSpeaking: false, LastVoicedMs: { } last } && last > sinceMs && now - last >= CallerStep.UsualSilenceMs;
        if (!answered && now - sinceMs < script.PatienceMs) return true;
        await HangUpAsync(now);
        return false;
    }

    private async Task HangUpAsync(long now)
    {
        HungUp = true;
        tell(new("hung_up", now, Text: "caller"));
        await call.HangUpAsync("Q.850;cause=16;text=\"Normal call clearing\"");
    }

    private void Abandon(long now)
    {
        Abandoned = true;
        call.Abandon();
        tell(new("abandoned", now));
    }

    private void NoteAnswer()
    {
        if (unanswered is not { } step || reports[step].EndedMs is not { } ended || ear.BeganMs is not { } began || began < ended) return;
        reports[step] = reports[step] with { LatencyMs = began - ended };
        unanswered = null;
        tell(new("answer_heard", began, step + 1, Ms: began - ended));
    }

    private void NoteStop(long now)
    {
        if (bargedIn is not { } step || ear.IsSpeaking || reports[step].StartedMs is not { } started || ear.LastVoicedMs is not { } last) return;
        bargedIn = null;
        reports[step] = reports[step] with { AgentStoppedAfterMs = Math.Max(0, last - started) };
        tell(new("agent_stopped", now, step + 1, Ms: Math.Max(0, last - started)));
    }
}
