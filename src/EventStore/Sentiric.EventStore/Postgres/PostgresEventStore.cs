using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// The event store on PostgreSQL 15 or newer, on Marten's tables. Call <see cref="EnsureSchemaAsync"/> once at start.
/// Holds up to two connections of the data source (listening, notifying) and one per append lane that was needed; borrows more for reads.
/// The data source stays the caller's; dispose the store first.
/// </summary>
public sealed partial class PostgresEventStore : IEventStore, IOnPostgres, IAsyncDisposable
{
    private const int PageSize = 1_000;
    private const int MaxDeadlockTries = 5;
    private const int LogPageSize = 2_000;

    private readonly NpgsqlDataSource _source;
    private readonly TimeProvider _clock;
    private readonly PostgresEventStoreOptions _options;
    private readonly EventTables _tables;
    private readonly ChangeFeed _feed;
    private readonly InlineProjections _inline;
    private readonly AppendQueue _queue;
    private readonly HighWaterMark _mark;
    private readonly ILogger _logger;
    private readonly ReadConnections _readers;
    private int _disposed;

    public PostgresEventStore(
        NpgsqlDataSource source, IEventSerializer serializer, TimeProvider clock, PostgresEventStoreOptions? options = null, ILogger? logger = null)
    {
        (_source, Serializer, _clock, _options) = (source, serializer, clock, (options ?? new PostgresEventStoreOptions()).Checked());
        var log = _logger = logger ?? NullLogger.Instance;
        _feed = new ChangeFeed(source, clock, log);
        _tables = EventTables.Of(_options);
        if (_options.Protection is not null && _options.InlineProjections.Count > 0)
            throw new ArgumentException("Inline projections are not told of erasures, so they do not go together with the protection of personal data.", nameof(options));
        _inline = new InlineProjections(_options.InlineProjections, _tables, serializer);
        _queue = new AppendQueue(() => new AppendLane(source, _tables, _inline, clock, _options, log, _feed.Announce), clock, _options, log);
        _readers = new ReadConnections(source);
        _mark = new HighWaterMark(source, _tables, clock, _options, log);
        StoreTelemetry.Opened(this);
    }

    public IEventSerializer Serializer { get; }

    EventTables IOnPostgres.Tables => _tables;

    internal long LastHighWaterMark => _mark.Last;

    /// <summary>Appends that wait for the next commit, and how many may.</summary>
    public (int Waiting, int Capacity) WaitingAppends => (_queue.Waiting, _options.MaxWaitingAppends);

    /// <summary>Creates the tables that are missing, under a lock; safe when several processes start at once.</summary>
    public ValueTask EnsureSchemaAsync(CancellationToken ct = default) => Failures.GuardAsync(async () =>
    {
        await PostgresSchema.EnsureAsync(_source, _options, ct).ConfigureAwait(false);
        await _inline.EnsureTablesAsync(_source, ct).ConfigureAwait(false);
        if (_options.Protection is { } protection) await StartAsync(protection, ct).ConfigureAwait(false);
        return true;
    }).AsVoid();

    public async IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        string tenant, string streamId, long fromVersion = 1, int maxCount = int.MaxValue, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var sql = $"""
            select {_tables.EventColumns} from mt_events
            where tenant_id = $1 and stream_id = $2 and version >= $3{_tables.Living("$1", "$2")} order by version limit $4
            """;
        var address = AddressOf(tenant, streamId);
        var next = fromVersion;
        for (var left = maxCount; left > 0;)
        {
            var size = Math.Min(left, PageSize);
            var page = await Failures.GuardAsync(() => PageAsync(sql, ct, address.Tenant, _tables.StreamId(address.StreamId), next, size)).ConfigureAwait(false);
            foreach (var recorded in page) yield return recorded;
            if (page.Count == 0 && next == fromVersion)
                await foreach (var recorded in ReadFileAsync(address, fromVersion, left, ct).ConfigureAwait(false)) yield return recorded;
            if (page.Count < size) yield break;
            left -= page.Count;
            next = page[^1].Version + 1;
        }
    }

    public IAsyncEnumerable<RecordedEvent> ReadAllAsync(long fromPosition, int maxCount, CancellationToken ct = default) => _options.Protection is null
        ? new LogScan(_readers, ScanSql, GetHighWaterMarkAsync, _clock, fromPosition, maxCount, ct)
        : ReadPagesAsync(fromPosition, maxCount, ct);

    public ValueTask<StreamState?> GetStreamStateAsync(string tenant, string streamId, CancellationToken ct = default) =>
        Failures.GuardAsync(() => StateAsync(AddressOf(tenant, streamId), ct));

    public ValueTask<bool> ArchiveStreamAsync(string tenant, string streamId, CancellationToken ct = default)
    {
        var address = AddressOf(tenant, streamId);
        return Failures.GuardAsync(() => MarkArchivedAsync(address, archived: true, ct));
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
        StoreTelemetry.Closed(this);
        await _queue.DisposeAsync().ConfigureAwait(false);
        await _feed.DisposeAsync().ConfigureAwait(false);
        await _readers.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<StreamState?> StateAsync(StreamAddress address, CancellationToken ct)
    {
        var sql = $"""
            select s.type, s.version, s.created, s.timestamp, s.is_archived,
                   (select max(t.before_version) from sx_stream_truncation t where t.tenant_id = $1 and t.stream_id = $3),
                   (select f.file from sx_archived_stream f where f.tenant_id = $1 and f.stream_id = $3)
            from mt_streams s where s.tenant_id = $1 and s.id = $2{_tables.LivingFirst}
            """;
        return await _readers.ReadAsync(async connection =>
        {
            var command = await connection.CommandAsync(sql, ct, address.Tenant, _tables.StreamId(address.StreamId), address.StreamId).ConfigureAwait(false);
            await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
            return new StreamState(
                address.Tenant, address.StreamId, row.IsDBNull(0) ? null : row.GetString(0), row.IsDBNull(1) ? 0 : row.GetInt64(1),
                new DateTimeOffset(row.GetDateTime(2), TimeSpan.Zero), new DateTimeOffset(row.GetDateTime(3), TimeSpan.Zero),
                !row.IsDBNull(4) && row.GetBoolean(4))
            {
                TruncatedBefore = row.IsDBNull(5) ? 0 : row.GetInt64(5),
                File = row.IsDBNull(6) ? null : row.GetString(6),
            };
        }, ct).ConfigureAwait(false);
    }

    private ValueTask<List<RecordedEvent>> PageAsync(string sql, CancellationToken ct, params object[] values) => PageAsync(sql, null, ct, values);

    private async ValueTask<List<RecordedEvent>> PageAsync(string sql, Action<RecordedEvent>? each, CancellationToken ct, object[] values)
    {
        var page = await StoredPageAsync(sql, _options.Protection is null ? each : null, ct, values).ConfigureAwait(false);
        // The connection is back by now: keys may have to be asked for.
        if (_options.Protection is not { } protection) return page;
        await protection.OpenAsync(page, ct).ConfigureAwait(false);
        if (each is not null) page.ForEach(each);
        return page;
    }

    /// <summary>Nothing opened.</summary>
    private ValueTask<List<RecordedEvent>> StoredPageAsync(string sql, Action<RecordedEvent>? each, CancellationToken ct, object[] values) => _readers.ReadAsync(async connection =>
    {
        using var activity = StoreTelemetry.TraceRead();
        var command = await connection.CommandAsync(sql, ct, values).ConfigureAwait(false);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var read = await EventRows.ReadPageAsync(rows, each, ct).ConfigureAwait(false);
        StoreTelemetry.Read(read.Count);
        return read;
    }, ct);
}

internal static class ValueTaskExtensions
{
    public static async ValueTask AsVoid<T>(this ValueTask<T> task) => await task.ConfigureAwait(false);
}
