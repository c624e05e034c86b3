using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// The event store on PostgreSQL 15 or newer, on Marten's tables. Call <see cref="EnsureSchemaAsync"/> once at start.
/// Holds up to three connections of the data source (appending, listening, notifying) and borrows more for reads.
/// The data source stays the caller's; dispose the store first.
/// </summary>
public sealed partial class PostgresEventStore : IEventStore, IOnPostgres, IAsyncDisposable
{
    private const int PageSize = 1_000;

    private readonly NpgsqlDataSource _source;
    private readonly TimeProvider _clock;
    private readonly PostgresEventStoreOptions _options;
    private readonly EventTables _tables;
    private readonly AppendSql _appendSql;
    private readonly ChangeFeed _feed;
    private readonly AppendLane _lane;
    private readonly HighWaterMark _mark;
    private int _disposed;

    public PostgresEventStore(
        NpgsqlDataSource source, IEventSerializer serializer, TimeProvider clock, PostgresEventStoreOptions? options = null, ILogger? logger = null)
    {
        (_source, Serializer, _clock, _options) = (source, serializer, clock, options ?? new PostgresEventStoreOptions());
        var log = logger ?? NullLogger.Instance;
        _feed = new ChangeFeed(source, clock, log);
        _tables = EventTables.Of(_options);
        _appendSql = new AppendSql(_tables);
        _lane = new AppendLane(source, _appendSql, log, _feed.Announce);
        _mark = new HighWaterMark(source, _tables, clock, _options, log);
    }

    public IEventSerializer Serializer { get; }

    EventTables IOnPostgres.Tables => _tables;

    /// <summary>Creates the tables that are missing, under a lock; safe when several processes start at once.</summary>
    public ValueTask EnsureSchemaAsync(CancellationToken ct = default) => Failures.GuardAsync(async () =>
    {
        await PostgresSchema.EnsureAsync(_source, _options, ct).ConfigureAwait(false);
        return true;
    }).AsVoid();

    public ValueTask<AppendResult> AppendToStreamAsync(
        string tenant, string streamId, ExpectedVersion expected, IReadOnlyList<EventData> events,
        AppendOptions? options = null, CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        var chosen = options ?? AppendOptions.Default;
        var plan = new StreamPlan(_tables.Address(tenant, streamId), expected, Payload.Prepare(Serializer, events), chosen.AggregateType);
        return Failures.GuardAsync(() => chosen.Idempotent && plan.Payloads.Length > 0 ? AppendOnceAsync(plan, ct) : AppendAsync(plan, remember: false, ct));
    }

    public ValueTask<IReadOnlyList<AppendResult>> AppendToStreamsAsync(string tenant, IReadOnlyList<StreamAppend> appends, CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        var plan = StreamPlan.Of(Serializer, _tables.Address, tenant, appends);
        return Failures.GuardAsync(() => AppendTogetherAsync(plan, ct));
    }

    public async IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        string tenant, string streamId, long fromVersion = 1, int maxCount = int.MaxValue, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var sql = $"""
            select {_tables.EventColumns} from mt_events
            where tenant_id = $1 and stream_id = $2 and version >= $3 order by version limit $4
            """;
        var address = _tables.Address(tenant, streamId);
        var next = fromVersion;
        for (var left = maxCount; left > 0;)
        {
            var size = Math.Min(left, PageSize);
            var page = await Failures.GuardAsync(() => PageAsync(sql, ct, address.Tenant, _tables.StreamId(address.StreamId), next, size)).ConfigureAwait(false);
            foreach (var recorded in page) yield return recorded;
            if (page.Count < size) yield break;
            left -= page.Count;
            next = page[^1].Version + 1;
        }
    }

    public async IAsyncEnumerable<RecordedEvent> ReadAllAsync(long fromPosition, int maxCount, [EnumeratorCancellation] CancellationToken ct = default)
    {
        // Tombstones fill the numbers of a Marten host's failed appends; they say nothing.
        var sql = $"""
            select {_tables.EventColumns} from mt_events
            where seq_id > $1 and seq_id <= $2 and type <> 'tombstone' order by seq_id limit $3
            """;
        var mark = await GetHighWaterMarkAsync(ct).ConfigureAwait(false);
        var after = fromPosition;
        for (var left = maxCount; left > 0 && after < mark;)
        {
            var size = Math.Min(left, PageSize);
            var page = await Failures.GuardAsync(() => PageAsync(sql, ct, after, mark, size)).ConfigureAwait(false);
            foreach (var recorded in page) yield return recorded;
            if (page.Count < size) yield break;
            left -= page.Count;
            after = page[^1].Position;
        }
    }

    public ValueTask<StreamState?> GetStreamStateAsync(string tenant, string streamId, CancellationToken ct = default) =>
        Failures.GuardAsync(() => StateAsync(_tables.Address(tenant, streamId), ct));

    public ValueTask<bool> ArchiveStreamAsync(string tenant, string streamId, CancellationToken ct = default)
    {
        var address = _tables.Address(tenant, streamId);
        return Failures.GuardAsync(() => ArchiveAsync(address, ct));
    }

    public ValueTask<long> GetHighWaterMarkAsync(CancellationToken ct = default) => Failures.GuardAsync(() => _mark.AdvanceAsync(ct));

    public async ValueTask WaitForChangeAsync(long afterPosition, TimeSpan timeout, CancellationToken ct = default)
    {
        _feed.StartListening();
        var started = _clock.GetTimestamp();
        while (true)
        {
            var next = _feed.Signal.Next;
            if (await GetHighWaterMarkAsync(ct).ConfigureAwait(false) > afterPosition) return;
            var left = timeout - _clock.GetElapsedTime(started);
            if (left <= TimeSpan.Zero) return;
            var step = _mark.IsWaitingForHole ? _options.HoleInterval : _options.PollInterval;
            await ChangeSignal.WaitAsync(next, step < left ? step : left, _clock, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Twice is quiet: a container that knows the store under two names disposes it twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        await _lane.DisposeAsync().ConfigureAwait(false);
        await _feed.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<AppendResult> AppendOnceAsync(StreamPlan plan, CancellationToken ct)
    {
        RepeatedBatch.EnsureIdsDiffer(plan.Address, plan.Payloads);
        if (await EarlierAsync(plan, ct).ConfigureAwait(false) is { } earlier) return earlier;
        try
        {
            return await AppendAsync(plan, remember: true, ct).ConfigureAwait(false);
        }
        catch (Exception raced) when (raced is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } or WrongExpectedVersionException)
        {
            // The same batch may have been stored in between, by a twin of this caller.
            if (await EarlierAsync(plan, ct).ConfigureAwait(false) is { } twin) return twin;
            throw;
        }
    }

    private async ValueTask<AppendResult> AppendAsync(StreamPlan plan, bool remember, CancellationToken ct)
    {
        var (tenant, streamId) = plan.Address;
        if (plan.Payloads.Length == 0)
            return new AppendResult(tenant, streamId, (await StateAsync(plan.Address, ct).ConfigureAwait(false))?.Version ?? 0, []);
        var placed = await _lane.AppendAsync(plan, Timestamps.Now(_clock), remember, ct).ConfigureAwait(false);
        if (placed is { } there) return new AppendResult(tenant, streamId, there.Version, there.Positions);
        throw await RefusalAsync(plan, ct).ConfigureAwait(false);
    }

    /// <summary>Stream rows first, in one order for all processes; numbers are drawn only when every row agreed.</summary>
    private async ValueTask<IReadOnlyList<AppendResult>> AppendTogetherAsync(IReadOnlyList<StreamPlan> plan, CancellationToken ct)
    {
        if (plan.Count == 0) return [];
        var now = Timestamps.Now(_clock);
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        var before = new Dictionary<StreamAddress, long>();
        var ordered = plan.OrderBy(p => p.Address.Tenant, StringComparer.Ordinal).ThenBy(p => p.Address.StreamId, StringComparer.Ordinal).ToList();
        await RunAsync(connection, ordered, p => _appendSql.StreamRow(p, now), async (p, rows) =>
        {
            if (await rows.ReadAsync(ct).ConfigureAwait(false)) before[p.Address] = rows.GetInt64(0);
        }, ct).ConfigureAwait(false);
        if (plan.FirstOrDefault(p => !before.ContainsKey(p.Address)) is { } refused)
        {
            await transaction.RollbackAsync(ct).ConfigureAwait(false);
            throw await RefusalAsync(refused, ct).ConfigureAwait(false);
        }
        var results = new List<AppendResult>(plan.Count);
        await RunAsync(connection, plan, p => _appendSql.Events(p, now, before[p.Address]), async (p, rows) =>
        {
            if (await AppendLane.ReadPlacedAsync(rows, p.Payloads.Length).ConfigureAwait(false) is { } placed)
                results.Add(new AppendResult(p.Address.Tenant, p.Address.StreamId, placed.Version, placed.Positions));
        }, ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        _feed.Announce();
        return results;
    }

    private static async ValueTask RunAsync(
        NpgsqlConnection connection, IReadOnlyList<StreamPlan> plan, Func<StreamPlan, NpgsqlBatchCommand> command,
        Func<StreamPlan, NpgsqlDataReader, ValueTask> read, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var step in plan) batch.BatchCommands.Add(command(step));
        await using var rows = await batch.ExecuteReaderAsync(ct).ConfigureAwait(false);
        foreach (var step in plan)
        {
            await read(step, rows).ConfigureAwait(false);
            await rows.NextResultAsync(ct).ConfigureAwait(false);
        }
    }

    /// <summary>Why the row of the stream refused, as far as it can still be told.</summary>
    private async ValueTask<EventStoreException> RefusalAsync(StreamPlan plan, CancellationToken ct)
    {
        var state = await StateAsync(plan.Address, ct).ConfigureAwait(false);
        return state is { IsArchived: true }
            ? new StreamArchivedException(plan.Address.StreamId)
            : new WrongExpectedVersionException(plan.Address.StreamId, plan.Expected, state?.Version ?? 0);
    }

    private async ValueTask<AppendResult?> EarlierAsync(StreamPlan plan, CancellationToken ct)
    {
        await using var command = _source.CreateCommand(
            "select event_id, stream_id, seq_id, version from sx_append_key where tenant_id = $1 and event_id = any($2)");
        command.Parameters.Add(new() { Value = plan.Address.Tenant });
        command.Parameters.Add(new() { Value = Array.ConvertAll(plan.Payloads, p => p.Event.EventId), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var stored = new List<StoredKey>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
            stored.Add(new StoredKey(rows.GetGuid(0), rows.GetString(1), rows.GetInt64(2), rows.GetInt64(3)));
        return RepeatedBatch.Find(plan.Address, plan.Payloads, stored);
    }

    private async ValueTask<StreamState?> StateAsync(StreamAddress address, CancellationToken ct)
    {
        await using var command = _source.CreateCommand(
            "select type, version, created, timestamp, is_archived from mt_streams where tenant_id = $1 and id = $2");
        command.Parameters.Add(new() { Value = address.Tenant });
        command.Parameters.Add(new() { Value = _tables.StreamId(address.StreamId) });
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
        return new StreamState(
            address.Tenant, address.StreamId, row.IsDBNull(0) ? null : row.GetString(0), row.IsDBNull(1) ? 0 : row.GetInt64(1),
            new DateTimeOffset(row.GetDateTime(2), TimeSpan.Zero), new DateTimeOffset(row.GetDateTime(3), TimeSpan.Zero),
            !row.IsDBNull(4) && row.GetBoolean(4));
    }

    private async ValueTask<bool> ArchiveAsync(StreamAddress address, CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in new[]
                 {
                     "update mt_streams set is_archived = true where tenant_id = $1 and id = $2",
                     "update mt_events set is_archived = true where tenant_id = $1 and stream_id = $2 and not is_archived",
                 })
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { new() { Value = address.Tenant }, new() { Value = _tables.StreamId(address.StreamId) } } });
        }
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        return batch.BatchCommands[0].RecordsAffected > 0;
    }

    private async ValueTask<List<RecordedEvent>> PageAsync(string sql, CancellationToken ct, params object[] values)
    {
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await command.PrepareAsync(ct).ConfigureAwait(false);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var page = new List<RecordedEvent>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) page.Add(EventRows.Read(rows));
        return page;
    }
}

internal static class ValueTaskExtensions
{
    public static async ValueTask AsVoid<T>(this ValueTask<T> task) => await task.ConfigureAwait(false);
}
