using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>When the ear heard the end of a turn: time stamps of <see cref="TimeProvider"/>.</summary>
internal readonly record struct EarMarks(long LastVoiced, long TurnOver, long Understood);

/// <summary>Time stamps of each turn on its way from the caller's last sound to the first sound of the answer.</summary>
internal sealed class TurnClock(TimeProvider time)
{
    // Marks of turns that never complete go when so many newer ones came.
    private const int MaxTurns = 16;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<int, Marks> _turns = [];

    public void Heard(int turn, EarMarks ear)
    {
        lock (_gate)
        {
            _turns[turn] = new(ear, 0, 0);
            while (_turns.Count > MaxTurns)
            {
                _turns.Remove(_turns.First().Key);
            }
        }
    }

    /// <summary>The first sentence of the answer is known.</summary>
    public void Answered(int turn) => Mark(turn, m => m.Answered == 0 ? m with { Answered = time.GetTimestamp() } : m);

    /// <summary>The first audio of the answer goes to the media engine.</summary>
    public void Sounded(int turn) => Mark(turn, m => m is { Sounded: 0, Answered: > 0 } ? m with { Sounded = time.GetTimestamp() } : m);

    public TurnLatency Take(int turn)
    {
        lock (_gate)
        {
            if (!_turns.Remove(turn, out var m))
            {
                return new(0, 0, 0, 0, 0);
            }

            var ear = m.Ear;
            return new(
                Ms(ear.LastVoiced, ear.TurnOver), Ms(ear.TurnOver, ear.Understood), Ms(ear.Understood, m.Answered), Ms(m.Answered, m.Sounded), Ms(ear.LastVoiced, m.Sounded));
        }
    }

    private void Mark(int turn, Func<Marks, Marks> change)
    {
        lock (_gate)
        {
            if (_turns.TryGetValue(turn, out var marks))
            {
                _turns[turn] = change(marks);
            }
        }
    }

    // A stage that was never reached took no time.
    private long Ms(long from, long to) => from == 0 || to == 0 ? 0 : (long)time.GetElapsedTime(from, to).TotalMilliseconds;

    private readonly record struct Marks(EarMarks Ear, long Answered, long Sounded);
}
