using System.Globalization;
using Npgsql;
using Sentiric.Benchmarks.Kit;
using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>
/// A store with millions of small events, written by the server itself: calls of ten turns, 500 of them interleaved at a time, as a busy day leaves them.
/// It has a fixed name, so that a run with --keep leaves it to the next.
/// </summary>
public sealed class ScaleDatabase : IAsyncDisposable
{
    public const int TurnsPerCall = 10;
    private const int CallsAtATime = 500, EventsPerChunk = 500_000, PoolSize = 60;

    // The rows are known to be right: neither foreign keys are checked row by row, nor does each chunk wait for the disk.
    private const string Session = "set session_replication_role = replica; set synchronous_commit = off;";

    private readonly string server, name;
    private readonly bool isKept;
    private readonly List<PostgresEventStore> stores = [];

    private ScaleDatabase(string server, string name, long events, bool isKept, NpgsqlDataSource source) =>
        (this.server, this.name, Events, this.isKept, Source) = (server, name, events, isKept, source);

    public NpgsqlDataSource Source { get; }

    public long Events { get; }

    public long Calls => Events / TurnsPerCall;

    /// <summary>Null where there is no server to ask.</summary>
    public static async Task<ScaleDatabase?> OpenAsync(Bench bench, int millions)
    {
        if (Places.Postgres is not { } server) return null;
        var name = string.Create(CultureInfo.InvariantCulture, $"sentiric_scale_{millions}m");
        await using var admin = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString);
        var isThere = await AskAsync(admin, $"select 1 from pg_database where datname = '{name}'") is not null;
        if (!isThere) await AskAsync(admin, $"create database {name} template template0 encoding 'UTF8'");
        var address = new NpgsqlConnectionStringBuilder(server) { Database = name, MaxPoolSize = PoolSize, CommandTimeout = 0 };
        var database = new ScaleDatabase(server, name, millions * 1_000_000L, bench.KeepsData, NpgsqlDataSource.Create(address.ConnectionString));
        await PostgresSchema.EnsureAsync(database.Source);
        await database.FillAsync(bench, millions);
        return database;
    }

    public PostgresEventStore NewStore()
    {
        var store = new PostgresEventStore(Source, Notes.Serializer, TimeProvider.System);
        stores.Add(store);
        return store;
    }

    public static string CallOf(long number) => "call-" + number.ToString("D9", CultureInfo.InvariantCulture);

    public async Task<string> SizeAsync() =>
        Convert.ToString(await AskAsync(Source, "select pg_size_pretty(pg_database_size(current_database()))"), CultureInfo.InvariantCulture) ?? "";

    /// <summary>
    /// Reads the log, the streams and their indexes once into the memory of the system, where it has the room: what is measured then is how the store's work grows, not
    /// how fast this disk finds a page. Without the extension pg_prewarm (part of PostgreSQL's own packages) nothing is read.
    /// </summary>
    public async Task WarmAsync(Bench bench)
    {
        bench.Say(string.Create(CultureInfo.InvariantCulture, $"reading {Events / 1_000_000} million events into memory"));
        if (await AskAsync(Source, "select 1 from pg_available_extensions where name = 'pg_prewarm'") is null) return;
        await AskAsync(Source, """
            create extension if not exists pg_prewarm;
            select sum(pg_prewarm(c.oid, 'read')) from pg_class c
            where c.oid in ('mt_events'::regclass, 'mt_streams'::regclass)
                or c.oid in (select indexrelid from pg_index where indrelid in ('mt_events'::regclass, 'mt_streams'::regclass));
            """);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in stores) await store.DisposeAsync();
        await Source.DisposeAsync();
        if (isKept) return;
        await using var admin = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString);
        await AskAsync(admin, $"drop database if exists {name} with (force)");
    }

    /// <summary>Chunk by chunk from where it stands, so that an interrupted filling goes on.</summary>
    private async Task FillAsync(Bench bench, int millions)
    {
        var there = Convert.ToInt64(await AskAsync(Source, "select count(*) from mt_streams where tenant_id = 'bench' and type = 'call'"), CultureInfo.InvariantCulture) * TurnsPerCall;
        if (there >= Events) return;
        for (var from = there; from < Events; from += EventsPerChunk)
        {
            bench.Stop.ThrowIfCancellationRequested();
            bench.Say(string.Create(CultureInfo.InvariantCulture, $"generating {millions} million events: {from / 10_000 / millions} %"));
            await AskAsync(Source, Session + Chunk(from));
        }
        await AskAsync(Source, string.Create(CultureInfo.InvariantCulture, $"""
            select setval('mt_events_sequence', {Events});
            insert into mt_event_progression (name, last_seq_id) values ('HighWaterMark', {Events}) on conflict (name) do update set last_seq_id = excluded.last_seq_id
            """));
        bench.Say("vacuum analyze");
        await AskAsync(Source, "vacuum (freeze, analyze) mt_streams, mt_events");
        await AskAsync(Source, "checkpoint");
    }

    private static string Chunk(long from) => string.Create(CultureInfo.InvariantCulture, $$"""
        insert into mt_streams (tenant_id, id, type, version, timestamp, created, is_archived)
        select 'bench', 'call-' || lpad(c::text, 9, '0'), 'call', {{TurnsPerCall}}, '2026-01-05T09:00:00Z', '2026-01-05T09:00:00Z', false
        from generate_series({{from / TurnsPerCall}}, {{(from + EventsPerChunk) / TurnsPerCall - 1}}) c;
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived)
        select i + 1, gen_random_uuid(), 'call-' || lpad((i / {{CallsAtATime * TurnsPerCall}} * {{CallsAtATime}} + i % {{CallsAtATime}})::text, 9, '0'),
            i % {{CallsAtATime * TurnsPerCall}} / {{CallsAtATime}} + 1,
            jsonb_build_object('at', '2026-01-05T09:00:00+00:00', 'speaker', 'caller', 'text', 'evet', 'turn', i % {{CallsAtATime * TurnsPerCall}} / {{CallsAtATime}},
                'confidence', 0.9, 'language', 'tr', 'engine', 'ctc'),
            '{{Notes.StoredName}}', '2026-01-05T09:00:00Z', 'bench', null, false
        from generate_series({{from}}, {{from + EventsPerChunk - 1}}) i;
        """);

    private static async Task<object?> AskAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 0;
        return await command.ExecuteScalarAsync();
    }
}
