using System.Diagnostics;
using Sentiric.Media;
using Sentiric.Sip;
using Sentiric.Speech;

namespace Sentiric.Phone;

/// <summary>
/// A caller who speaks a script: synthesises its sentences, dials, listens for when the agent has finished, speaks, measures, hangs up.
/// </summary>
/// <param name="voice">Speaks the sentences, before the call is placed.</param>
/// <param name="dialing">Whom to call and as whom.</param>
/// <param name="recordTo">Path of a WAV file that does not exist yet; absent: nothing is recorded.</param>
/// <param name="maxCall">The caller hangs up after this long.</param>
/// <param name="tell">Hears what happens, on the caller's own task; must return at once.</param>
public sealed class ScriptedCaller(
    ISpeechSynthesizer voice, Dialing dialing, PhoneOptions? phoneOptions = null, string? recordTo = null, TimeSpan? maxCall = null,
    Action<CallerProgress>? tell = null)
{
    public static readonly TimeSpan UsualMaxCall = TimeSpan.FromSeconds(90);

    private readonly Action<CallerProgress> progress = tell ?? (_ => { });
    private readonly Stopwatch clock = new();

    /// <summary>
    /// Places the call and plays the script. A refused, broken or slow call is told in the report. Throws
    /// <see cref="SpeechEngineException"/> when the sentences cannot be spoken, <see cref="IOException"/> without ports or place for the
    /// recording, and <see cref="OperationCanceledException"/>, after hanging up, when cancelled.
    /// </summary>
    public async Task<CallerReport> RunAsync(CallerScript script, CancellationToken ct = default)
    {
        var steps = script.Filled();
        var sentences = await Sentences.SpeakAsync(voice, script, steps, ct);
        await using var phone = await LoopbackPhone.StartAsync(phoneOptions, ct);
        clock.Restart();
        await using var call = await phone.DialAsync(dialing);
        Tell(new("dialing", clock.ElapsedMilliseconds, Text: dialing.To.ToString(), SipCallId: call.CallId));
        var established = await EstablishedAsync(call, ct);
        foreach (var status in call.Statuses) Tell(new("status", clock.ElapsedMilliseconds, Status: status));
        if (!established.IsAnswered) return Refused(call, established);
        var answeredAfterMs = clock.ElapsedMilliseconds;
        Tell(new("answered", answeredAfterMs));

        // The player's clock begins with the media, that is with the answer.
        var player = new ScriptPlayer(script, steps, sentences, call, p => Tell(p with { AtMs = p.AtMs + answeredAfterMs }));
        var timedOut = await TalkAsync(call, player, ct);
        return await ReportAsync(call, player, timedOut, answeredAfterMs);
    }

    private static async Task<Establishment> EstablishedAsync(PhoneCall call, CancellationToken ct)
    {
        try
        {
            return await call.Established.WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            await call.CancelAsync();
            throw;
        }
    }

    /// <summary>Until the script is over, the other side hangs up or the time is up; true in the last case.</summary>
    private async Task<bool> TalkAsync(PhoneCall call, ScriptPlayer player, CancellationToken ct)
    {
        if (recordTo is not null) call.Media.StartRecording(recordTo);
        using var ear = call.Listen();
        var limitMs = (long)(maxCall ?? UsualMaxCall).TotalMilliseconds;
        await foreach (var frame in ear.Frames.ReadAllAsync(ct))
        {
            if (call.Ended.IsCompleted)
            {
                player.OtherSideHungUp();
                return false;
            }

            if (frame.ElapsedMs > limitMs) return true;
            if (!await player.HearAsync(frame)) return false;
        }

        return false;
    }

    private CallerReport Refused(PhoneCall call, Establishment established) => new(
        false, call.Statuses, call.CallId, null, "refused", false, null, clock.ElapsedMilliseconds, [], null, null,
        $"The call was not answered: {established.Status} {established.Reason}.");

    private async Task<CallerReport> ReportAsync(PhoneCall call, ScriptPlayer player, bool timedOut, long answeredAfterMs)
    {
        var byOther = !player.HungUp && call.Ended.IsCompletedSuccessfully;
        var how = byOther ? await call.Ended : null;
        if (!player.Abandoned && !call.Ended.IsCompleted) await call.HangUpAsync();
        if (byOther) Tell(new("hung_up", clock.ElapsedMilliseconds, Text: "callee"));
        var closed = await call.Media.CloseAsync();
        if (closed.Recording is { } file) Tell(new("recorded", clock.ElapsedMilliseconds, Text: file.Path));
        var end = player.Abandoned ? "abandoned"
            : timedOut ? "time_limit"
            : player.Problem is not null ? "gave_up"
            : how is { Cause: not SipDialogEndCause.RemoteBye } ? "remote_gone"
            : "normal";
        return new(
            true, call.Statuses, call.CallId, player.Abandoned ? null : byOther ? "callee" : "caller", end, player.IsDone, answeredAfterMs,
            clock.ElapsedMilliseconds, player.Reports, Rtp(closed.Quality), closed.Recording?.Path, Problem(player, timedOut, closed.Recording));
    }

    private static string? Problem(ScriptPlayer player, bool timedOut, RecordingResult? recording) =>
        player.Problem is { } problem ? problem
        : timedOut ? "The longest time for a call was over before the script was."
        : !player.IsDone ? $"The other side hung up before step {player.Reports.First(r => !r.Played).Step} was done."
        : recording?.Error;

    private static RtpReport Rtp(MediaQuality q) =>
        new(q.Codec?.ToString(), q.Sent, q.Received, q.Lost, Math.Round(q.MaxGapMs, 1), Math.Round(q.JitterMs, 2), Math.Round(q.Mos, 2), q.LateTicks);

    private void Tell(CallerProgress happened) => progress(happened);
}
