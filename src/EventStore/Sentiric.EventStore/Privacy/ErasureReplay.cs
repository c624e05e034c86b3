namespace Sentiric.EventStore;

/// <summary>
/// What a projection does when it reads that somebody was forgotten: the rows of that person's streams go, and the streams are applied again, blank this time.
/// It happens in the transaction of the very batch that holds the erasure, so the rows are those that a rebuild would give, at every position, and whoever
/// owns the projection does it, in whatever process.
/// </summary>
public sealed class ErasureReplay(IEventStore store, PersonalDataProtection protection)
{
    private const int PageSize = 500;

    /// <summary>The stored name of the event that tells of an erasure.</summary>
    internal string? EventType => protection.Map.Erasure?.StoredName;

    /// <summary>From now on nothing is opened any more that was destroyed until now.</summary>
    internal ValueTask RefreshAsync(CancellationToken ct) => protection.RefreshAsync(ct);

    internal async ValueTask ReplayAsync(
        ITableProjection projection, ProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, long upTo, LeftOut leftOut, CancellationToken ct)
    {
        if (protection.Map.Erasure is not { } fact) return;
        var streams = batch.Where(e => e.EventType == fact.StoredName).SelectMany(e => fact.StreamsOf(store.Serializer.Deserialize(e))).Distinct().ToList();
        if (streams.Count == 0) return;
        // The key is gone since before the event was written; what this process remembers of it goes now.
        await protection.RefreshAsync(ct).ConfigureAwait(false);
        // Documents that the owner remembers were folded before.
        writer.Session?.Documents.Clear();
        if (projection is not IStreamRows rows) return;
        // What was gathered so far is written before it is deleted, and deleted before it is written anew.
        await writer.FlushAsync(ct).ConfigureAwait(false);
        foreach (var stream in streams) rows.DeleteStream(writer, stream.Tenant, stream.StreamId);
        await writer.FlushAsync(ct).ConfigureAwait(false);
        foreach (var stream in streams) await ApplyAsync(projection, writer, stream, upTo, leftOut, ct).ConfigureAwait(false);
    }

    private async ValueTask ApplyAsync(ITableProjection projection, IProjectionWriter writer, SubjectStream stream, long upTo, LeftOut leftOut, CancellationToken ct)
    {
        var page = new List<RecordedEvent>(PageSize);
        await foreach (var recorded in store.ReadStreamAsync(stream.Tenant, stream.StreamId, ct: ct).ConfigureAwait(false))
        {
            if (recorded.Position > upTo) break;
            page.Add(recorded);
            if (page.Count < PageSize) continue;
            await projection.ApplyAsync(writer, await leftOut.WithoutAsync(writer, page, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
            page = new List<RecordedEvent>(PageSize);
        }
        if (page.Count > 0) await projection.ApplyAsync(writer, await leftOut.WithoutAsync(writer, page, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
    }
}

/// <summary>What is not in the rows and does not come into them by an erasure: an event that could not be applied would keep the others from becoming blank.</summary>
/// <param name="Shard">Under which name the events are parked.</param>
/// <param name="AsWell">Those that are about to be parked.</param>
internal sealed record LeftOut(string Shard, IReadOnlySet<long> AsWell)
{
    // What operators had left out stays out, even when they took it off the list of the parked events.
    private const string Among = DeadLetters.Among + " union all " + SkippedEvents.Among;

    public async ValueTask<IReadOnlyList<RecordedEvent>> WithoutAsync(IProjectionWriter writer, List<RecordedEvent> page, CancellationToken ct)
    {
        var parked = await writer.QueryAsync(Among, row => row.GetInt64(0), ct, [.. DeadLetters.Key(Shard), page.ConvertAll(e => e.Position).ToArray()]).ConfigureAwait(false);
        page.RemoveAll(e => AsWell.Contains(e.Position) || parked.Contains(e.Position));
        return page;
    }
}
