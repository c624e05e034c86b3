using System.Threading.Channels;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Media;

namespace Sentiric.Calls.Media;

/// <summary>Somebody beside a call. Dispose it when he goes: the call is told.</summary>
public sealed class Supervision : IAsyncDisposable
{
    private readonly SupervisorSeat _seat;
    private readonly Func<MediaSession?> _human;
    private readonly Action<SupervisionMode> _changed;
    private readonly Action _left;
    private int _over;

    internal Supervision(SupervisorSeat seat, Func<MediaSession?> human, Action<SupervisionMode> changed, Action left) =>
        (_seat, _human, _changed, _left) = (seat, human, changed, left);

    /// <summary>320 samples of 20 ms: left the other party of the call, right what it hears. Completed when the call ends.</summary>
    public ChannelReader<MediaFrame> Frames => _seat.Frames;

    /// <summary>Whether a person talks to the other party, so that there is somebody to whisper to.</summary>
    public bool IsBridged => _human() is not null;

    /// <summary>Refusal <c>call.not_bridged</c>: nobody is there to be whispered to; all stays as it was.</summary>
    public Result<Done> Use(SupervisionMode mode)
    {
        if (!_seat.Use(ModeOf(mode), _human()))
        {
            return new Refusal("call.not_bridged", "The other party talks to the assistant: there is nobody to whisper to.");
        }

        _changed(mode);
        return Done.It;
    }

    /// <summary>8 kHz, in pieces of any length.</summary>
    public void Speak(ReadOnlySpan<short> pcm) => _seat.Speak(pcm);

    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _over, 1) == 0)
        {
            _seat.Dispose();
            _left();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>It never began, so nobody is told that it ended.</summary>
    internal void Forget()
    {
        _over = 1;
        _seat.Dispose();
    }

    private static SupervisorMode ModeOf(SupervisionMode mode) => mode switch
    {
        SupervisionMode.Listen => SupervisorMode.Listen,
        SupervisionMode.Whisper => SupervisorMode.Whisper,
        SupervisionMode.Join => SupervisorMode.Join,
    };
}

/// <summary>Supervisors: who listens to a call is written into its story.</summary>
public sealed partial class MediaSessions
{
    /// <summary>How many may sit beside one call.</summary>
    private const int MaxSupervisors = 4;

    /// <param name="by">Who it is, for the call's story.</param>
    /// <returns>Refusals: <c>call.unknown</c> (also when it is another tenant's or over), <c>call.not_bridged</c>, <c>call.too_many_listeners</c>.</returns>
    public Result<Supervision> Supervise(string tenant, Guid callId, string by, SupervisionMode mode)
    {
        if (Find(tenant, IdOf(callId)) is not { TellsCall: true } leg)
        {
            return new Refusal("call.unknown", "No call of this id is up.");
        }

        if (Interlocked.Increment(ref leg.Supervisors) > MaxSupervisors)
        {
            Interlocked.Decrement(ref leg.Supervisors);
            return new Refusal("call.too_many_listeners", $"{MaxSupervisors} sit beside this call; that is the most.");
        }

        var began = clock.GetTimestamp();
        var supervision = new Supervision(
            new SupervisorSeat(leg.Session), () => leg.Partner?.Session, used => leg.Tell(new CallSupervised(clock.GetUtcNow(), by, used)), () => Leave(leg, by, began));
        if (supervision.Use(mode).Refusal is not { } refusal)
        {
            return supervision;
        }

        Interlocked.Decrement(ref leg.Supervisors);
        supervision.Forget();
        return refusal;
    }

    private void Leave(Leg leg, string by, long began)
    {
        Interlocked.Decrement(ref leg.Supervisors);
        leg.Tell(new SupervisionEnded(clock.GetUtcNow(), by, (long)clock.GetElapsedTime(began).TotalMilliseconds));
    }
}
