using Microsoft.Extensions.Logging;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Fills the tables of an <see cref="IPartitionedProjection"/>: the log is read once, each worker applies the events of its streams in order on a connection
/// of its own. Every worker writes down how far it came with its rows, so an interrupted fill repeats nothing.
/// </summary>
internal sealed class PartitionedFill(
    NpgsqlDataSource source, IEventStore store, ITableProjection projection, ProjectionOptions options, RebuildOptions wishes, TimeProvider clock, ILogger logger,
    IReadOnlySet<long> skipped, Func<long, long, ValueTask> progress)
{
    /// <summary>Applies everything up to <paramref name="mark"/>.</summary>
    public async ValueTask RunAsync(long mark, CancellationToken ct)
    {
        var positions = await PositionsAsync(ct).ConfigureAwait(false);
        var appliers = positions.Select((_, part) => NewApplier(part)).ToArray();
        var shares = positions.Select(_ => new List<RecordedEvent>()).ToArray();
        var (at, held) = (positions.Min(), 0);
        await foreach (var recorded in store.ReadAllAsync(at, int.MaxValue, ct).ConfigureAwait(false))
        {
            if (recorded.Position > mark) break;
            var part = PartOf(recorded, shares.Length);
            if (recorded.Position > positions[part]) shares[part].Add(recorded);
            at = recorded.Position;
            if (++held < options.RebuildBatchSize * shares.Length) continue;
            await ApplyAsync(appliers, shares, positions, at, ct).ConfigureAwait(false);
            await progress(at, mark).ConfigureAwait(false);
            held = 0;
        }
        await ApplyAsync(appliers, shares, positions, mark, ct).ConfigureAwait(false);
    }

    /// <summary>The same in every process: an interrupted fill is continued elsewhere.</summary>
    internal static int PartOf(RecordedEvent recorded, int parts)
    {
        // FNV-1a over the UTF-16 units of both names.
        var hash = 2_166_136_261u;
        foreach (var unit in recorded.Tenant) hash = unchecked((hash ^ unit) * 16_777_619u);
        foreach (var unit in recorded.StreamId) hash = unchecked((hash ^ unit) * 16_777_619u);
        return (int)(hash % (uint)parts);
    }

    private static async ValueTask ApplyAsync(BatchApplier[] appliers, List<RecordedEvent>[] shares, long[] positions, long to, CancellationToken ct)
    {
        await Task.WhenAll(shares.Select(async (share, part) =>
        {
            if (to <= positions[part]) return;
            await appliers[part].ApplyAsync(share, positions[part], to, ct).ConfigureAwait(false);
            positions[part] = to;
        })).ConfigureAwait(false);
        foreach (var share in shares) share.Clear();
    }

    /// <summary>Where each worker stands; their number is that of the beginning.</summary>
    private async ValueTask<long[]> PositionsAsync(CancellationToken ct)
    {
        await using (var begin = source.CreateCommand(
            """
            insert into sx_rebuild_part (name, part) select $1, p from generate_series(0, $2 - 1) p
            where not exists (select 1 from sx_rebuild_part where name = $1)
            """))
        {
            begin.Parameters.Add(new() { Value = projection.Name });
            begin.Parameters.Add(new() { Value = RebuildWorkers.Count(wishes) });
            await begin.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        }
        await using var command = source.CreateCommand("select position from sx_rebuild_part where name = $1 order by part");
        command.Parameters.Add(new() { Value = projection.Name });
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var positions = new List<long>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) positions.Add(rows.GetInt64(0));
        return [.. positions];
    }

    private BatchApplier NewApplier(int part) => new(
        source, EventTables.Of(store), store.Serializer, projection, ShadowTables.Suffix, new PartCheckpoint(projection, part), options, clock, logger) { Skipped = skipped };

    private sealed class PartCheckpoint(ITableProjection projection, int part) : IProjectionCheckpoint
    {
        private readonly ShadowCheckpoint _shadow = new(projection);

        public async ValueTask AdvanceAsync(NpgsqlConnection connection, long? from, long to, CancellationToken ct)
        {
            await using var command = new NpgsqlCommand("update sx_rebuild_part set position = $3 where name = $1 and part = $2 and position = $4", connection)
            {
                Parameters = { new() { Value = projection.Name }, new() { Value = part }, new() { Value = to }, new() { Value = from ?? 0 } },
            };
            if (await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false) != 1) throw new CheckpointMovedException(ShadowCheckpoint.ShardOf(projection));
        }

        public ValueTask ParkAsync(NpgsqlConnection connection, ParkedEvent parked, CancellationToken ct) => _shadow.ParkAsync(connection, parked, ct);
    }
}
