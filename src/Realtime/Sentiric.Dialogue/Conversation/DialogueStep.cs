using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>
/// The conversation as a pure step. Whatever happens comes in as a <see cref="DialogueInput"/>; out come the new state and what is to be done.
/// No clock, no ids, no dice: the same inputs give the same decisions, byte for byte, today and in a replay years later.
/// </summary>
public static class DialogueStep
{
    public static (DialogueState State, IReadOnlyList<DialogueEffect> Effects) Next(DialogueState state, DialogueInput input)
    {
        if (state.Phase == Phase.Ended || (state.Phase == Phase.New) != (input is Started))
        {
            return (state, []);
        }

        var draft = new Draft(state, input.At);
        Take(draft, input);
        Closing.EndOfStep(draft);
        return (draft.State, draft.Effects);
    }

    private static void Take(Draft d, DialogueInput input)
    {
        switch (input)
        {
            case Started started:
                Opening.Start(d, started);
                break;
            case Resumed:
                Opening.Resume(d);
                break;
            case CallerStartedSpeaking:
                Talking.CallerStarted(d);
                break;
            case CallerBargedIn:
                Talking.CallerBargedIn(d);
                break;
            case CallerFellSilent:
                Talking.CallerFellSilent(d);
                break;
            case CallerSaid said:
                Listening.CallerSaid(d, said);
                break;
            case DtmfPressed pressed:
                Listening.DigitPressed(d, pressed.Digit);
                break;
            case UtteranceStarted started:
                Talking.Began(d, started);
                break;
            case UtteranceFinished finished:
                Talking.Finished(d, finished);
                break;
            case UtteranceInterrupted interrupted:
                Talking.Interrupted(d, interrupted);
                break;
            case KnowledgeAnswered answer:
                Knowledge.Answered(d, answer);
                break;
            case ToolAnswered answer:
                Tools.Answered(d, answer);
                break;
            case LlmSaid said:
                LlmEngine.Said(d, said);
                break;
            case LlmAnswered answer:
                LlmEngine.Answered(d, answer);
                break;
            case LlmGaveUp gaveUp:
                LlmEngine.GaveUp(d, gaveUp);
                break;
            case EngineFailed failure:
                Closing.EngineFailed(d, failure);
                break;
            case TransferBegan:
                Transferring.Begin(d);
                break;
            case TransferGaveUp gaveUp:
                Transferring.GiveUp(d, gaveUp.Reason);
                break;
            case TimerElapsed timer:
                Talking.TimerElapsed(d, timer.Timer);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(input), input.GetType().Name, "an input that no step knows");
        }
    }
}
