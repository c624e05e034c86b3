namespace Sentiric.Phone;

/// <summary>How a scripted call went, as the caller heard it. Times in milliseconds; those of the steps count from the answer.</summary>
/// <param name="Statuses">Responses to the INVITE, 100 left out.</param>
/// <param name="HungUpBy">"caller" or "callee"; absent when nobody did.</param>
/// <param name="End">normal, abandoned, refused, remote_gone, gave_up (the agent kept the caller waiting) or time_limit.</param>
/// <param name="AnsweredAfterMs">From the INVITE to the answer.</param>
/// <param name="TotalMs">From the INVITE to the end.</param>
/// <param name="Recording">WAV, left the agent, right the caller.</param>
/// <param name="Problem">What went wrong, in a sentence.</param>
public sealed record CallerReport(
    bool Answered, IReadOnlyList<int> Statuses, string SipCallId, string? HungUpBy, string End, bool AllStepsPlayed, long? AnsweredAfterMs, long TotalMs,
    IReadOnlyList<StepReport> Steps, RtpReport? Rtp, string? Recording, string? Problem)
{
    /// <summary>Answered, every step played and ended as the script wanted it.</summary>
    public bool Ok => Answered && AllStepsPlayed && End is "normal" or "abandoned" && Problem is null;

    /// <summary>Turn latencies as heard, of the steps that have one.</summary>
    public IReadOnlyList<long> LatenciesMs() => [.. Steps.Where(s => s.LatencyMs is not null).Select(s => s.LatencyMs ?? 0)];
}

/// <param name="ExpectHeard">The words for counting word errors.</param>
/// <param name="LatencyMs">From the last sample of our words to the first voiced frame of the answer.</param>
/// <param name="AgentStoppedAfterMs">For words into the agent's: from our first sample to its last voiced frame.</param>
public sealed record StepReport(
    int Step, string Kind, string? Text, string? ExpectHeard, bool Played, long? StartedMs, long? EndedMs, long? LatencyMs, long? AgentStoppedAfterMs);

/// <summary>Continuity of what was received.</summary>
/// <param name="LateTicks">20 ms ticks at which this process itself was late: gaps beside many of them may be its own.</param>
public sealed record RtpReport(string? Codec, long Sent, long Received, long Lost, double MaxGapMs, double JitterMs, double Mos, long LateTicks);

/// <summary>Something happened on the call, so long after the INVITE. <paramref name="Event"/>: dialing, status, answered, said, answer_heard, agent_stopped, key, hung_up, abandoned, recorded.</summary>
public sealed record CallerProgress(string Event, long AtMs, int? Step = null, string? Text = null, int? Status = null, long? Ms = null, string? SipCallId = null);
