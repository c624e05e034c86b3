namespace Sentiric.EventStore;

public sealed partial class PostgresEventStore : IReadByStream
{
    ValueTask<List<RecordedEvent>> IReadByStream.ReadAsync(StreamRange range, long afterVersion, long upToPosition, int size, CancellationToken ct)
    {
        var key = _tables.IsConjoined ? "tenant_id, stream_id" : "stream_id";
        // The order of the unique index: events of a stream lie side by side, whatever came between them in the log.
        var sql = $"""
            select {_tables.EventColumns} from mt_events
            where ({key}, version) > ({(_tables.IsConjoined ? "$1, " : "")}$2, $3) and ($4 or ({key}) <= ({(_tables.IsConjoined ? "$5, " : "")}$6)) and seq_id <= $7 and type <> '{EventRows.Tombstone}'
            order by {key}, version limit $8
            """;
        return Failures.GuardAsync(() => PageAsync(
            sql, ct, range.From.Tenant, IdOf(range.From), afterVersion, range.To is null, range.To?.Tenant ?? "", IdOf(range.To ?? range.From), upToPosition, size));
    }

    async ValueTask<IReadOnlyList<StreamRange>> IReadByStream.RangesAsync(int count, CancellationToken ct)
    {
        var sql = $"""
            select tenant_id, {_tables.AsText("id")} from (
              select tenant_id, id, row_number() over (order by tenant_id, id) as number, count(*) over () as total from mt_streams) s
            where number % greatest(total / $1, 1) = 0 order by number limit $1 - 1
            """;
        return await Failures.GuardAsync(async () =>
        {
            await using var command = _source.CreateCommand(sql);
            command.CommandTimeout = 0;
            command.Parameters.Add(new() { Value = (long)count });
            await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            var (ranges, from) = (new List<StreamRange>(), StreamRange.Start);
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                var to = new StreamAddress(rows.GetString(0), rows.GetString(1));
                ranges.Add(new StreamRange(from, to));
                from = to;
            }
            ranges.Add(new StreamRange(from, null));
            return ranges;
        }).ConfigureAwait(false);
    }

    private object IdOf(StreamAddress address) => address == StreamRange.Start && _tables.Identity == StreamIdentity.Guid ? Guid.Empty : _tables.StreamId(address.StreamId);
}

/// <summary>Streams behind <see cref="From"/>, up to and with <see cref="To"/>; null: to the end.</summary>
internal readonly record struct StreamRange(StreamAddress From, StreamAddress? To)
{
    /// <summary>Before every stream.</summary>
    public static StreamAddress Start { get; } = new("", "");
}

/// <summary>A store that can be read stream by stream.</summary>
internal interface IReadByStream
{
    /// <summary>Up to <paramref name="size"/> events of the range in the order of stream and version, behind <paramref name="afterVersion"/> of its first stream.</summary>
    ValueTask<List<RecordedEvent>> ReadAsync(StreamRange range, long afterVersion, long upToPosition, int size, CancellationToken ct);

    /// <summary>Cuts all streams into about equal ranges.</summary>
    ValueTask<IReadOnlyList<StreamRange>> RangesAsync(int count, CancellationToken ct);
}
