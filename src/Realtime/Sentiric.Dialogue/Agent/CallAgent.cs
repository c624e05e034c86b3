using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Dialogue;

/// <summary>One call to talk to.</summary>
/// <param name="Resumed">The state that another process left behind; null for a new call.</param>
public sealed record AgentCall(string Tenant, Guid CallId, CallStarted Started, DialogueState? Resumed = null);

/// <summary>
/// Talks to one caller until the call is over. One loop owns the conversation: inputs come in one by one, the pure step decides, the effects are
/// set in motion and report back as inputs. Nothing in the loop waits for audio, network or disk.
/// </summary>
public sealed partial class CallAgent
{
    /// <summary>Inputs that wait for the loop. A full inbox means that the loop is stuck: the oldest producers wait.</summary>
    public const int MaxInbox = 1_024;

    private const int TerminateAttempts = 4;
    private static readonly TimeSpan FlushPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TerminatePause = TimeSpan.FromMilliseconds(200);

    private const string MediaStage = "media";

    /// <summary>The end of a call is told over the bus after its media are closed; usually within milliseconds.</summary>
    public static readonly TimeSpan EndIsTold = TimeSpan.FromSeconds(2);

    private readonly AgentCall _call;
    private readonly AgentPorts _ports;
    private readonly DialogueOptions _options;
    private readonly ILogger _logger;
    private readonly TimeZoneInfo _zone;
    private readonly Channel<(DialogueInput Input, EarMarks? Marks)> _inbox =
        Channel.CreateBounded<(DialogueInput, EarMarks?)>(new BoundedChannelOptions(MaxInbox) { SingleReader = true });

    private readonly TurnClock _clock;
    private readonly JournalWriter _journal;
    private readonly StateKeeper _keeper;
    private readonly Mouth _mouth;
    private readonly Ear _ear;
    private readonly Errands _errands;
    private readonly Dictionary<DialogueTimer, ITimer> _timers = [];
    private readonly CancellationTokenSource _over = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Written by the loop alone; the ear reads the newest one, which never changes.
    private volatile DialogueState _state = DialogueState.New;

    public CallAgent(AgentCall call, AgentPorts ports, DialogueOptions options, ILogger logger)
    {
        (_call, _ports, _options, _logger) = (call, ports, options, logger);
        _zone = TimeZoneInfo.FindSystemTimeZoneById(options.TimeZone);
        _clock = new(ports.Time);
        _journal = new(ports.Journal, ports.Time, call.Tenant, Streams.Call(call.CallId), logger);
        _keeper = new(ports.State, options.KeepState, logger);
        var session = call.Started.MediaInfo.SessionId;
        _mouth = new(ports, session, Language, call.Started.DialplanResolution.Assistant?.Voice, call.Started.At, _clock, SpokenAsync);
        _ear = new(ports, session, options.Turns, call.Started.At, () => _mouth.Playback, new AnswerWatch(() => _state, ports.Time, _zone).IsAnswer, _journal.Note, PostAsync);
        _errands = new(ports, call.Tenant, call.CallId);
    }

    /// <summary>Until the call has ended, or until the token stops the agent without ending the call.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, _over.Token);
        var ct = either.Token;
        var journal = _journal.RunAsync(CancellationToken.None);
        var keeper = _keeper.RunAsync(ct);
        Begin();
        Task[] work = [_mouth.RunAsync(ct), ListenAsync(ct), ConverseAsync(ct)];
        await Task.WhenAny(_ended.Task, WhenStopped(stop)).ConfigureAwait(false);
        await _over.CancelAsync().ConfigureAwait(false);
        await Quietly(Task.WhenAll(work)).ConfigureAwait(false);
        StopTimers();
        _keeper.Complete();
        await Quietly(keeper).ConfigureAwait(false);
        _journal.Complete();
        await _journal.FlushAsync(FlushPatience, CancellationToken.None).ConfigureAwait(false);
        LogDone(_logger, _call.CallId, _state.Turn);
    }

    /// <summary>Presses a key, as another role heard it.</summary>
    public void Press(string digit) => Post(new DtmfPressed(_ports.Time.GetUtcNow(), digit));

    /// <summary>Somebody else is being called for the other party.</summary>
    public void TransferBegan() => Post(new TransferBegan(_ports.Time.GetUtcNow()));

    /// <summary>Whom the other party was to be connected with was not reached.</summary>
    public void TransferGaveUp(CallEndReason reason) => Post(new TransferGaveUp(_ports.Time.GetUtcNow(), reason));

    /// <summary>The call is over, or no longer ours: somebody has hung up or taken it.</summary>
    public void CallOver() => _ended.TrySetResult();

    private bool WeCalled => _call.Started.Direction == CallDirection.Outbound;

    private string Language => Started.LanguageOf(_call.Started);

    private bool Converses => _call.Started.DialplanResolution.Action is DialplanAction.StartAiConversation or DialplanAction.ProcessGuestCall
        && _call.Started.DialplanResolution.Assistant is not null;

    private async Task ConverseAsync(CancellationToken ct)
    {
        try
        {
            await foreach (var (input, marks) in _inbox.Reader.ReadAllAsync(ct).ConfigureAwait(false))
            {
                Step(input, marks, ct);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A bug in the conversation: nobody decides any more, so the call ends here.
            LogBroken(_logger, e, _call.CallId);
            _journal.Note(new AgentFailed(_ports.Time.GetUtcNow(), "dialogue", e.Message));
            await HangUpAsync(CallEndReason.AgentFailed, ct).ConfigureAwait(false);
        }
    }

    private void Begin()
    {
        _journal.Note(new AgentTookOver(_ports.Time.GetUtcNow(), _ports.Llm is null ? "built-in" : _ports.Llm.Model, _ports.Recognizer.Info.Engine, VoiceName()));
        if (_call.Resumed is { } left)
        {
            _state = left;
            Post(new Resumed(_ports.Time.GetUtcNow()));
        }
        else
        {
            var now = _ports.Time.GetUtcNow();
            Post(Started.Of(now, _call.CallId, _call.Tenant, _call.Started, _ports.Llm is not null, _options));
        }

        Set(DialogueTimer.MaxCall, _options.MaxCall);
    }

    private void Step(DialogueInput input, EarMarks? marks, CancellationToken ct)
    {
        var (next, effects) = DialogueStep.Next(_state, input with { At = TimeZoneInfo.ConvertTime(input.At, _zone) });
        var changed = !ReferenceEquals(next, _state);
        var opened = next.Turn != _state.Turn || next.Open?.Heard != _state.Open?.Heard;
        _state = next;
        if (opened && marks is { } ear)
        {
            _clock.Heard(next.Turn, ear);
        }

        foreach (var effect in effects)
        {
            Do(effect, ct);
        }

        if (changed)
        {
            _keeper.Keep(new(_call.Tenant, _call.CallId, _call.Started, next));
        }
    }

    private void Do(DialogueEffect effect, CancellationToken ct)
    {
        switch (effect)
        {
            case Say say:
                Speak(say.Utterance);
                break;
            case StopTalking:
                InBackground(_mouth.StopAsync(ct), MediaStage);
                break;
            case SearchTheKnowledge search:
                Fetch(_errands.SearchAsync(search, ct));
                break;
            case CallTool call:
                Fetch(_errands.CallAsync(call, ct));
                break;
            case AskLlm ask when _ports.Llm is { } llm:
                InBackground(LlmRunner.AskAsync(llm, ask, _ports.Time, _journal.Note, input => PostAsync(input), ct), "llm");
                break;
            case AskLlm ask:
                Post(new LlmGaveUp(_ports.Time.GetUtcNow(), ask.WorkId, "", "no language model is configured"));
                break;
            case SetTimer timer:
                Set(timer.Timer, TimeSpan.FromMilliseconds(timer.Milliseconds));
                break;
            case StopTimer timer:
                Set(timer.Timer, Timeout.InfiniteTimeSpan);
                break;
            case StartEcho:
                InBackground(EchoAsync(ct), MediaStage);
                break;
            case Note note:
                _journal.Note(note.Event);
                break;
            case CompleteTurn turn:
                _journal.Note(new DialogTurnCompleted(_ports.Time.GetUtcNow(), turn.Turn, turn.Heard, turn.Answered, turn.Confidence, _clock.Take(turn.Turn)));
                break;
            case HangUp hangUp:
                InBackground(HangUpAsync(hangUp.Reason, ct), "control");
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(effect), effect.GetType().Name, "an effect that no agent knows");
        }
    }

    private void Speak(Utterance utterance)
    {
        if (utterance.Kind != UtteranceKind.Announcement)
        {
            _clock.Answered(utterance.Turn);
        }

        if (!_mouth.Say(utterance))
        {
            Post(new EngineFailed(_ports.Time.GetUtcNow(), MediaStage, $"more than {Mouth.MaxWaiting} utterances wait"));
        }
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        try
        {
            await PrepareFailSafeAsync(ct).ConfigureAwait(false);
            await HearAsync(ct).ConfigureAwait(false);
            CallOver();
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            LogStageFailed(_logger, e, _call.CallId, "recognizer");
            await PostAsync(new EngineFailed(_ports.Time.GetUtcNow(), "recognizer", e.Message)).ConfigureAwait(false);
            await Quietly(_ear.WaitForEndAsync(ct)).ConfigureAwait(false);
        }
    }

    private async Task HearAsync(CancellationToken ct)
    {
        if (!Converses)
        {
            await _ear.WaitForEndAsync(ct).ConfigureAwait(false);
            return;
        }

        var assistant = _call.Started.DialplanResolution.Assistant;
        var phrases = assistant is null ? [] : PhraseList.For(assistant, await QuestionsAsync(ct).ConfigureAwait(false), Language);
        await _ear.ListenAsync(Language, phrases, ct).ConfigureAwait(false);
    }

    // Phrases only bias the recogniser: without the knowledge base's own it hears a little worse.
    private async Task<IReadOnlyList<string>> QuestionsAsync(CancellationToken ct)
    {
        try
        {
            return await _ports.Knowledge.QuestionsAsync(_call.Tenant, Language, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            LogStageFailed(_logger, e, _call.CallId, "knowledge");
            return [];
        }
    }

    // The fail-safe must be there when everything else is gone. A synthesiser that is gone already is noticed with the first words.
    private async Task PrepareFailSafeAsync(CancellationToken ct)
    {
        try
        {
            await _mouth.PrepareAsync(PlatformPrompts.Text(PlatformPrompts.FailSafe, Language, _options.PromptsIn(Language)), ct).ConfigureAwait(false);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            LogStageFailed(_logger, e, _call.CallId, "synthesizer");
        }
    }

    private async Task EchoAsync(CancellationToken ct)
    {
        if ((await _ports.Media.EchoAsync(_call.Started.MediaInfo.SessionId, true, ct).ConfigureAwait(false)).Refusal is { } refusal)
        {
            MediaGone($"{refusal.Code}: {refusal.Why}");
        }
    }

    private ValueTask SpokenAsync(DialogueInput input)
    {
        if (input is EngineFailed { Stage: MediaStage } gone)
        {
            MediaGone(gone.Why);
            return ValueTask.CompletedTask;
        }

        return PostAsync(input);
    }

    // Whoever hangs up closes the session before we are told of the end: only a session that is gone while the call goes on is a failure.
    private void MediaGone(string why) => InBackground(TellMediaGoneAsync(why), MediaStage);

    private async Task TellMediaGoneAsync(string why)
    {
        await Task.Delay(EndIsTold, _ports.Time, _over.Token).ConfigureAwait(false);
        await PostAsync(new EngineFailed(_ports.Time.GetUtcNow(), MediaStage, why)).ConfigureAwait(false);
    }

    // Facts first: after call_ended the journal takes no more of them.
    private async Task HangUpAsync(CallEndReason reason, CancellationToken ct)
    {
        await _journal.FlushAsync(FlushPatience, ct).ConfigureAwait(false);
        for (var attempt = 1; attempt <= TerminateAttempts; attempt++)
        {
            try
            {
                await _ports.Control.TerminateAsync(_call.Tenant, new(_call.CallId, reason, ByWhom(reason)), ct).ConfigureAwait(false);
                break;
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                LogStageFailed(_logger, e, _call.CallId, "control");
            }

            await Task.Delay(TerminatePause * attempt, _ports.Time, ct).ConfigureAwait(false);
        }

        // The end comes back as a closed media session or as call.ended; an agent does not wait for it for ever.
        await Task.Delay(EndPatience, _ports.Time, ct).ConfigureAwait(false);
        CallOver();
    }

    private void Set(DialogueTimer timer, TimeSpan after)
    {
        if (!_timers.TryGetValue(timer, out var running))
        {
            _timers[timer] = running = _ports.Time.CreateTimer(_ => Post(new TimerElapsed(_ports.Time.GetUtcNow(), timer)), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        running.Change(after, Timeout.InfiniteTimeSpan);
    }

    private void StopTimers()
    {
        foreach (var timer in _timers.Values)
        {
            timer.Dispose();
        }
    }

    private void Fetch(Task<DialogueInput> answer) => InBackground(PostWhenDoneAsync(answer), "tool");

    private async Task PostWhenDoneAsync(Task<DialogueInput> answer) => await PostAsync(await answer.ConfigureAwait(false)).ConfigureAwait(false);

    private void InBackground(Task task, string stage) => task.ContinueWith(
        t =>
        {
            if (t.Exception?.GetBaseException() is { } e and not OperationCanceledException)
            {
                LogStageFailed(_logger, e, _call.CallId, stage);
                Post(new EngineFailed(_ports.Time.GetUtcNow(), stage, e.Message));
            }
        },
        CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private void Post(DialogueInput input)
    {
        if (!_inbox.Writer.TryWrite((input, null)))
        {
            LogInboxFull(_logger, _call.CallId, input.GetType().Name);
        }
    }

    private ValueTask PostAsync(DialogueInput input, EarMarks? marks = null) => _inbox.Writer.WriteAsync((input, marks), _over.Token);

    // The agent is the one who was called, or who called; what it did not choose to end, the platform ended.
    private HungUpBy ByWhom(CallEndReason reason) => reason != CallEndReason.Normal ? HungUpBy.System : WeCalled ? HungUpBy.Caller : HungUpBy.Callee;

    private string VoiceName()
    {
        var voice = _call.Started.DialplanResolution.Assistant?.Voice ?? _ports.Synthesizer.Voices.FirstOrDefault(v => v.Language == Language)?.Id;
        return $"{_ports.Synthesizer.Engine} {voice}".Trim();
    }

    private static Task WhenStopped(CancellationToken stop)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        stop.Register(() => stopped.TrySetResult());
        return stopped.Task;
    }

    private static async Task Quietly(Task task) => await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    [LoggerMessage(Level = LogLevel.Information, Message = "The agent of call {CallId} is done after {Turns} turns")]
    private static partial void LogDone(ILogger logger, Guid callId, int turns);

    [LoggerMessage(Level = LogLevel.Error, Message = "The conversation of call {CallId} broke; the call is ended")]
    private static partial void LogBroken(ILogger logger, Exception e, Guid callId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Call {CallId}: {Stage} failed")]
    private static partial void LogStageFailed(ILogger logger, Exception e, Guid callId, string stage);

    [LoggerMessage(Level = LogLevel.Error, Message = "The inbox of call {CallId} is full; {Input} is lost")]
    private static partial void LogInboxFull(ILogger logger, Guid callId, string input);
}
