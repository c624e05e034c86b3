using System.Text.Json.Serialization.Metadata;

namespace Sentiric.EventStore;

/// <summary>A store that folds a stream where it reads it, without making an event of each row.</summary>
internal interface IStreamFolder
{
    /// <summary>Whether a state that was kept may still be used: nobody whom it tells of was forgotten since.</summary>
    ValueTask<bool> IsCurrentAsync<TState>(Folded<TState> kept, CancellationToken ct);

    /// <summary>
    /// Folds what is behind <paramref name="start"/>, up to <paramref name="upToVersion"/>. With <paramref name="forWriting"/> the version is that of the stream even
    /// when no event is left to fold.
    /// </summary>
    ValueTask<Folded<TState>> FoldAsync<TState>(
        string tenant, string streamId, Folded<TState> start, Evolve<TState> evolve, long upToVersion, bool forWriting, CancellationToken ct);

    /// <summary>The same from the stored snapshot of this name and shape, in the same round trip; null when none fits the events that came with it.</summary>
    ValueTask<Folded<TState>?> FoldSnapshotAsync<TState>(string tenant, string streamId, Aggregate<TState> aggregate, JsonTypeInfo<TState> json, CancellationToken ct);

    /// <summary>Quiet when it is not to be stored (<see cref="IPayloadProtection.SealStateAsync"/>).</summary>
    ValueTask SaveSnapshotAsync<TState>(string tenant, string streamId, Aggregate<TState> aggregate, JsonTypeInfo<TState> json, Folded<TState> folded, CancellationToken ct);

    ValueTask DeleteSnapshotsAsync(string tenant, string streamId, CancellationToken ct);
}

/// <summary>A state, the version it stands for, and what was folded to get there: events and bytes of payload.</summary>
/// <param name="Keys">Ids of the data keys of the persons that it was made of; null when nobody knows: under a protection it may then not be kept.</param>
internal readonly record struct Folded<TState>(TState State, long Version, int Events = 0, long Bytes = 0, IReadOnlyList<string>? Keys = null);

/// <summary>A store that says what stands before it.</summary>
internal interface IProtectedStore
{
    IPayloadProtection? Protection { get; }
}
