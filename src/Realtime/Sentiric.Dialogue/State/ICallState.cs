namespace Sentiric.Dialogue;

/// <summary>
/// Where a conversation's state is kept between steps, so that another process can go on with it; and who works on which call.
/// A cache: what it holds can be lost. Throws <see cref="CallStateUnavailableException"/> when its server cannot be reached.
/// </summary>
public interface ICallState
{
    ValueTask<byte[]?> GetAsync(Guid callId, CancellationToken ct);

    /// <summary>Keeps the state until <paramref name="expiry"/> has passed; a later put prolongs it.</summary>
    ValueTask PutAsync(Guid callId, ReadOnlyMemory<byte> state, TimeSpan expiry, CancellationToken ct);

    ValueTask RemoveAsync(Guid callId, CancellationToken ct);

    /// <summary>Calls with a state, in no order, <paramref name="max"/> at most.</summary>
    ValueTask<IReadOnlyList<Guid>> CallsAsync(int max, CancellationToken ct);

    /// <summary>True when the call is now this owner's alone, for <paramref name="duration"/>; the owner prolongs it by taking it again.</summary>
    ValueTask<bool> TakeLeaseAsync(Guid callId, string owner, TimeSpan duration, CancellationToken ct);

    /// <summary>Gives the call back; somebody else's lease is left alone.</summary>
    ValueTask ReleaseLeaseAsync(Guid callId, string owner, CancellationToken ct);
}

/// <summary>The server that keeps the state does not answer.</summary>
public sealed class CallStateUnavailableException(string message, Exception inner) : Exception(message, inner);
