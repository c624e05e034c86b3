using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using NpgsqlTypes;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// Moves ended streams out of the tables into compressed files, and back. The row of the stream stays and is closed; <c>sx_archived_stream</c> tells the file,
/// <c>sx_stream_move</c> every move.
/// <code>
///   read ──> file, fsync ──> read back, compare ──> manifest, fsync ──> one transaction: lock, same hash as in the file? delete events, write where they are
/// </code>
/// A crash at any point leaves the events in the tables or in a file that is told of, never in neither; the next run goes on. What it may leave besides is
/// a file that no stream points to (<see cref="UnusedFilesAsync"/>). Rebuilt read models do not see what is in files: restore first.
/// One folder belongs to one database. Needs the migrator's rights.
/// </summary>
public sealed class StreamFiles
{
    private const string Owner = "sx_stream_files";

    private readonly NpgsqlDataSource _source;
    private readonly EventTables _tables;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly ArchiveFolder _folder;
    private readonly AuditKey? _orderKey;
    private readonly TimeSpan _lockTimeout;

    public StreamFiles(NpgsqlDataSource source, string folder, TimeProvider clock, PostgresEventStoreOptions? options = null, ILogger? logger = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        _lockTimeout = (options ?? new PostgresEventStoreOptions()).AppendLockTimeout;
        (_source, _tables, _clock, _logger, _folder) = (source, EventTables.Of(options), clock, logger ?? NullLogger.Instance, new ArchiveFolder(folder));
        _orderKey = options?.OrderKey;
    }

    /// <summary>Called between two steps; a test stops the world there.</summary>
    internal Func<string, ValueTask> Step { get; init; } = static _ => ValueTask.CompletedTask;

    /// <summary>
    /// Moves every stream that the policy names. Throws <see cref="FileArchiveBusyException"/> when another process is at it,
    /// <see cref="ArchiveFileException"/> when a written file does not read back; then nothing of it was deleted.
    /// </summary>
    public ValueTask<FileArchiveProgress> ArchiveAsync(FileArchivePolicy policy, IProgress<FileArchiveProgress>? progress = null, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(policy.StreamsPerFile, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(policy.StreamsPerFile, 10_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(policy.OlderThan, TimeSpan.Zero);
        return AloneAsync(() => ArchiveAloneAsync(policy, progress, ct), ct);
    }

    /// <summary>
    /// Puts events back into the tables, with their old positions; the streams stay closed until <see cref="IStreamLifecycle.UnarchiveStreamAsync"/>.
    /// All files, or those of one tenant, or one stream. The files are checked first and stay where they are.
    /// </summary>
    public ValueTask<FileArchiveProgress> RestoreAsync(
        string? tenant = null, string? streamId = null, IProgress<FileArchiveProgress>? progress = null, CancellationToken ct = default) =>
        AloneAsync(() => RestoreAloneAsync(tenant, streamId, progress, ct), ct);

    /// <summary>Reads every file that a stream points to and compares all hashes, with the manifest and with what the tables say of each stream. Throws <see cref="ArchiveFileException"/>.</summary>
    public async ValueTask<int> VerifyAsync(CancellationToken ct = default)
    {
        var files = await Failures.GuardAsync(() => StubsAsync(null, null, ct)).ConfigureAwait(false);
        foreach (var (file, streams) in files) await CheckedAsync(file, streams, ct).ConfigureAwait(false);
        return files.Count;
    }

    /// <summary>Files that no stream points to: after a crash, or when all their streams were restored. They may be deleted.</summary>
    public async ValueTask<IReadOnlyList<string>> UnusedFilesAsync(CancellationToken ct = default)
    {
        var used = await Failures.GuardAsync(() => FilesInUseAsync(ct)).ConfigureAwait(false);
        return [.. (await _folder.ManifestsAsync(ct).ConfigureAwait(false)).Select(m => m.File).Where(f => !used.Contains(f))];
    }

    private async ValueTask<FileArchiveProgress> AloneAsync(Func<ValueTask<FileArchiveProgress>> work, CancellationToken ct) => await Failures.GuardAsync(async () =>
    {
        await using var lease = await ShardLock.TryTakeAsync(_source, Owner, ct).ConfigureAwait(false) ?? throw new FileArchiveBusyException();
        return await work().ConfigureAwait(false);
    }).ConfigureAwait(false);

    private async ValueTask<FileArchiveProgress> ArchiveAloneAsync(FileArchivePolicy policy, IProgress<FileArchiveProgress>? progress, CancellationToken ct)
    {
        _folder.Sweep(await FilesInUseAsync(ct).ConfigureAwait(false));
        var (done, cursor, left) = (new FileArchiveProgress(0, 0, 0, ""), default(Candidate?), policy.MaxStreams);
        while (left > 0)
        {
            var streams = await CandidatesAsync(policy, cursor, Math.Min(left, policy.StreamsPerFile), ct).ConfigureAwait(false);
            if (streams.Count == 0) break;
            (cursor, left) = (streams[^1], left - streams.Count);
            var manifest = await _folder.WriteAsync(RowsAsync(streams, ct), _clock.GetUtcNow(), ct).ConfigureAwait(false);
            await Step("manifest").ConfigureAwait(false);
            var moved = await RemoveAsync(manifest, ct).ConfigureAwait(false);
            done = new FileArchiveProgress(done.Streams + moved.Count, done.Events + moved.Sum(s => s.Events), done.Bytes + manifest.Bytes, manifest.File);
            _logger.StreamsMovedToFile(moved.Count, manifest.File);
            progress?.Report(done);
        }
        return done;
    }

    private async ValueTask<List<Candidate>> CandidatesAsync(FileArchivePolicy policy, Candidate? after, int count, CancellationToken ct)
    {
        const string sql = $"""
            select s.tenant_id, s.id from mt_streams s
            join lateral (select e.type, e.timestamp, e.seq_id from mt_events e
                          where e.tenant_id = s.tenant_id and e.stream_id = s.id order by e.version desc limit 1) l on true
            where (s.tenant_id, s.id) > ($1, $2) and ($3 is null or s.tenant_id = $3) and (s.is_archived or l.type = any($4)) and l.type <> '{EventRows.Tombstone}'
              and l.timestamp < $5
              and l.seq_id <= coalesce((select min(coalesce(p.last_seq_id, 0)) from mt_event_progression p where p.name like '%:%' and p.name <> all($6)), 9223372036854775807)
              and (select count(*) from mt_events e where e.tenant_id = s.tenant_id and e.stream_id = s.id) <= $7
            order by s.tenant_id, s.id limit $8
            """;
        await using var command = _source.CreateCommand(sql);
        const NpgsqlDbType texts = NpgsqlDbType.Array | NpgsqlDbType.Varchar;
        foreach (var (type, value) in new (NpgsqlDbType, object)[]
                 {
                     (NpgsqlDbType.Varchar, after?.Tenant ?? ""),
                     (_tables.StreamIdDbType, after?.StreamId ?? (_tables.Identity == StreamIdentity.Guid ? Guid.Empty : (object)"")),
                     (NpgsqlDbType.Varchar, (object?)policy.Tenant ?? DBNull.Value), (texts, policy.EndingEventTypes.ToArray()),
                     (NpgsqlDbType.TimestampTz, (_clock.GetUtcNow() - policy.OlderThan).UtcDateTime), (texts, policy.IgnoredShards.ToArray()),
                     (NpgsqlDbType.Bigint, (long)policy.MaxEventsPerStream), (NpgsqlDbType.Integer, count),
                 })
        {
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value });
        }
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var found = new List<Candidate>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(new Candidate(rows.GetString(0), rows.GetValue(1)));
        return found;
    }

    private async IAsyncEnumerable<StoredRow> RowsAsync(List<Candidate> streams, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        foreach (var stream in streams)
        {
            await using var command = StreamCommand(connection, $"select {StoredRow.Columns(_tables)} from mt_events where tenant_id = $1 and stream_id = $2 order by version", stream);
            await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) yield return StoredRow.Read(rows);
        }
    }

    /// <summary>What was written to since it was read stays in the tables; its copy in the file is then of no use and does no harm.</summary>
    private async ValueTask<List<ArchivedStreamEntry>> RemoveAsync(FileManifest manifest, CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        if (_tables.IsPartitioned) await PartitionLock.TakeAsync(connection, _lockTimeout, ct).ConfigureAwait(false);
        var moved = new List<ArchivedStreamEntry>();
        foreach (var entry in manifest.Streams)
        {
            var stream = new Candidate(entry.Tenant, _tables.StreamId(entry.StreamId));
            if (!await IsUnchangedAsync(connection, stream, entry, ct).ConfigureAwait(false)) continue;
            await RemoveAsync(connection, stream, entry, manifest, ct).ConfigureAwait(false);
            moved.Add(entry);
        }
        await Step("deleted").ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        return moved;
    }

    private async ValueTask<bool> IsUnchangedAsync(NpgsqlConnection connection, Candidate stream, ArchivedStreamEntry entry, CancellationToken ct)
    {
        await using (var hold = StreamCommand(connection, "select 1 from mt_streams where tenant_id = $1 and id = $2 for update", stream))
            await hold.ExecuteScalarAsync(ct).ConfigureAwait(false);
        await using var command = StreamCommand(connection, $"select {StoredRow.Columns(_tables)} from mt_events where tenant_id = $1 and stream_id = $2 order by version", stream);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        using var hash = new RowHash();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) hash.Add(StoredRow.Read(rows));
        return Convert.ToHexStringLower(hash.Finish()) == entry.Sha256;
    }

    private async ValueTask RemoveAsync(NpgsqlConnection connection, Candidate stream, ArchivedStreamEntry entry, FileManifest manifest, CancellationToken ct)
    {
        foreach (var sql in new[]
                 {
                     "delete from mt_events where tenant_id = $1 and stream_id = $2",
                     "update mt_streams set is_archived = true where tenant_id = $1 and id = $2",
                 })
        {
            await using var command = StreamCommand(connection, sql, stream);
            await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        }
        await using var tell = new NpgsqlCommand("""
            insert into sx_archived_stream (tenant_id, stream_id, file, sha256, events, version, first_seq_id, last_seq_id, archived_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """, connection)
        {
            Parameters =
            {
                new() { Value = entry.Tenant }, new() { Value = entry.StreamId }, new() { Value = manifest.File }, new() { Value = Convert.FromHexString(entry.Sha256) },
                new() { Value = entry.Events }, new() { Value = entry.Version }, new() { Value = entry.FirstPosition }, new() { Value = entry.LastPosition },
                new() { Value = Timestamps.Now(_clock).UtcDateTime },
            },
        };
        await tell.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await TellMovesAsync(connection, [new StreamAddress(entry.Tenant, entry.StreamId)], restored: false, ct).ConfigureAwait(false);
    }

    private async ValueTask TellMovesAsync(NpgsqlConnection connection, IReadOnlyCollection<StreamAddress> streams, bool restored, CancellationToken ct)
    {
        await using var tell = new NpgsqlCommand(LifecycleTables.TellMoves, connection)
        {
            Parameters =
            {
                new() { Value = streams.Select(s => s.Tenant).ToArray() }, new() { Value = streams.Select(s => s.StreamId).ToArray() },
                new() { Value = restored }, new() { Value = Timestamps.Now(_clock).UtcDateTime },
            },
        };
        await tell.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        if (_orderKey is not null) await OrderRows.SignMovesAsync(connection, _orderKey, streams, ct).ConfigureAwait(false);
    }

    private async ValueTask<FileArchiveProgress> RestoreAloneAsync(string? tenant, string? streamId, IProgress<FileArchiveProgress>? progress, CancellationToken ct)
    {
        var done = new FileArchiveProgress(0, 0, 0, "");
        foreach (var file in await StubsAsync(tenant, streamId, ct).ConfigureAwait(false))
        {
            var manifest = await CheckedAsync(file.Key, file.Value, ct).ConfigureAwait(false);
            var events = await RestoreFileAsync(manifest, [.. file.Value.Select(s => new StreamAddress(s.Tenant, s.StreamId))], ct).ConfigureAwait(false);
            done = new FileArchiveProgress(done.Streams + file.Value.Count, done.Events + events, done.Bytes + manifest.Bytes, file.Key);
            progress?.Report(done);
        }
        return done;
    }

    /// <summary>Whoever can replace a file can replace its manifest as well: what left the tables is what the tables say of it.</summary>
    private async ValueTask<FileManifest> CheckedAsync(string file, IReadOnlyList<ArchivedStreamEntry> streams, CancellationToken ct)
    {
        var manifest = await _folder.ReadManifestAsync(file, ct).ConfigureAwait(false);
        await _folder.VerifyAsync(manifest, ct).ConfigureAwait(false);
        var held = manifest.Streams.ToHashSet();
        return streams.FirstOrDefault(s => !held.Contains(s)) is not { } missing
            ? manifest
            : throw new ArchiveFileException(file, $"it does not hold stream '{missing.StreamId}' of tenant '{missing.Tenant}' as that left the tables; it is another file, or sx_archived_stream was changed.");
    }

    /// <summary>One transaction a file: rows and stubs stand or fall together.</summary>
    private async ValueTask<long> RestoreFileAsync(FileManifest manifest, HashSet<StreamAddress> wanted, CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        var events = 0L;
        await using (var rows = await connection.BeginBinaryImportAsync(StoredRow.CopySql(_tables), ct).ConfigureAwait(false))
        {
            await foreach (var row in _folder.RowsAsync(manifest.File, ct).ConfigureAwait(false))
            {
                if (!wanted.Contains(new StreamAddress(row.Tenant, row.StreamId))) continue;
                await row.CopyAsync(rows, _tables, ct).ConfigureAwait(false);
                events++;
            }
            await rows.CompleteAsync(ct).ConfigureAwait(false);
        }
        await Step("copied").ConfigureAwait(false);
        await TellMovesAsync(connection, wanted, restored: true, ct).ConfigureAwait(false);
        await using var forget = new NpgsqlCommand(
            "delete from sx_archived_stream a using unnest($1, $2) as u(tenant, stream) where a.tenant_id = u.tenant and a.stream_id = u.stream", connection)
        {
            Parameters = { new() { Value = wanted.Select(w => w.Tenant).ToArray() }, new() { Value = wanted.Select(w => w.StreamId).ToArray() } },
        };
        await forget.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        return events;
    }

    private async ValueTask<Dictionary<string, List<ArchivedStreamEntry>>> StubsAsync(string? tenant, string? streamId, CancellationToken ct)
    {
        await using var command = _source.CreateCommand("""
            select file, tenant_id, stream_id, version, events, first_seq_id, last_seq_id, sha256 from sx_archived_stream
            where ($1 is null or tenant_id = $1) and ($2 is null or stream_id = $2) order by file
            """);
        foreach (var value in new[] { tenant, streamId })
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Varchar, Value = (object?)value ?? DBNull.Value });
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var files = new Dictionary<string, List<ArchivedStreamEntry>>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            if (!files.TryGetValue(rows.GetString(0), out var streams)) files[rows.GetString(0)] = streams = [];
            streams.Add(new ArchivedStreamEntry(
                rows.GetString(1), rows.GetString(2), rows.GetInt64(3), rows.GetInt64(4), rows.GetInt64(5), rows.GetInt64(6), Convert.ToHexStringLower(rows.GetFieldValue<byte[]>(7))));
        }
        return files;
    }

    private async ValueTask<HashSet<string>> FilesInUseAsync(CancellationToken ct)
    {
        await using var command = _source.CreateCommand("select distinct file from sx_archived_stream");
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var files = new HashSet<string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) files.Add(rows.GetString(0));
        return files;
    }

    private NpgsqlCommand StreamCommand(NpgsqlConnection connection, string sql, Candidate stream) => new(sql, connection)
    {
        Parameters = { new() { Value = stream.Tenant }, new() { Value = stream.StreamId, NpgsqlDbType = _tables.StreamIdDbType } },
    };

    /// <summary>The stream id as its column holds it.</summary>
    private sealed record Candidate(string Tenant, object StreamId);
}

/// <summary>Another process moves streams between tables and files.</summary>
public sealed class FileArchiveBusyException() : EventStoreException("Another process is moving streams into files or back. Wait for it.");
