namespace Sentiric.EventStore;

/// <summary>
/// Where subscriptions remember how far they came, who owns them, and what they could not handle.
/// </summary>
public interface ICheckpointStore
{
    /// <summary>The last handled position of a shard; null when it never ran.</summary>
    ValueTask<long?> LoadAsync(string shard, CancellationToken ct = default);

    /// <summary>Moves the shard from <paramref name="from"/> (null: it never ran) to <paramref name="to"/>; false when it does not stand at <paramref name="from"/>.</summary>
    ValueTask<bool> TryAdvanceAsync(string shard, long? from, long to, CancellationToken ct = default);

    /// <summary>Becomes the only owner of the shard over all processes, or returns null at once. Disposing the lease gives it back.</summary>
    ValueTask<IShardLease?> TryOwnAsync(string shard, CancellationToken ct = default);

    /// <summary>Keeps an event that could not be handled; parking it again is quiet.</summary>
    ValueTask ParkAsync(ParkedEvent parked, CancellationToken ct = default);

    /// <summary>The oldest parked events of a shard, at most <paramref name="maxCount"/>.</summary>
    ValueTask<IReadOnlyList<ParkedEvent>> ListParkedAsync(string shard, int maxCount = 100, CancellationToken ct = default);

    /// <summary>Takes an event off the list of the parked ones; false when it is not on it.</summary>
    ValueTask<bool> DiscardParkedAsync(string shard, long position, CancellationToken ct = default);

    /// <summary>No process handles further events of the shard until it is resumed. Pausing twice keeps the first note.</summary>
    ValueTask PauseAsync(string shard, PauseNote note, CancellationToken ct = default);

    ValueTask ResumeAsync(string shard, CancellationToken ct = default);

    /// <summary>Tells whoever owns the shard, now or later, what to do with one event.</summary>
    ValueTask OrderAsync(string shard, long position, OrderKind kind, string? reason = null, string? by = null, CancellationToken ct = default);

    /// <summary>What the owner has been told and has not done yet.</summary>
    ValueTask<ShardOrder> LoadOrdersAsync(string shard, CancellationToken ct = default);

    /// <summary>The order is done. <paramref name="result"/> says how a retry ended.</summary>
    ValueTask AnswerAsync(string shard, long position, OrderKind kind, RetryResult? result = null, CancellationToken ct = default);
}

public interface IShardLease : IAsyncDisposable
{
    /// <summary>False once the ownership is lost, for instance because the connection that held it died.</summary>
    ValueTask<bool> IsHeldAsync(CancellationToken ct = default);
}

/// <summary>An event that a handler refused again and again. The shard went on without it.</summary>
public sealed record ParkedEvent(
    string Shard, long Position, string Tenant, string EventType, DateTimeOffset ParkedAt, string ErrorType, string ErrorMessage);

/// <summary>The progress names that Marten's daemon uses, so that both tell the same shard by the same name.</summary>
public static class ShardName
{
    public static string Of(string name, int version = 1) =>
        version == 1 ? $"{name}:All" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name}:V{version}:All");

    /// <summary><c>Calls:V2:All</c> is version 2 of <c>Calls</c>; without a number it is version 1.</summary>
    public static (string Name, int Version) Parse(string shard)
    {
        var parts = shard.Split(':');
        return parts.Length > 2 && parts[1].StartsWith('V')
            && int.TryParse(parts[1].AsSpan(1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var version)
                ? (parts[0], version)
                : (parts[0], 1);
    }
}
