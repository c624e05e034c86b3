using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>One step in the making: the state as it becomes and the effects so far. Lives only while <see cref="DialogueStep.Next"/> runs.</summary>
internal sealed class Draft(DialogueState state, DateTimeOffset at)
{
    private readonly List<DialogueEffect> _effects = [];

    public DialogueState State { get; set; } = state;

    public IReadOnlyList<DialogueEffect> Effects => _effects;

    /// <summary>Events carry universal time; the input's own offset is the tenant's.</summary>
    public DateTimeOffset Now { get; } = at.ToUniversalTime();

    public DateOnly Today { get; } = DateOnly.FromDateTime(at.DateTime);

    public Setup Setup => State.Setup ?? throw new InvalidOperationException("the conversation was not started");

    public Mind Mind
    {
        get => State.Mind;
        set => State = State with { Mind = value };
    }

    public AssistantDefinition? Assistant => Setup.Assistant;

    public AssistantTask? Task => Mind.TaskId is { } id ? Assistant?.Tasks.FirstOrDefault(t => t.Id == id) : null;

    public void Do(DialogueEffect effect) => _effects.Add(effect);

    public void Note(object @event) => _effects.Add(new Note(@event));

    public string Prompt(string name) =>
        Template.Fill(PlatformPrompts.Text(name, Setup.Language, Setup.Prompts), key => key switch
        {
            "name" => Setup.CallerName,
            "assistant" => Assistant?.Name ?? "Sentiric",
            _ => null,
        });

    /// <summary>Speaks; a chat has heard it at once.</summary>
    public void Say(string text, UtteranceKind kind, bool interruptible = true)
    {
        if (text.Length == 0)
        {
            return;
        }

        var utterance = new Utterance($"{Setup.CallId:N}-{State.NextUtterance}", State.Turn, text, kind, interruptible);
        State = State with { NextUtterance = State.NextUtterance + 1 };
        if (State.Open is { } open)
        {
            State = State with { Open = open with { Answered = open.Answered.Length == 0 ? text : $"{open.Answered} {text}" } };
        }

        Do(new Say(utterance));
        if (Setup.IsText)
        {
            Remember(new(Speaker.Agent, text, null));
            Note(new TranscriptFinal(Now, utterance.Turn, Speaker.Agent, text, 1, 0, 0, kind, null));
            return;
        }

        Do(new StopTimer(DialogueTimer.NoInput));
        State = State with { Speaking = [.. State.Speaking, utterance], SpeakingSince = State.Speaking.Count == 0 ? null : State.SpeakingSince };
    }

    public void Say(string text, UtteranceKind kind, string then) => Say($"{text} {then}".Trim(), kind);

    public void Remember(HistoryLine line) =>
        State = State with { History = [.. State.History.TakeLast(DialogueState.MaxHistory - 1), line] };

    public int NewWork()
    {
        var id = State.NextWork;
        State = State with { NextWork = id + 1 };
        return id;
    }

    /// <summary>Work begins whose answer is waited for; a long wait is announced.</summary>
    public void Await(Pending pending)
    {
        Mind = Mind with { Pending = pending };
        if (!Setup.IsText)
        {
            Do(new SetTimer(DialogueTimer.Thinking, Setup.Limits.ThinkingMs));
        }
    }

    /// <summary>Takes the answer's work off the mind; null when the answer is late.</summary>
    public Pending? Arrived(int workId, WorkKind kind)
    {
        if (Mind.Pending is not { } pending || pending.Id != workId || pending.Kind != kind)
        {
            return null;
        }

        Mind = Mind with { Pending = null };
        Do(new StopTimer(DialogueTimer.Thinking));
        return pending;
    }

    /// <summary>Stops for good: what was not heard is not said later. What must be heard goes on.</summary>
    public void StopTalking()
    {
        if (State.Speaking.Count > 0 && State.Speaking[0].Interruptible)
        {
            State = State with { Speaking = State.Speaking.Select(u => u with { Abandoned = true }).ToArray() };
            Do(new StopTalking());
        }
    }
}
