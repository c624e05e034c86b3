using System.Collections.Concurrent;

namespace Sentiric.Calls;

/// <summary>Calls that somebody wants to be placed.</summary>
public sealed partial class SipRole
{
    /// <summary>Calls that are known to have been asked for: the bus may say so twice. Older ones are too late anyway (<see cref="PlacedCall.LongestWait"/>).</summary>
    private const int MaxRemembered = 10_000;

    private readonly ConcurrentDictionary<Guid, Task> _placing = new();
    private readonly ConcurrentQueue<Guid> _askedFor = new();
    private readonly ConcurrentDictionary<Guid, bool> _asked = new();

    /// <summary>Begins the call and returns at once; a call that was begun before is left alone.</summary>
    public void Place(RequestedCall requested)
    {
        if (!_asked.TryAdd(requested.CallId, true))
        {
            return;
        }

        _askedFor.Enqueue(requested.CallId);
        while (_askedFor.Count > MaxRemembered && _askedFor.TryDequeue(out var oldest))
        {
            _asked.TryRemove(oldest, out _);
        }

        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _placing[requested.CallId] = PlaceAsync(requested, begun.Task);
        begun.SetResult();
    }

    private async Task PlaceAsync(RequestedCall requested, Task begun)
    {
        await begun;
        try
        {
            await outgoing.RunAsync(requested, _stopping.Token);
        }
        finally
        {
            _placing.TryRemove(requested.CallId, out _);
        }
    }
}
