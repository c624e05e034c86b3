using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

public sealed partial class PostgresEventStore : IStreamLifecycle
{
    // Progress rows of shards have a colon in their name; the others are bookkeeping.
    private const string ShardBehind = """
        select name from mt_event_progression where name like '%:%' and coalesce(last_seq_id, 0) < $1 order by last_seq_id limit 1
        """;

    public ValueTask<bool> UnarchiveStreamAsync(string tenant, string streamId, CancellationToken ct = default)
    {
        var address = AddressOf(tenant, streamId);
        return Failures.GuardAsync(() => UnarchiveAsync(address, ct));
    }

    public ValueTask<StreamTruncation?> TruncateStreamAsync(
        string tenant, string streamId, long beforeVersion, TruncationReason reason, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(reason);
        ArgumentException.ThrowIfNullOrWhiteSpace(reason.Why);
        ArgumentOutOfRangeException.ThrowIfLessThan(beforeVersion, 1);
        var address = AddressOf(tenant, streamId);
        return Failures.GuardAsync(() => TruncateAsync(address, beforeVersion, reason, ct));
    }

    public ValueTask<IReadOnlyList<StreamTruncation>> ListTruncationsAsync(string tenant, string streamId, CancellationToken ct = default)
    {
        const string sql = """
            select before_version, events, first_seq_id, last_seq_id, sha256, reason, actor, truncated_at
            from sx_stream_truncation where tenant_id = $1 and stream_id = $2 order by before_version
            """;
        var address = AddressOf(tenant, streamId);
        return Failures.GuardAsync(async () =>
        {
            await using var command = _source.CreateCommand(sql);
            command.Parameters.Add(new() { Value = address.Tenant });
            command.Parameters.Add(new() { Value = address.StreamId });
            await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            var found = new List<StreamTruncation>();
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                found.Add(new StreamTruncation(
                    address.Tenant, address.StreamId, rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2), rows.GetInt64(3), rows.GetFieldValue<byte[]>(4),
                    rows.GetString(5), rows.IsDBNull(6) ? null : rows.GetString(6), new DateTimeOffset(rows.GetDateTime(7), TimeSpan.Zero)));
            }
            return (IReadOnlyList<StreamTruncation>)found;
        });
    }

    private async ValueTask<bool> UnarchiveAsync(StreamAddress address, CancellationToken ct)
    {
        if (await FileOfAsync(address, ct).ConfigureAwait(false) is var (file, _)) throw new StreamInFileException(address.StreamId, file);
        return await MarkArchivedAsync(address, archived: false, ct).ConfigureAwait(false);
    }

    /// <summary>The file where the events of the stream lie, and the hash with which they left; null when they are in the tables.</summary>
    private async ValueTask<(string File, byte[] Sha256)?> FileOfAsync(StreamAddress address, CancellationToken ct)
    {
        await using var command = _source.CreateCommand("select file, sha256 from sx_archived_stream where tenant_id = $1 and stream_id = $2");
        command.Parameters.Add(new() { Value = address.Tenant });
        command.Parameters.Add(new() { Value = address.StreamId });
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (row.GetString(0), row.GetFieldValue<byte[]>(1)) : null;
    }

    /// <summary>A stream of which the tables hold nothing from here on: it may lie in a file.</summary>
    private async IAsyncEnumerable<RecordedEvent> ReadFileAsync(
        StreamAddress address, long fromVersion, int maxCount, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        if (!await Failures.GuardAsync(() => AnyFilesAsync(ct)).ConfigureAwait(false)) yield break;
        if (await Failures.GuardAsync(() => FileOfAsync(address, ct)).ConfigureAwait(false) is not var (file, sha256)) yield break;
        if (_options.ArchiveFolder is not { } folder) throw new StreamInFileException(address.StreamId, file);
        var found = new ArchiveFolder(folder).StreamAsync(file, address, sha256, ct).Where(row => row.Version >= fromVersion).Take(maxCount);
        if (_options.Protection is not { } protection)
        {
            await foreach (var row in found.ConfigureAwait(false)) yield return row.ToRecorded();
            yield break;
        }
        // Page by page, as what is read from the tables.
        await foreach (var page in found.Select(row => row.ToRecorded()).Chunk(PageSize).ConfigureAwait(false))
        {
            await protection.OpenAsync(page, ct).ConfigureAwait(false);
            foreach (var recorded in page) yield return recorded;
        }
    }

    // Streams that do not exist yet are read all the time, and most stores have no files: whether there are any is asked at most once per interval.
    private static readonly TimeSpan FilesInterval = TimeSpan.FromSeconds(1);
    private volatile bool _anyFiles;
    private long _filesAskedAt;

    private async ValueTask<bool> AnyFilesAsync(CancellationToken ct)
    {
        var asked = Interlocked.Read(ref _filesAskedAt);
        if (_anyFiles || (asked != 0 && _clock.GetElapsedTime(asked) < FilesInterval)) return _anyFiles;
        await using var command = _source.CreateCommand("select exists (select 1 from sx_archived_stream)");
        _anyFiles = await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is true;
        Interlocked.Exchange(ref _filesAskedAt, _clock.GetTimestamp());
        return _anyFiles;
    }

    private async ValueTask<bool> MarkArchivedAsync(StreamAddress address, bool archived, CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        if (_tables.IsPartitioned) return await MoveToArchiveAsync(connection, address, archived, ct).ConfigureAwait(false);
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in new[]
                 {
                     "update mt_streams set is_archived = $3 where tenant_id = $1 and id = $2",
                     "update mt_events set is_archived = $3 where tenant_id = $1 and stream_id = $2 and is_archived is distinct from $3",
                 })
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { new() { Value = address.Tenant }, StreamIdOf(address), new() { Value = archived } } });
        }
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        return batch.BatchCommands[0].RecordsAffected > 0;
    }

    private async ValueTask<StreamTruncation?> TruncateAsync(StreamAddress address, long beforeVersion, TruncationReason reason, CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        var version = await LockStreamAsync(connection, address, ct).ConfigureAwait(false);
        if (version is null) return null;
        if (beforeVersion > version) throw new TruncationRefusedException(address.StreamId, $"it stands at version {version}, and its last event stays.");
        if (await DoomedAsync(connection, address, beforeVersion, ct).ConfigureAwait(false) is not { } doomed) return null;
        if (!reason.EvenUnread) await EnsureReadAsync(connection, address, doomed.LastPosition, ct).ConfigureAwait(false);
        var truncation = doomed with { Why = reason.Why, Actor = reason.Actor, TruncatedAt = Timestamps.Now(_clock) };
        await DeleteAsync(connection, truncation, ct).ConfigureAwait(false);
        if (_options.OrderKey is { } key) await OrderRows.SignTruncationAsync(connection, key, truncation, ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        return truncation;
    }

    private async ValueTask<long?> LockStreamAsync(NpgsqlConnection connection, StreamAddress address, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"select coalesce(version, 0) from mt_streams where tenant_id = $1 and id = $2{_tables.LivingFirst} for update", connection)
        {
            Parameters = { new() { Value = address.Tenant }, StreamIdOf(address) },
        };
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as long?;
    }

    /// <summary>What would go, counted and hashed; null when nothing would.</summary>
    private async ValueTask<StreamTruncation?> DoomedAsync(NpgsqlConnection connection, StreamAddress address, long beforeVersion, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"select {StoredRow.Columns(_tables)} from mt_events where tenant_id = $1 and stream_id = $2 and version < $3{_tables.Living("$1", "$2")} order by version", connection)
        {
            Parameters = { new() { Value = address.Tenant }, StreamIdOf(address), new() { Value = beforeVersion } },
        };
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        using var hash = new RowHash();
        var (events, first, last) = (0L, long.MaxValue, 0L);
        for (; await rows.ReadAsync(ct).ConfigureAwait(false); events++)
        {
            var row = StoredRow.Read(rows);
            hash.Add(row);
            (first, last) = (Math.Min(first, row.Position), Math.Max(last, row.Position));
        }
        return events == 0 ? null : new StreamTruncation(address.Tenant, address.StreamId, beforeVersion, events, first, last, hash.Finish(), "", null, default);
    }

    private static async ValueTask EnsureReadAsync(NpgsqlConnection connection, StreamAddress address, long position, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(ShardBehind, connection) { Parameters = { new() { Value = position } } };
        if (await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is string shard)
            throw new TruncationRefusedException(address.StreamId, $"'{shard}' has not read up to position {position} yet.");
    }

    private async ValueTask DeleteAsync(NpgsqlConnection connection, StreamTruncation gone, CancellationToken ct)
    {
        var address = new StreamAddress(gone.Tenant, gone.StreamId);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand($"delete from mt_events where tenant_id = $1 and stream_id = $2 and version < $3{_tables.Living("$1", "$2")}")
                {
                    Parameters = { new() { Value = gone.Tenant }, StreamIdOf(address), new() { Value = gone.BeforeVersion } },
                },
                new NpgsqlBatchCommand("""
                    insert into sx_stream_truncation (tenant_id, stream_id, before_version, events, first_seq_id, last_seq_id, sha256, reason, actor, truncated_at)
                    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                    """)
                {
                    Parameters =
                    {
                        new() { Value = gone.Tenant }, new() { Value = gone.StreamId }, new() { Value = gone.BeforeVersion }, new() { Value = gone.Events },
                        new() { Value = gone.FirstPosition }, new() { Value = gone.LastPosition }, new() { Value = gone.Sha256, NpgsqlDbType = NpgsqlDbType.Bytea },
                        new() { Value = gone.Why }, new() { Value = (object?)gone.Actor ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Varchar },
                        new() { Value = gone.TruncatedAt.UtcDateTime },
                    },
                },
            },
        };
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private NpgsqlParameter StreamIdOf(StreamAddress address) => new() { Value = _tables.StreamId(address.StreamId), NpgsqlDbType = _tables.StreamIdDbType };
}
