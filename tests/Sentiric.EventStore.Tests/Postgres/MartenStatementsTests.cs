using System.Globalization;
using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Projections;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>
/// The other direction: the statements that a Marten host sends, against tables that we made and rows that we wrote. Its functions are its own;
/// where a fact needs one, the test makes a small one of the same signature to play the host.
/// </summary>
public sealed class MartenStatementsTests : IAsyncLifetime
{
    private const string Doc = "mt_doc_counterview";
    private readonly PostgresFixture _postgres = new();

    private PostgresEventStore Store => _postgres.Store;

    private MartenHost Marten => new(_postgres);

    private ProjectionDaemon Daemon(params ITableProjection[] projections) =>
        new(_postgres.Source, Store, projections, TimeProvider.System, new ProjectionOptions { RetryDelay = TimeSpan.FromMilliseconds(1) });

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    private Task<AppendResult> RaiseAsync(string stream, params int[] amounts) =>
        Store.AppendToStreamAsync("acme", stream, ExpectedVersion.Any, [.. amounts.Select(by => Facts.Raised(by))]).AsTask();

    private async Task<List<string>> LinesAsync(string sql, params object[] values)
    {
        await using var command = _postgres.Source.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await using var rows = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await rows.ReadAsync())
            lines.Add(string.Join(" | ", Enumerable.Range(0, rows.FieldCount).Select(i => rows.IsDBNull(i) ? "-" : Convert.ToString(rows.GetValue(i), CultureInfo.InvariantCulture))));
        return lines;
    }

    private async Task<int> ChangedAsync(string sql, params object[] values)
    {
        await using var command = _postgres.Source.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return await command.ExecuteNonQueryAsync();
    }

    [Fact]
    public async Task Fetching_a_live_aggregate_finds_the_version_and_all_events_that_we_wrote()
    {
        await Store.AppendToStreamAsync("acme", "a", ExpectedVersion.NoStream, [EventData.Of(new CounterOpened("çay")), Facts.Raised(5)], new AppendOptions(AggregateType: "counter_view"));
        Assert.Equal(
            ["a | 2 | counter_view | True | False"],
            await LinesAsync("select id, version, type, timestamp = created, is_archived from mt_streams where id = $1 and tenant_id = $2", "a", "acme"));
        Assert.Equal(
            [
                """{"Name": "çay"} | counter_opened | Sentiric.EventStore.Tests.Contract.CounterOpened, Sentiric.EventStore.Tests | - | 1""",
                """{"By": 5} | counter_raised | Sentiric.EventStore.Tests.Contract.CounterRaised, Sentiric.EventStore.Tests | - | 2""",
            ],
            await LinesAsync("select d.data, d.type, d.mt_dotnet_type, d.bdata, d.version from mt_events d where d.stream_id = $1 and d.tenant_id = $2 and d.is_archived = FALSE order by d.version", "a", "acme"));
    }

    /// <summary>One read-only snapshot: version, document, and the events that the document has not seen, joined on <c>mt_version</c>.</summary>
    [Fact]
    public async Task Fetching_an_async_snapshot_finds_exactly_the_events_behind_our_document()
    {
        await RaiseAsync("a", 1, 2, 3);
        await Daemon(new CounterViews()).CatchUpAsync();
        await RaiseAsync("a", 4, 5);
        await RaiseAsync("b", 9);
        await using var connection = await _postgres.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using (var readOnly = new NpgsqlCommand("set transaction read only", connection)) await readOnly.ExecuteNonQueryAsync();
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in new[]
                 {
                     "select version from mt_streams where id = $1 and tenant_id = $2",
                     $"select data ->> 'Total', mt_version from {Doc} where id = $1 and tenant_id = $2",
                     $"select d.version from mt_events d left join {Doc} a on d.stream_id = a.id and d.tenant_id = a.tenant_id where d.stream_id = $1 and d.tenant_id = $2 and (a.mt_version is null or d.version > a.mt_version) order by d.version",
                 })
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { new() { Value = "a" }, new() { Value = "acme" } } });
        }
        await using var rows = await batch.ExecuteReaderAsync();
        var found = new List<string>();
        do
        {
            while (await rows.ReadAsync()) found.Add(string.Join(" | ", Enumerable.Range(0, rows.FieldCount).Select(rows.GetValue)));
        }
        while (await rows.NextResultAsync());
        Assert.Equal(["5", "6 | 3", "4", "5"], found);
    }

    [Fact]
    public async Task An_inline_document_stands_at_the_version_of_its_stream()
    {
        var options = new PostgresEventStoreOptions { InlineProjections = [new CounterViews()] };
        await using var store = _postgres.NewStore(options);
        await store.EnsureSchemaAsync();
        for (var at = 1; at <= 3; at++) await store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, Facts.Raised(at, 1));
        Assert.Equal(["6 | 6"], await LinesAsync($"select s.version, d.mt_version from mt_streams s join {Doc} d on d.id = s.id and d.tenant_id = s.tenant_id"));
    }

    [Fact]
    public async Task Fetching_for_exclusive_writing_keeps_our_appends_out_until_it_is_done()
    {
        await RaiseAsync("a", 1);
        await using var hasty = _postgres.NewStore(new PostgresEventStoreOptions { AppendLockTimeout = TimeSpan.FromMilliseconds(50) });
        await using var connection = await _postgres.Source.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var hold = new NpgsqlCommand("select version from mt_streams where id = 'a' and tenant_id = 'acme' for update", connection);
            Assert.Equal(1L, await hold.ExecuteScalarAsync());
            await Assert.ThrowsAsync<StreamLockedException>(async () => await hasty.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, [Facts.Raised(1)]));
            await transaction.CommitAsync();
        }
        Assert.Equal(2, (await hasty.AppendToStreamAsync("acme", "a", ExpectedVersion.Exact(1), [Facts.Raised(1)])).Version);
    }

    [Fact]
    public async Task A_rich_append_to_our_stream_counts_on_and_the_slower_side_is_refused()
    {
        await RaiseAsync("a", 1, 2);
        var numbers = await Marten.DrawAsync(1);
        Assert.True(await Marten.AppendAsync("acme", "a", 2, numbers, new MartenHost.Event("counter_raised", """{"By": 4}""")));
        await Assert.ThrowsAsync<WrongExpectedVersionException>(async () => await Store.AppendToStreamAsync("acme", "a", ExpectedVersion.Exact(2), [Facts.Raised(1)]));
        await RaiseAsync("a", 8);
        Assert.False(await Marten.AppendAsync("acme", "a", 3, await Marten.DrawAsync(1), new MartenHost.Event("counter_raised", """{"By": 1}""")));
        Assert.Equal(15, await Store.AggregateStreamAsync("acme", "a", 0, Facts.Sum));

        // A stream that is there already: the key of its row refuses the host as it refuses us.
        var twice = await Assert.ThrowsAsync<PostgresException>(() => Marten.StartAsync("acme", "a", null, new MartenHost.Event("counter_raised", """{"By": 1}""")));
        Assert.Equal((PostgresErrorCodes.UniqueViolation, "pkey_mt_streams_tenant_id_id"), (twice.SqlState, twice.ConstraintName));
    }

    /// <summary>Rich appends leave the time of the stream's row, quick ones write it, and some of them an hour that is off by the session's zone.</summary>
    [Fact]
    public async Task A_time_that_a_host_wrote_from_the_future_does_not_run_backwards_behind_it()
    {
        await Marten.StartAsync("acme", "a", null, new MartenHost.Event("counter_raised", """{"By": 4}"""));
        var created = await LinesAsync("select timestamp = created from mt_streams where id = 'a'");
        await _postgres.ExecuteAsync("update mt_events set timestamp = now() + interval '3 hours' where stream_id = 'a'; update mt_streams set timestamp = now() + interval '3 hours' where id = 'a'");
        await RaiseAsync("a", 1);
        var read = await Store.ReadStreamAsync("acme", "a").ToListAsync();

        Assert.Equal(["True"], created);
        Assert.True(read[1].RecordedAt >= read[0].RecordedAt, $"{read[0].RecordedAt:O} then {read[1].RecordedAt:O}");
        Assert.Equal(5, await Store.AggregateStreamAsync("acme", "a", 0, Facts.Sum));
    }

    /// <summary>The function's arguments in their order; the body is the test's own.</summary>
    [Fact]
    public async Task The_quick_function_of_a_host_appends_to_our_stream_and_raises_what_we_name()
    {
        await _postgres.ExecuteAsync("""
            create function mt_quick_append_events(stream varchar, stream_type varchar, tenantid varchar, event_ids uuid[], event_types varchar[], dotnet_types varchar[], bodies jsonb[], bdatas bytea[],
                causation_ids varchar[], correlation_ids varchar[], headers_ jsonb[], user_names varchar[], timestamps timestamptz[], expected_version bigint) returns bigint[] language plpgsql as $$
            declare at bigint; closed boolean; answer bigint[]; number bigint; begin
              select version, is_archived into at, closed from mt_streams where id = stream and tenant_id = tenantid;
              if closed then raise exception 'archived' using errcode = 'MT001'; end if;
              if expected_version is not null and coalesce(at, 0) <> expected_version then raise exception 'version' using errcode = 'MT003'; end if;
              if at is null then insert into mt_streams (id, type, version, timestamp, tenant_id) values (stream, stream_type, array_length(event_ids, 1), now(), tenantid);
              else update mt_streams set version = at + array_length(event_ids, 1), timestamp = now() where id = stream and tenant_id = tenantid; end if;
              answer := array[coalesce(at, 0) + array_length(event_ids, 1)];
              for i in 1..array_length(event_ids, 1) loop
                number := nextval('mt_events_sequence');
                insert into mt_events (seq_id, id, stream_id, version, data, bdata, type, tenant_id, timestamp, mt_dotnet_type, is_archived, causation_id, correlation_id, headers, user_name)
                values (number, event_ids[i], stream, coalesce(at, 0) + i, bodies[i], bdatas[i], event_types[i], tenantid, timestamps[i], dotnet_types[i], false, causation_ids[i], correlation_ids[i], headers_[i], user_names[i]);
                answer := answer || number;
              end loop;
              return answer;
            end $$
            """);
        Task<List<string>> Quick(long? expected) => LinesAsync($$"""
            select array_to_string(mt_quick_append_events('a', 'counter', 'acme', array[gen_random_uuid()], array['counter_raised']::varchar[], array['X, Y']::varchar[], array['{"By": 4}']::jsonb[], array[null]::bytea[],
                array['cause']::varchar[], array['corr']::varchar[], array['{"k": "v"}']::jsonb[], array['ayşe']::varchar[], array['2026-01-02T03:04:05Z']::timestamptz[], {{expected?.ToString(CultureInfo.InvariantCulture) ?? "null"}}), ',')
            """);
        var mine = await RaiseAsync("a", 1);
        Assert.Equal([$"2,{mine.LastPosition + 1}"], await Quick(1));
        Assert.Equal("MT003", (await Assert.ThrowsAsync<PostgresException>(() => Quick(1))).SqlState);
        var read = await Store.ReadStreamAsync("acme", "a", 2).SingleAsync();
        Assert.Equal(("corr", "cause", "ayşe", "v"), (read.Metadata.CorrelationId, read.Metadata.CausationId, read.Metadata.Actor, read.Metadata.Headers!["k"]));
        Assert.Equal(3, (await Store.AppendToStreamAsync("acme", "a", ExpectedVersion.Exact(2), [Facts.Raised(1)])).Version);
        await Store.ArchiveStreamAsync("acme", "a");
        Assert.Equal("MT001", (await Assert.ThrowsAsync<PostgresException>(() => Quick(null))).SqlState);
    }

    [Theory]
    [InlineData("MT001", typeof(StreamArchivedException))]
    [InlineData("MT002", typeof(StreamNameRejectedException))]
    [InlineData("MT003", typeof(WrongExpectedVersionException))]
    public async Task What_a_trigger_of_the_host_raises_has_a_type(string state, Type type)
    {
        await RaiseAsync("a", 1);
        await _postgres.ExecuteAsync($"""
            create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no' using errcode = '{state}'; end $$;
            create trigger refuse before insert on mt_events for each row execute function refuse()
            """);
        Assert.IsType(type, await Record.ExceptionAsync(async () => await Store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, [Facts.Raised(1)])));
        Assert.IsType(type, await Record.ExceptionAsync(async () => await Store.AppendToStreamAsync("acme", "a", ExpectedVersion.Exact(1), Facts.Raised(2, 1))));
        Assert.IsType(type, await Record.ExceptionAsync(async () => await Store.AppendToStreamsAsync("acme", [new StreamAppend(null, "b", ExpectedVersion.Any, [Facts.Raised(1)])])));
        Assert.IsType(type, await Record.ExceptionAsync(async () =>
        {
            await using var kept = await Store.LockStreamAsync("acme", "a");
            await kept.AppendAsync([Facts.Raised(1)]);
        }));
    }

    [Fact]
    public async Task Events_behind_the_back_of_their_stream_are_a_wrong_version()
    {
        await RaiseAsync("a", 1, 2);
        await _postgres.ExecuteAsync("update mt_streams set version = 1 where id = 'a'");
        var told = await Assert.ThrowsAsync<WrongExpectedVersionException>(async () => await Store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, [Facts.Raised(1)]));
        Assert.Equal(("a", 1L), (told.StreamId, told.Actual));
    }

    [Fact]
    public async Task The_daemon_of_a_host_loads_our_events_by_its_page_statement()
    {
        const string page = """
            select d.seq_id, d.id, d.stream_id, d.version, d.data, d.type, d.timestamp, d.tenant_id, d.mt_dotnet_type, d.bdata, d.correlation_id, d.causation_id, d.headers, d.user_name, d.is_archived, s.type as stream_type
            from mt_events as d inner join mt_streams as s on d.stream_id = s.id and d.tenant_id = s.tenant_id
            where d.seq_id > $1 and d.seq_id <= $2 and d.type = ANY($3) and d.is_archived = FALSE order by d.seq_id limit 500
            """;
        await Store.AppendToStreamAsync("acme", "a", ExpectedVersion.NoStream, [EventData.Of(new CounterOpened("çay")), EventData.Of(new NoteTaken("x")), Facts.Raised(5)], new AppendOptions(AggregateType: "counter_view"));
        await RaiseAsync("closed", 1);
        await Store.ArchiveStreamAsync("acme", "closed");
        await RaiseAsync("b", 7);
        var loaded = await LinesAsync(page, 0L, 100L, new[] { "counter_opened", "counter_raised", "archived", "Compacted<CounterView>" });
        Assert.Equal(["a 1 counter_view", "a 3 counter_view", "b 1 -"], loaded.Select(l => l.Split(" | ")).Select(l => $"{l[2]} {l[3]} {l[^1]}"));
    }

    /// <summary>Insert the first time, then set where it still stands where it stood: whoever comes second changes no row.</summary>
    [Fact]
    public async Task Two_daemons_on_one_shard_advance_it_once()
    {
        const string next = "update mt_event_progression set last_seq_id = $1, last_updated = transaction_timestamp() where name = $2 and last_seq_id = $3";
        await RaiseAsync("a", 1, 2, 3);
        Assert.Equal(1, await ChangedAsync("insert into mt_event_progression (name, last_seq_id) values ($1, $2)", "CounterView:All", 1L));
        await Daemon(new CounterViews()).CatchUpAsync();
        Assert.Equal(["3"], await LinesAsync("select last_seq_id from mt_event_progression where name = 'CounterView:All'"));
        Assert.Equal(0, await ChangedAsync(next, 3L, "CounterView:All", 1L));
        await RaiseAsync("a", 4);
        Assert.Equal(1, await ChangedAsync(next, 4L, "CounterView:All", 3L));
        Assert.Equal(0, await Progress.Advance("CounterView:All", 3, 4).RunAsync(_postgres.Source));

        for (var round = 0; round < 20; round++)
        {
            var (from, name) = (4L + round, "CounterView:All");
            var moved = await Task.WhenAll(Progress.Advance(name, from, from + 1).RunAsync(_postgres.Source), ChangedAsync(next, from + 1, name, from), Progress.Advance(name, from, from + 1).RunAsync(_postgres.Source));
            Assert.Equal(1, moved.Sum());
        }
        var first = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Progress.Advance("New:All", null, 5).RunAsync(_postgres.Source)));
        Assert.Equal(1, first.Sum());
    }

    /// <summary>First row behind the mark, first hole behind it, highest number: where we skipped a number for dead, the host finds the same hole and our note of it.</summary>
    [Fact]
    public async Task High_water_detection_of_a_host_runs_on_our_numbers()
    {
        await RaiseAsync("a", 1, 2);
        await _postgres.ExecuteAsync("select nextval('mt_events_sequence')");
        await RaiseAsync("a", 3);
        var marks = new[] { await Store.GetHighWaterMarkAsync(), await Store.GetHighWaterMarkAsync() };
        Assert.Equal(4, marks[^1]);
        Assert.Equal(["1 | 2 | 4"], await LinesAsync("""
            select (select min(seq_id) from mt_events where seq_id > $1),
                   (select seq_id from (select seq_id, lead(seq_id) over (order by seq_id) as next from mt_events where seq_id >= $1) g where next - seq_id > 1 order by 1 limit 1),
                   (select max(seq_id) from mt_events)
            """, 0L));
        Assert.Equal(["3 | 3"], await LinesAsync("select starting_sequence, ending_sequence from mt_high_water_skips"));

        // What a host marks and skips by its own functions is where we go on.
        await _postgres.ExecuteAsync("""
            create function mt_mark_progression_with_skip(shard_name varchar, ending bigint, starting bigint) returns void language sql as $$
              insert into mt_event_progression (name, last_seq_id, last_updated) values (shard_name, ending, transaction_timestamp())
              on conflict on constraint pk_mt_event_progression do update set last_seq_id = ending, last_updated = transaction_timestamp();
              insert into mt_high_water_skips (ending_sequence, starting_sequence) values (ending, starting);
            $$;
            select nextval('mt_events_sequence');
            select mt_mark_progression_with_skip('HighWaterMark', 5, 5);
            insert into mt_event_progression (name, last_seq_id) values ('HighWaterAllocationFence', 99), ('HighWaterStuckGap', 99)
            """);
        var behind = await RaiseAsync("a", 4);
        await using var fresh = _postgres.NewStore(new PostgresEventStoreOptions { ForeignWriters = true, ForeignStaleThreshold = TimeSpan.FromHours(1) });
        Assert.Equal(behind.LastPosition, await fresh.GetHighWaterMarkAsync());
    }

    [Fact]
    public async Task Archiving_by_the_function_of_a_host_closes_our_stream_and_its_daemon_passes_over_it()
    {
        await RaiseAsync("a", 1, 2);
        await _postgres.ExecuteAsync("""
            create function mt_archive_stream(streamid varchar, tenantid varchar) returns void language plpgsql as $$ begin
              update mt_streams set is_archived = TRUE where id = streamid and tenant_id = tenantid;
              update mt_events set is_archived = TRUE where stream_id = streamid and tenant_id = tenantid;
            end $$;
            select mt_archive_stream('a', 'acme')
            """);
        await Assert.ThrowsAsync<StreamArchivedException>(async () => await RaiseAsync("a", 3));
        Assert.Empty(await LinesAsync("select 1 from mt_events where is_archived = FALSE"));
        Assert.True((await Store.GetStreamStateAsync("acme", "a"))!.IsArchived);
        // Archived is not gone: our read models keep it.
        await Daemon(new CounterViews()).CatchUpAsync();
        Assert.Equal(["a | 3"], await LinesAsync($"select id, data ->> 'Total' from {Doc}"));
    }

    [Fact]
    public async Task Dead_letters_are_read_in_both_directions()
    {
        var mine = await Store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, [EventData.Of(new NoteTaken("x"))]);
        await Daemon(new Choosy()).CatchUpAsync();
        Assert.Equal([$"Choosy | All | {mine.LastPosition} | acme | InvalidOperationException | not a note"], await LinesAsync(
            "select data ->> 'ProjectionName', data ->> 'ShardName', data ->> 'EventSequence', data ->> 'TenantId', data ->> 'ExceptionType', data ->> 'ExceptionMessage' from mt_doc_deadletterevent where (data ->> 'Id')::uuid = id and (data ->> 'Timestamp')::timestamptz is not null"));

        await _postgres.ExecuteAsync("""
            insert into mt_doc_deadletterevent (data, mt_dotnet_type, id, mt_version)
            select jsonb_build_object('Id', k, 'ProjectionName', 'Choosy', 'ShardName', 'All', 'Timestamp', now(), 'ExceptionMessage', 'theirs', 'ExceptionType', 'System.Exception', 'EventSequence', 77, 'TenantId', null),
                   'JasperFx.Events.Daemon.DeadLetterEvent', k, gen_random_uuid() from gen_random_uuid() k
            """);
        var listed = await new PostgresCheckpointStore(_postgres.Source).ListParkedAsync("Choosy:All");
        Assert.Equal([(mine.LastPosition, "not a note"), (77L, "theirs")], listed.Select(p => (p.Position, p.ErrorMessage)));
    }

    private sealed class Choosy : EventProjection
    {
        public override IReadOnlyList<string> Tables { get; } = [];

        public override string SchemaSql(string suffix) => "select 1;";

        public override void Apply(IProjectionWriter writer, RecordedEvent recorded, object @event) => throw new InvalidOperationException("not a note");
    }

    /// <summary>A host's upsert with its guard, and its load, on a document table that we made; and ours on its rows.</summary>
    [Fact]
    public async Task Documents_are_written_and_read_in_turns()
    {
        await RaiseAsync("a", 1, 2);
        await Daemon(new CounterViews()).CatchUpAsync();
        const string upsert = $$"""
            insert into {{Doc}} as t (tenant_id, id, data, mt_dotnet_type, mt_version) values ('acme', 'a', '{"Name": "?", "Total": 30}', 'X', $1)
            on conflict (tenant_id, id) do update set data = excluded.data, mt_version = excluded.mt_version, mt_dotnet_type = excluded.mt_dotnet_type, mt_last_modified = transaction_timestamp()
            where excluded.mt_version > t.mt_version returning mt_version
            """;
        Assert.Empty(await LinesAsync(upsert, 2L));
        Assert.True(await Marten.AppendAsync("acme", "a", 2, await Marten.DrawAsync(1), new MartenHost.Event("counter_raised", """{"By": 27}""")));
        Assert.Equal(["3"], await LinesAsync(upsert, 3L));
        await _postgres.ExecuteAsync("update mt_event_progression set last_seq_id = 3 where name = 'CounterView:All'");
        await RaiseAsync("a", 5);
        await Daemon(new CounterViews()).CatchUpAsync();
        Assert.Equal(["35 | 4"], await LinesAsync($"select data ->> 'Total', mt_version from {Doc}"));
    }

    [Fact]
    public async Task Documents_name_their_type_and_stand_at_the_version_of_their_stream()
    {
        await RaiseAsync("b", 7);
        await RaiseAsync("a", 1, 2);
        await Daemon(new CounterViews()).CatchUpAsync();
        Assert.Equal(["a | 2 | Sentiric.EventStore.Tests.Projections.CounterView", "b | 1 | Sentiric.EventStore.Tests.Projections.CounterView"], await LinesAsync($"select id, mt_version, mt_dotnet_type from {Doc} order by id"));
    }

    [Theory]
    [InlineData("CallView", 1, "CallView:All")]
    [InlineData("CallView", 2, "CallView:V2:All")]
    public void A_shard_is_called_as_the_host_calls_it(string projection, int version, string row)
    {
        Assert.Equal(row, ShardName.Of(projection, version));
        Assert.Equal((projection, version), ShardName.Parse(row));
    }

    /// <summary>Progress and dead letters deleted, table emptied, in one transaction: then our shard begins anew from nothing.</summary>
    [Fact]
    public async Task A_rebuild_that_a_host_begins_is_carried_through_by_our_shard()
    {
        await RaiseAsync("a", 1, 2);
        await RaiseAsync("b", 4);
        var daemon = Daemon(new CounterViews());
        await daemon.CatchUpAsync();
        await _postgres.ExecuteAsync($"""
            begin; delete from mt_event_progression where name = 'CounterView:All'; truncate {Doc} cascade;
            delete from mt_doc_deadletterevent where data ->> 'ProjectionName' = 'CounterView'; commit
            """);
        await daemon.CatchUpAsync();
        Assert.Equal(["a | 3", "b | 4"], await LinesAsync($"select id, data ->> 'Total' from {Doc} order by id"));
        Assert.Equal(["3"], await LinesAsync("select last_seq_id from mt_event_progression where name = 'CounterView:All'"));
    }

    [Fact]
    public async Task What_a_host_notifies_in_its_append_wakes_us_and_what_we_notify_wakes_the_host()
    {
        await using var sleepy = _postgres.NewStore(new PostgresEventStoreOptions { PollInterval = TimeSpan.FromMinutes(10) });
        var mark = await sleepy.GetHighWaterMarkAsync();
        await using var host = await _postgres.Source.OpenConnectionAsync();
        var heard = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Notification += (_, told) => heard.TrySetResult(told.Channel);
        await using (var listen = new NpgsqlCommand("listen mt_events_appended", host)) await listen.ExecuteNonQueryAsync();
        await RaiseAsync("a", 1);
        await host.WaitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token);
        Assert.Equal("mt_events_appended", await heard.Task.WaitAsync(TimeSpan.FromSeconds(20)));

        await sleepy.WaitForChangeAsync(mark, TimeSpan.FromSeconds(20));
        mark = await sleepy.GetHighWaterMarkAsync();
        var waiting = sleepy.WaitForChangeAsync(mark, TimeSpan.FromMinutes(10)).AsTask();
        await _postgres.ExecuteAsync("""
            begin; update mt_streams set version = 2 where id = 'a';
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id) values (nextval('mt_events_sequence'), gen_random_uuid(), 'a', 2, '{"By": 2}', 'counter_raised', now(), 'acme');
            do $$ begin perform pg_notify('mt_events_appended', ''); end $$; commit
            """);
        await waiting.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.True(await sleepy.GetHighWaterMarkAsync() > mark);
    }

    /// <summary>The default is a text that PostgreSQL read once, when the table was made: a row without a time would have that moment.</summary>
    [Fact]
    public async Task The_default_time_of_an_event_is_a_frozen_moment_and_none_of_our_rows_has_it()
    {
        var literal = Assert.Single(await LinesAsync("select pg_get_expr(adbin, adrelid) from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where a.attrelid = 'mt_events'::regclass and a.attname = 'timestamp'"));
        Assert.Matches(@"^'\d{4}-\d{2}-\d{2} .+'::timestamp with time zone$", literal);
        await RaiseAsync("a", 1);
        await RaiseAsync("a", 1, 2);
        await Store.AppendToStreamsAsync("acme", [new StreamAppend(null, "b", ExpectedVersion.Any, [Facts.Raised(1)])]);
        await Store.ImportAsync(new[] { new ImportedEvent("acme", "c", 1, Guid.NewGuid(), "counter_raised", DateTimeOffset.UnixEpoch, """{"By": 1}"""u8.ToArray(), EventMetadata.None) }.ToAsyncEnumerable());
        Assert.Equal(["0 | 5"], await LinesAsync($"select count(*) filter (where timestamp = {literal}), count(*) from mt_events"));
    }

    [Fact]
    public void Ids_of_events_rise_with_the_time()
    {
        var ids = Enumerable.Range(0, 3).Select(_ => Facts.Raised(1).EventId.ToByteArray(bigEndian: true).Take(6).ToArray()).ToList();
        Assert.All(ids.Zip(ids.Skip(1)), pair => Assert.True(pair.First.AsSpan().SequenceCompareTo(pair.Second) <= 0));
    }

    /// <summary>What a host's migration leaves: it drops from its tables every column and index that its own description does not have, and the store goes on.</summary>
    [Fact]
    public async Task A_migration_of_the_host_finds_nothing_of_ours_to_drop()
    {
        await _postgres.ExecuteAsync("alter table mt_events add column sx_hash bytea; create index sx_idx on mt_events (type); alter table mt_event_progression add column sx_note varchar");
        var dropped = await MartenMigration.RunAsync(_postgres);
        Assert.Equal(["alter table mt_event_progression drop column sx_note", "alter table mt_events drop column sx_hash", "drop index sx_idx"], dropped);
        await Store.EnsureSchemaAsync();
        Assert.Empty(await MartenMigration.RunAsync(_postgres));
        await Store.AppendToStreamAsync("acme", "a", ExpectedVersion.NoStream, [Facts.Raised(1)], new AppendOptions(Idempotent: true));
        var daemon = Daemon(new CounterViews(), new CounterRows());
        await daemon.CatchUpAsync();
        await daemon.RebuildAsync("CounterView");
        Assert.Empty(await MartenMigration.RunAsync(_postgres));
        Assert.Equal(["1"], await LinesAsync("select count(*) from sx_append_key"));
    }
}

internal static class Statements
{
    public static async Task<int> RunAsync(this NpgsqlCommand command, NpgsqlDataSource source)
    {
        await using var connection = await source.OpenConnectionAsync();
        command.Connection = connection;
        await using (command) return await command.ExecuteNonQueryAsync();
    }
}

/// <summary>
/// What the schema migration of a Marten 9 host does to tables of conjoined tenancy with the four optional columns: whatever column or index its description of
/// <c>mt_*</c> does not have is dropped. Tables that it does not know stay, and so do triggers and checks.
/// </summary>
internal static class MartenMigration
{
    private const string Foreign = """
        with known(t, c) as (values
          ('mt_streams', 'tenant_id id type version timestamp created is_archived'),
          ('mt_events', 'seq_id id stream_id version data bdata type timestamp tenant_id mt_dotnet_type correlation_id causation_id headers user_name is_archived'),
          ('mt_event_progression', 'name last_seq_id last_updated'),
          ('mt_high_water_skips', 'ending_sequence starting_sequence timestamp'),
          ('mt_doc_deadletterevent', 'id data mt_last_modified mt_version mt_dotnet_type'),
          ('mt_doc_counterview', 'tenant_id id data mt_last_modified mt_dotnet_type mt_version')),
        indexes(i) as (values ('pkey_mt_streams_tenant_id_id'), ('pkey_mt_events_seq_id'), ('pk_mt_events_stream_and_version'), ('pk_mt_event_progression'),
          ('pkey_mt_high_water_skips_ending_sequence'), ('pkey_mt_doc_deadletterevent_id'), ('pkey_mt_doc_counterview_tenant_id_id'))
        select format('alter table %I drop column %I', r.relname, a.attname) from pg_class r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
        join known k on k.t = r.relname
        where r.relnamespace = current_schema()::regnamespace and not a.attname = any(string_to_array(k.c, ' '))
        union all
        select format('drop index %I', i.relname) from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class r on r.oid = x.indrelid
        join known k on k.t = r.relname where r.relnamespace = current_schema()::regnamespace and i.relname not in (select indexes.i from indexes)
        order by 1
        """;

    /// <summary>What was dropped.</summary>
    public static async Task<List<string>> RunAsync(PostgresFixture postgres)
    {
        var drops = await postgres.LinesAsync(Foreign);
        foreach (var drop in drops) await postgres.ExecuteAsync(drop);
        return drops;
    }
}
