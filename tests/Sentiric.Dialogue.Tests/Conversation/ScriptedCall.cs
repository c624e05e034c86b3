using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Xunit;

namespace Sentiric.Dialogue.Tests;

/// <summary>
/// A conversation on virtual time without sound: what the agent says is heard at once (unless the test holds the playback), knowledge and
/// tools answer at once (unless the test holds them). Keeps every input and effect.
/// </summary>
internal sealed class ScriptedCall
{
    private readonly Queue<Utterance> _saying = new();
    private int _unheard;
    private DateTimeOffset _now = Clinic.Start;

    public ScriptedCall(AssistantDefinition? assistant = null, string? caller = null, bool isText = false, bool llm = false)
        : this(Clinic.Setup(assistant ?? Clinic.Turkish, caller, isText, llm))
    {
    }

    public ScriptedCall(Setup setup, DialplanAction action = DialplanAction.StartAiConversation, string why = "normal", string? announcement = null, bool hold = false)
    {
        HoldPlayback = hold;
        Take(new Started(_now, setup, action, why, announcement));
    }

    /// <summary>Goes on from a stored state, as another process does.</summary>
    public ScriptedCall(DialogueState stored) => State = stored;

    public DialogueState State { get; set; } = DialogueState.New;

    public bool HoldPlayback { get; set; }

    public bool HoldWork { get; set; }

    public Func<CallTool, ToolAnswered>? Tool { get; set; }

    public List<DialogueInput> Inputs { get; } = [];

    public List<DialogueEffect> Effects { get; } = [];

    public List<Utterance> Said { get; } = [];

    public IEnumerable<object> Notes => Effects.OfType<Note>().Select(n => n.Event);

    public IEnumerable<CallTool> Calls => Effects.OfType<CallTool>();

    public HangUp? HungUp => Effects.OfType<HangUp>().SingleOrDefault();

    public ScriptedCall Caller(string text, double confidence = 0.95)
    {
        _unheard = Said.Count;
        _now = _now.AddSeconds(2);
        Take(new CallerStartedSpeaking(_now));
        Take(new CallerSaid(_now, text, confidence, 0, 1_000));
        return this;
    }

    /// <summary>The agent's answer to the last words holds all of these, in order.</summary>
    public ScriptedCall Agent(params string[] parts)
    {
        var answer = string.Join(" ", Said.Skip(_unheard).Select(u => u.Text));
        var from = 0;
        foreach (var part in parts)
        {
            var found = answer.IndexOf(part, from, StringComparison.Ordinal);
            Assert.True(found >= 0, $"the agent should have said \"{part}\", but said \"{answer}\"");
            from = found + part.Length;
        }

        return this;
    }

    public ScriptedCall Silent()
    {
        Assert.Equal("", string.Join(" ", Said.Skip(_unheard).Select(u => u.Text)));
        return this;
    }

    public ScriptedCall Timer(DialogueTimer timer)
    {
        _unheard = Said.Count;
        _now = _now.AddSeconds(4);
        Take(new TimerElapsed(_now, timer));
        return this;
    }

    /// <summary>The caller hears the utterance that is being said to its end.</summary>
    public ScriptedCall Hear()
    {
        var utterance = _saying.Dequeue();
        _now = _now.AddMilliseconds(Length(utterance));
        Take(new UtteranceStarted(_now, utterance.Id));
        Take(new UtteranceFinished(_now, utterance.Id, 0, Length(utterance)));
        return this;
    }

    /// <summary>The caller speaks into the agent's words after having heard so much of them.</summary>
    public ScriptedCall BargeIn(long heardMs)
    {
        Take(new CallerStartedSpeaking(_now));
        Take(new CallerBargedIn(_now));
        if (Effects.LastOrDefault(e => e is StopTalking or Say) is StopTalking)
        {
            foreach (var utterance in _saying.ToArray())
            {
                _saying.Dequeue();
                Take(new UtteranceInterrupted(_now, utterance.Id, 0, heardMs, Length(utterance)));
                heardMs = 0;
            }
        }

        return this;
    }

    /// <summary>Time passes. The caller's next words begin a second after it.</summary>
    public ScriptedCall Wait(int milliseconds)
    {
        _now = _now.AddMilliseconds(milliseconds);
        return this;
    }

    public ScriptedCall Do(Func<DateTimeOffset, DialogueInput> input)
    {
        _unheard = Said.Count;
        Take(input(_now));
        return this;
    }

    private static long Length(Utterance utterance) => utterance.Text.Length * 65;

    private void Take(DialogueInput input)
    {
        Inputs.Add(input);
        (State, var effects) = DialogueStep.Next(State, input);
        Effects.AddRange(effects);
        foreach (var effect in effects)
        {
            React(effect);
        }

        while (!HoldPlayback && _saying.Count > 0)
        {
            Hear();
        }
    }

    private void React(DialogueEffect effect)
    {
        switch (effect)
        {
            case Say say:
                Said.Add(say.Utterance);
                if (State.Setup?.IsText == false)
                {
                    _saying.Enqueue(say.Utterance);
                }

                break;
            case SearchTheKnowledge search when !HoldWork:
                Take(new KnowledgeAnswered(_now, search.WorkId, Clinic.Search(search.Query)));
                break;
            case CallTool call when !HoldWork:
                Take(Tool?.Invoke(call) ?? new ToolAnswered(_now, call.WorkId, new Dictionary<string, string> { ["appointment_id"] = "a1" }, null, null, 40));
                break;
            default:
                break;
        }
    }
}
