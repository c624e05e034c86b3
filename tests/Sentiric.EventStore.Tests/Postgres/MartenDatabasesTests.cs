using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Projections;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>
/// Databases as Marten hosts make them with other options than ours: opened, read, appended to, their daemon's rows moved on; or refused with a sentence that
/// says what to do. Each lives in a schema of its own.
/// </summary>
public sealed class MartenDatabasesTests(EmptyFixture postgres) : IClassFixture<EmptyFixture>
{
    private static PostgresEventStoreOptions InItsOwnSchema => new() { Schema = "s" + Guid.NewGuid().ToString("N") };

    /// <summary>A database of a host in this schema: its tables, and one stream of two events that it wrote without metadata.</summary>
    private async Task<NpgsqlDataSource> HostAsync(PostgresEventStoreOptions options, string extras = "", bool withStream = true)
    {
        await postgres.ExecuteAsync($"""create schema "{options.Schema}" """);
        var source = NpgsqlDataSource.Create(PostgresSchema.ConnectionString(postgres.ConnectionString, options));
        await RunAsync(source, MartenTables.Script(EventTables.Of(options)) + extras);
        if (withStream)
        {
            await RunAsync(source, """
                insert into mt_streams (id, type, version, tenant_id) values ('theirs', 'counter', 2, '*DEFAULT*');
                insert into mt_events (data, type, mt_dotnet_type, id, stream_id, version, timestamp, tenant_id, seq_id)
                select '{"By": 4}', 'counter_raised', 'Foreign.Thing, Foreign', gen_random_uuid(), 'theirs', n, now(), '*DEFAULT*', nextval('mt_events_sequence') from generate_series(1, 2) n;
                insert into mt_event_progression (name, last_seq_id) values ('HighWaterMark', 2), ('CounterView:All', 1)
                """);
        }
        return source;
    }

    private static async Task RunAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<List<string>> LinesAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await using var rows = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await rows.ReadAsync()) lines.Add(string.Join(" | ", Enumerable.Range(0, rows.FieldCount).Select(i => rows.IsDBNull(i) ? "-" : rows.GetValue(i).ToString())));
        return lines;
    }

    private static PostgresEventStore StoreOf(NpgsqlDataSource source, PostgresEventStoreOptions options) => new(source, Facts.Serializer, TimeProvider.System, options);

    /// <summary>Aggregates the host's stream, goes on with it, and appends in every form.</summary>
    private static async Task AppendAsync(PostgresEventStore store)
    {
        Assert.Equal(8, await store.AggregateStreamAsync("*DEFAULT*", "theirs", 0, Facts.Sum));
        await store.AppendToStreamAsync("*DEFAULT*", "theirs", ExpectedVersion.Exact(2), [Facts.Raised(1)]);
        await store.AppendToStreamAsync("*DEFAULT*", "ours", ExpectedVersion.NoStream, Facts.Raised(3, 1));
        await store.AppendToStreamsAsync("*DEFAULT*", [new StreamAppend(null, "a", ExpectedVersion.NoStream, [Facts.Raised(1)]), new StreamAppend(null, "ours", ExpectedVersion.Any, [Facts.Raised(1)])]);
        Assert.Equal(["theirs", "theirs", "theirs", "ours", "ours", "ours", "a", "ours"], await store.ReadAllAsync(0, 100).Select(e => e.StreamId).ToListAsync());
    }

    /// <summary>Opens it, appends, and moves a shard on from where the host's daemon left it.</summary>
    private static async Task WorkAsync(NpgsqlDataSource source, PostgresEventStoreOptions options)
    {
        await using var store = StoreOf(source, options);
        await store.EnsureSchemaAsync();
        await AppendAsync(store);
        var daemon = new ProjectionDaemon(source, store, [new CounterViews()], TimeProvider.System);
        await daemon.CatchUpAsync();
        Assert.Equal(["CounterView:All | 8"], await LinesAsync(source, "select name, last_seq_id from mt_event_progression where name like '%:%'"));
        Assert.Equal(["a | 1", "ours | 4", "theirs | 5"], await LinesAsync(source, "select id, data ->> 'Total' from mt_doc_counterview order by 1"));
        Assert.True(await store.ArchiveStreamAsync("*DEFAULT*", "a"));
    }

    // Sixteen databases' worth of tables.
    [Fact]
    [Trait("Category", "Slow")]
    public async Task With_any_of_the_optional_columns_it_is_opened_read_and_appended_to()
    {
        for (var columns = MetadataColumns.None; columns <= MetadataColumns.All; columns++)
        {
            var options = new PostgresEventStoreOptions { Schema = $"metadata_{(int)columns}", Metadata = columns };
            await using var source = await HostAsync(options);
            await using var store = StoreOf(source, options);
            await store.EnsureSchemaAsync();
            await AppendAsync(store);
        }
    }

    [Theory]
    [InlineData(MetadataColumns.CorrelationId, "correlation_id")]
    [InlineData(MetadataColumns.CausationId, "causation_id")]
    [InlineData(MetadataColumns.Headers, "headers")]
    [InlineData(MetadataColumns.UserName, "user_name")]
    public async Task Metadata_without_a_column_is_refused_and_what_has_one_is_kept(MetadataColumns missing, string column)
    {
        var options = InItsOwnSchema with { Metadata = MetadataColumns.All & ~missing };
        await using var source = await HostAsync(options);
        await using var store = StoreOf(source, options);
        await store.EnsureSchemaAsync();
        var all = new EventMetadata("corr", "cause", "ayşe", null, new Dictionary<string, string> { ["k"] = "v" });
        var refused = await Assert.ThrowsAsync<EventDataRejectedException>(async () => await store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, [EventData.Of(new CounterRaised(1), all)]));
        Assert.Contains(column, refused.Message);
        await Assert.ThrowsAsync<EventDataRejectedException>(async () => await store.AppendToStreamsAsync("acme", [new StreamAppend(null, "a", ExpectedVersion.Any, [EventData.Of(new CounterRaised(1), all)])]));
        await Assert.ThrowsAsync<EventDataRejectedException>(async () => await store.ImportAsync(
            new[] { new ImportedEvent("acme", "a", 1, Guid.NewGuid(), "counter_raised", DateTimeOffset.UnixEpoch, """{"By": 1}"""u8.ToArray(), all) }.ToAsyncEnumerable()));

        var kept = new EventMetadata(
            missing == MetadataColumns.CorrelationId ? null : "corr", missing == MetadataColumns.CausationId ? null : "cause", missing == MetadataColumns.UserName ? null : "ayşe", null,
            missing == MetadataColumns.Headers ? null : all.Headers);
        await store.AppendToStreamAsync("acme", "a", ExpectedVersion.NoStream, [EventData.Of(new CounterRaised(1), kept)]);
        await store.AppendToStreamAsync("acme", "a", ExpectedVersion.Exact(1), [EventData.Of(new CounterRaised(1), kept), EventData.Of(new CounterRaised(1), kept)]);
        await store.ImportAsync(new[] { new ImportedEvent("acme", "a", 4, Guid.NewGuid(), "counter_raised", DateTimeOffset.UnixEpoch, """{"By": 1}"""u8.ToArray(), kept) }.ToAsyncEnumerable());
        await foreach (var recorded in store.ReadStreamAsync("acme", "a"))
        {
            Assert.Equal((kept.CorrelationId, kept.CausationId, kept.Actor), (recorded.Metadata.CorrelationId, recorded.Metadata.CausationId, recorded.Metadata.Actor));
            Assert.Equal(kept.Headers, recorded.Metadata.Headers);
        }
    }

    [Fact]
    public async Task With_all_its_further_columns_indexes_and_functions_it_is_opened_read_and_appended_to()
    {
        var options = InItsOwnSchema;
        await postgres.ExecuteAsync("do $$ begin create extension hstore; exception when others then create domain hstore as text; end $$");
        await using var source = await HostAsync(options, """
            alter table mt_events add column is_skipped boolean default false, add column tags public.hstore;
            create unique index idx_mt_events_event_id on mt_events (id);
            create index idx_mt_events_event_type_seq_id on mt_events (type, seq_id);
            alter table mt_event_progression add column mode varchar default 'none', add column rebuild_threshold bigint default 0, add column assigned_node integer default 0,
              add column heartbeat timestamp with time zone, add column agent_status varchar, add column pause_reason text, add column running_on_node integer,
              add column warning_behind_threshold bigint, add column critical_behind_threshold bigint, add column failure_category varchar,
              add column failure_event_sequence bigint, add column failure_event_type varchar, add column failure_event_tenant_id varchar;
            insert into mt_event_progression (name, last_seq_id) values ('HighWaterAllocationFence', 7), ('HighWaterStuckGap', 9);
            create function mt_archive_stream(streamid varchar, tenantid varchar) returns void language sql as 'select null::void';
            """);
        await WorkAsync(source, options);
        await using var store = StoreOf(source, options);

        // The index belongs to the host: an id is stored once, whatever append it comes with.
        EventData[] batch = [Facts.Raised(1)];
        await store.AppendToStreamAsync("acme", "id-1", ExpectedVersion.Any, batch);
        foreach (var refused in new Func<ValueTask>[]
                 {
                     async () => await store.AppendToStreamAsync("acme", "id-2", ExpectedVersion.Any, batch),
                     async () => await store.AppendToStreamAsync("acme", "id-2", ExpectedVersion.Any, [Facts.Raised(1), .. batch], new AppendOptions(Idempotent: true)),
                     async () => await store.AppendToStreamsAsync("acme", [new StreamAppend(null, "id-2", ExpectedVersion.Any, batch)]),
                     async () => { await using var kept = await store.LockStreamAsync("acme", "id-2"); await kept.AppendAsync(batch); },
                 })
        {
            Assert.Equal("id-2", (await Assert.ThrowsAsync<EventIdStoredException>(async () => await refused())).StreamId);
        }
        var statistics = await new StatisticsReader(source, store, TimeProvider.System).ReadAsync();
        Assert.Equal(["CounterView:All"], statistics.Shards.Select(s => s.Shard));
        await source.DisposeAsync();
        await using var again = NpgsqlDataSource.Create(PostgresSchema.ConnectionString(postgres.ConnectionString, options));
        await RunAsync(again, "update mt_events set is_skipped = true where stream_id = 'theirs' and version = 2");
        await using var reader = StoreOf(again, options);
        // What Marten's projections pass over is an event all the same.
        Assert.Equal([1L, 2L, 3L], await reader.ReadStreamAsync("*DEFAULT*", "theirs").Select(e => e.Version).ToListAsync());
    }

    [Theory]
    [InlineData(MartenTenancy.Conjoined, false, true)]
    [InlineData(MartenTenancy.Conjoined, true, false)]
    [InlineData(MartenTenancy.Single, false, false)]
    [InlineData(MartenTenancy.Single, true, true)]
    public async Task With_its_tenancy_partitions_and_strict_ids_it_is_opened_read_and_appended_to(MartenTenancy tenancy, bool partitions, bool strict)
    {
        var options = InItsOwnSchema with { Tenancy = tenancy, ArchivePartitions = partitions, StrictStreamIdentity = strict };
        await using var source = await HostAsync(options);
        await WorkAsync(source, options);
        if (tenancy == MartenTenancy.Conjoined) return;
        await using var store = StoreOf(source, options);
        var refused = await Assert.ThrowsAsync<StreamNameRejectedException>(async () => await store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, [Facts.Raised(1)]));
        Assert.Equal("tenant", refused.Which);
        await Assert.ThrowsAsync<StreamNameRejectedException>(async () => await store.ReadStreamAsync("acme", "a").ToListAsync());
    }

    [Fact]
    public async Task Rebuilds_of_documents_without_tenants_give_the_same_rows()
    {
        var options = InItsOwnSchema with { Tenancy = MartenTenancy.Single };
        await using var source = await HostAsync(options, withStream: false);
        await using var store = StoreOf(source, options);
        await store.EnsureSchemaAsync();
        foreach (var (stream, by) in new[] { ("theirs", 4), ("theirs", 1), ("ours", 3), ("a", 1), ("ours", 1) })
            await store.AppendToStreamAsync("*DEFAULT*", stream, ExpectedVersion.Any, [Facts.Raised(by)]);
        var daemon = new ProjectionDaemon(source, store, [new CounterViews(), new CountersPerTotal()], TimeProvider.System);
        await daemon.CatchUpAsync();
        await daemon.RebuildAsync("CounterView");
        await daemon.RebuildAsync("CounterView", new RebuildOptions { Parallelism = 2, MemoryBudget = 1 });
        await daemon.RebuildAsync("PerAmount");
        await daemon.RebuildStreamAsync("CounterView", "*DEFAULT*", "ours");

        Assert.Equal(["a | 1", "ours | 4", "theirs | 5"], await LinesAsync(source, "select id, data ->> 'Total' from mt_doc_counterview order by 1"));
        Assert.Equal(["1 | 3 | 5", "3 | 1 | 3", "4 | 1 | 1"], await LinesAsync(source, "select id, data ->> 'Total', mt_version from mt_doc_peramount order by 1"));
    }

    [Theory]
    [InlineData("partitions", "ArchivePartitions")]
    [InlineData("no partitions", "ArchivePartitions")]
    [InlineData("strict", "StrictStreamIdentity")]
    [InlineData("not strict", "Create it")]
    [InlineData("single", "Tenancy: Single")]
    [InlineData("conjoined", "Tenancy: Conjoined")]
    [InlineData("headers", "Metadata to CorrelationId, CausationId, UserName")]
    [InlineData("more columns", "Metadata to All")]
    [InlineData("tenant partitions", "export the tenants")]
    [InlineData("needed column", "demands a value for secret")]
    public async Task What_does_not_fit_is_refused_with_what_to_do_and_nothing_is_put_beside_it(string what, string sentence)
    {
        var ours = InItsOwnSchema;
        var (theirs, options, extras) = what switch
        {
            "partitions" => (ours with { ArchivePartitions = true }, ours, ""),
            "no partitions" => (ours, ours with { ArchivePartitions = true }, ""),
            "strict" => (ours with { StrictStreamIdentity = true }, ours, ""),
            "not strict" => (ours, ours with { StrictStreamIdentity = true }, ""),
            "single" => (ours with { Tenancy = MartenTenancy.Single }, ours, ""),
            "conjoined" => (ours, ours with { Tenancy = MartenTenancy.Single }, ""),
            "headers" => (ours with { Metadata = MetadataColumns.All & ~MetadataColumns.Headers }, ours, ""),
            "more columns" => (ours, ours with { Metadata = MetadataColumns.CausationId }, ""),
            "tenant partitions" => (ours, ours, """
                drop table mt_events; drop table mt_streams cascade;
                create table mt_streams (tenant_id varchar not null, id varchar not null, type varchar, version bigint, timestamp timestamptz, created timestamptz, is_archived boolean, primary key (tenant_id, id)) partition by list (tenant_id);
                create table mt_events (seq_id bigint not null, id uuid not null, stream_id varchar, version bigint not null, data jsonb not null, bdata bytea, type varchar not null, timestamp timestamptz not null,
                  tenant_id varchar not null, mt_dotnet_type varchar, correlation_id varchar, causation_id varchar, headers jsonb, user_name varchar, is_archived boolean, primary key (seq_id, tenant_id)) partition by list (tenant_id);
                """),
            "needed column" => (ours, ours, "alter table mt_events add column secret int not null"),
            _ => throw new ArgumentOutOfRangeException(nameof(what), what, null),
        };
        await using var source = await HostAsync(theirs, extras, withStream: false);
        await using var store = StoreOf(source, options);

        Assert.Contains(sentence, (await Assert.ThrowsAsync<SchemaMismatchException>(async () => await store.EnsureSchemaAsync())).Message);
        Assert.Empty(await LinesAsync(source, "select relname from pg_class where relnamespace = current_schema()::regnamespace and relname like 'sx%'"));
    }

    /// <summary>How often each amount was raised, over all streams.</summary>
    private sealed class CountersPerTotal() : MultiStreamProjection<CounterView>("PerAmount", ViewsJson.Default.CounterView)
    {
        public override IEnumerable<string> KeysOf(RecordedEvent recorded, object @event) => @event is CounterRaised raised ? [raised.By.ToString()] : [];

        public override CounterView Evolve(string key, CounterView? document, RecordedEvent recorded, object @event) => new(key, (document?.Total ?? 0) + 1);
    }
}
