using Npgsql;
using Sentiric.EventStore.Proofs;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Projections;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>Archived streams in partitions of their own: rows move, a stream is one stream for all that, and an id is given once.</summary>
public sealed class PartitionTests(PartitionedFixture postgres) : IClassFixture<PartitionedFixture>
{
    private readonly string _stream = "p-" + Guid.NewGuid().ToString("N")[..8];

    private PostgresEventStore Store => postgres.Store;

    private Task AppendAsync(string stream, params int[] amounts) =>
        Store.AppendToStreamAsync("acme", stream, ExpectedVersion.Any, [.. amounts.Select(by => Facts.Raised(by))]).AsTask();

    private Task<List<string>> PlacesAsync() => postgres.LinesAsync(
        $"select tableoid::regclass::text, version from mt_streams where id = '{_stream}' union all select tableoid::regclass::text, version from mt_events where stream_id = '{_stream}' order by 1, 2");

    [Fact]
    public async Task Archiving_moves_row_and_events_and_opening_moves_them_back()
    {
        await AppendAsync(_stream, 1, 2);
        Assert.Equal(["mt_events_default | 1", "mt_events_default | 2", "mt_streams_default | 2"], await PlacesAsync());
        Assert.True(await Store.ArchiveStreamAsync("acme", _stream));
        Assert.True(await Store.ArchiveStreamAsync("acme", _stream));
        Assert.Equal(["mt_events_archived | 1", "mt_events_archived | 2", "mt_streams_archived | 2"], await PlacesAsync());
        Assert.Equal([1L, 2L], await Store.ReadStreamAsync("acme", _stream).Select(e => e.Version).ToListAsync());
        Assert.Equal(3, await Store.AggregateStreamAsync("acme", _stream, 0, Facts.Sum));

        Assert.True(await Store.UnarchiveStreamAsync("acme", _stream));
        Assert.Equal(3, (await Store.AppendToStreamAsync("acme", _stream, ExpectedVersion.Exact(2), [Facts.Raised(4)])).Version);
        Assert.Equal(["mt_events_default | 1", "mt_events_default | 2", "mt_events_default | 3", "mt_streams_default | 3"], await PlacesAsync());
        Assert.False(await Store.ArchiveStreamAsync("acme", _stream + "-none"));
    }

    [Fact]
    public async Task An_archived_stream_takes_no_events_by_any_statement()
    {
        await AppendAsync(_stream, 1);
        await Store.ArchiveStreamAsync("acme", _stream);
        var before = await postgres.LinesAsync("select last_value from mt_events_sequence");
        foreach (var expected in new[] { ExpectedVersion.Any, ExpectedVersion.NoStream, ExpectedVersion.Exact(1), ExpectedVersion.StreamExists })
        {
            foreach (var count in new[] { 1, 2 })
                await Assert.ThrowsAsync<StreamArchivedException>(async () => await Store.AppendToStreamAsync("acme", _stream, expected, Facts.Raised(count, 1)));
            await Assert.ThrowsAsync<StreamArchivedException>(async () => await Store.AppendToStreamsAsync("acme",
                [new StreamAppend(null, _stream + "-other", ExpectedVersion.NoStream, [Facts.Raised(1)]), new StreamAppend(null, _stream, expected, [Facts.Raised(1)])]));
        }
        await Assert.ThrowsAsync<StreamArchivedException>(async () => await Store.LockStreamAsync("acme", _stream));
        await Assert.ThrowsAsync<StreamArchivedException>(async () => await Store.ImportAsync(
            new[] { new ImportedEvent("acme", _stream, 2, Guid.NewGuid(), "counter_raised", DateTimeOffset.UnixEpoch, """{"By": 1}"""u8.ToArray(), EventMetadata.None) }.ToAsyncEnumerable()));

        Assert.Equal(before, await postgres.LinesAsync("select last_value from mt_events_sequence"));
        Assert.Equal(["mt_events_archived | 1", "mt_streams_archived | 1"], await PlacesAsync());
    }

    [Fact]
    public async Task Appends_that_race_with_an_archive_never_leave_two_streams_of_one_id()
    {
        await using var other = postgres.NewStore();
        for (var round = 0; round < 25; round++)
        {
            var id = $"{_stream}-{round}";
            await AppendAsync(id, 1);
            var appends = Enumerable.Range(0, 6).Select(n => Record.ExceptionAsync(async () =>
                await (n % 2 == 0 ? Store : other).AppendToStreamAsync("acme", id, ExpectedVersion.Any, Facts.Raised(1 + (n & 1), 1)))).ToList();
            await other.ArchiveStreamAsync("acme", id);
            Assert.All(await Task.WhenAll(appends), refused => Assert.True(refused is null or StreamArchivedException, refused?.ToString()));
        }
        Assert.Empty(await postgres.LinesAsync("select id from mt_streams group by tenant_id, id having count(*) > 1"));
        Assert.Empty(await postgres.LinesAsync($"""
            select s.id from mt_streams s where s.id like '{_stream}-%'
            and (not s.is_archived or s.version <> (select count(*) from mt_events e where e.stream_id = s.id and e.tenant_id = s.tenant_id and e.is_archived))
            """));
    }

    [Fact]
    public async Task An_archive_gives_up_on_an_append_that_does_not_end()
    {
        await AppendAsync(_stream, 1);
        await using var hasty = postgres.NewStore(postgres.Options with { AppendLockTimeout = TimeSpan.FromMilliseconds(50) });
        await using (await Store.LockStreamAsync("acme", _stream + "-held"))
            await Assert.ThrowsAsync<StreamLockedException>(async () => await hasty.ArchiveStreamAsync("acme", _stream));
        Assert.True(await hasty.ArchiveStreamAsync("acme", _stream));
    }

    /// <summary>A host without the strict table may start a stream under the id of an archived one: both rows are there.</summary>
    [Fact]
    public async Task Beside_an_archived_namesake_the_living_stream_is_meant()
    {
        await AppendAsync(_stream, 1, 2);
        await Store.ArchiveStreamAsync("acme", _stream);
        await postgres.ExecuteAsync($$"""
            insert into mt_streams (id, type, version, tenant_id) values ('{{_stream}}', 'counter', 1, 'acme');
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id)
            values (nextval('mt_events_sequence'), gen_random_uuid(), '{{_stream}}', 1, '{"By": 40}', 'counter_raised', now(), 'acme')
            """);
        Assert.Equal(40, await Store.AggregateStreamAsync("acme", _stream, 0, Facts.Sum));
        Assert.Equal((1L, false), ((await Store.GetStreamStateAsync("acme", _stream))!.Version, (await Store.GetStreamStateAsync("acme", _stream))!.IsArchived));
        Assert.Equal(2, (await Store.AppendToStreamAsync("acme", _stream, ExpectedVersion.Any, [Facts.Raised(2)])).Version);
        await (await Store.FetchForWritingAsync("acme", _stream, 0, Facts.Sum)).AppendAsync([Facts.Raised(3)]);
        await using (var kept = await Store.LockStreamAsync("acme", _stream)) Assert.Equal(3, kept.Version);
        await Store.TruncateStreamAsync("acme", _stream, 2, new TruncationReason("test", EvenUnread: true));

        Assert.Equal([2L, 3L], await Store.ReadStreamAsync("acme", _stream).Select(e => e.Version).ToListAsync());
        Assert.Equal(["mt_events_archived | 1", "mt_events_archived | 2", "mt_events_default | 2", "mt_events_default | 3", "mt_streams_archived | 2", "mt_streams_default | 3"], await PlacesAsync());
        Assert.True(await Store.UnarchiveStreamAsync("acme", _stream));
        await Assert.ThrowsAsync<StreamIdUsedException>(async () => await Store.ArchiveStreamAsync("acme", _stream));
        await postgres.ExecuteAsync($"delete from mt_events where stream_id = '{_stream}'; delete from mt_streams where id = '{_stream}'");
    }

    [Fact]
    public async Task An_id_is_given_once_even_after_the_stream_is_gone()
    {
        await AppendAsync(_stream, 1);
        await AppendAsync(_stream + "-b", 1, 1);
        await Store.AppendToStreamsAsync("acme", [new StreamAppend(null, _stream + "-c", ExpectedVersion.NoStream, [Facts.Raised(1)]), new StreamAppend(null, _stream + "-d", ExpectedVersion.Any, [Facts.Raised(1)])]);
        await Store.ImportAsync(
            new[] { new ImportedEvent("acme", _stream + "-e", 1, Guid.NewGuid(), "counter_raised", DateTimeOffset.UnixEpoch, """{"By": 1}"""u8.ToArray(), EventMetadata.None) }.ToAsyncEnumerable());
        Assert.Equal([_stream, .. "bcde".Select(n => $"{_stream}-{n}")], await postgres.LinesAsync($"select id from mt_streams_identity where tenant_id = 'acme' and id like '{_stream}%' order by id"));
        await postgres.ExecuteAsync($"delete from mt_events where stream_id like '{_stream}%'; delete from mt_streams where id like '{_stream}%'");

        foreach (var expected in new[] { ExpectedVersion.Any, ExpectedVersion.NoStream })
        {
            foreach (var stream in new[] { _stream, _stream + "-c" })
            {
                await Assert.ThrowsAsync<StreamIdUsedException>(async () => await Store.AppendToStreamAsync("acme", stream, expected, [Facts.Raised(1)]));
                await Assert.ThrowsAsync<StreamIdUsedException>(async () => await Store.AppendToStreamAsync("acme", stream, expected, Facts.Raised(2, 1)));
            }
        }
        await Assert.ThrowsAsync<StreamIdUsedException>(async () => await Store.LockStreamAsync("acme", _stream));
        await Assert.ThrowsAsync<WrongExpectedVersionException>(async () => await Store.AppendToStreamAsync("acme", _stream, ExpectedVersion.Exact(1), [Facts.Raised(1)]));
    }
}

/// <summary>Everything else that a store does, on partitions, in a database of its own.</summary>
[Trait("Category", "Slow")]
public sealed class PartitionedWorkTests : IAsyncLifetime
{
    private readonly PartitionedFixture _postgres = new();

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    [Fact]
    public async Task Statistics_projections_rebuilds_exports_and_the_audit_see_archived_streams()
    {
        var store = _postgres.Store;
        using var key = AuditKey.Create();
        for (var at = 0; at < 12; at++) await store.AppendToStreamAsync("acme", $"s-{at % 4}", ExpectedVersion.Any, [Facts.Raised(at)]);
        var daemon = new ProjectionDaemon(_postgres.Source, store, [new CounterRows(), new CounterViews()], TimeProvider.System);
        await daemon.CatchUpAsync();
        Assert.NotNull(await new AuditNotary(_postgres.Source, store, AuditKeys.Of(key), new AuditOptions(), TimeProvider.System).CatchUpAsync());
        var rows = await _postgres.LinesAsync("select id, total from counter_row order by 1");
        foreach (var stream in new[] { "s-1", "s-3" }) await store.ArchiveStreamAsync("acme", stream);

        await daemon.RebuildAsync("CounterRows");
        await daemon.RebuildAsync("CounterView");
        await daemon.RebuildStreamAsync("CounterView", "acme", "s-1");
        Assert.Equal(rows, await _postgres.LinesAsync("select id, total from counter_row order by 1"));
        Assert.Equal(rows, await _postgres.LinesAsync("select id, data ->> 'Total' from mt_doc_counterview order by 1"));
        var statistics = await new StatisticsReader(_postgres.Source, store, TimeProvider.System).ReadAsync();
        Assert.Equal((12L, 4L, 2L), (statistics.Events.Count, statistics.Streams.Count, statistics.ArchivedStreams.Count));
        var report = await new AuditTrail(_postgres.Source, store, TimeProvider.System).VerifyAsync(new VerifyOptions([key.Public]));
        Assert.True(report.IsSound, string.Join('\n', report.Findings));

        await _postgres.ExecuteAsync("""update mt_events set data = '{"By": 99}' where stream_id = 's-3' and version = 2""");
        Assert.False((await new AuditTrail(_postgres.Source, store, TimeProvider.System).VerifyAsync(new VerifyOptions([key.Public]))).IsSound);
        using var file = new MemoryStream();
        Assert.Equal(12, (await new LogExport(_postgres.Source, store).WriteAsync(file, new ExportScope())).Events);
    }

    [Fact]
    public async Task The_writer_archives_and_cannot_change_history_through_a_partition()
    {
        var tag = Guid.NewGuid().ToString("N")[..12];
        var roles = new PostgresRoles($"p_migrator_{tag}", $"p_writer_{tag}", $"p_reader_{tag}");
        await _postgres.ExecuteAsync(roles.Script(_postgres.Options));
        await _postgres.ExecuteAsync($"alter role {roles.Writer} login password 'for-tests'");
        try
        {
            await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_postgres.ConnectionString) { Username = roles.Writer, Password = "for-tests" }.ConnectionString);
            await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System, _postgres.Options);
            await store.EnsureSchemaAsync();
            await store.AppendToStreamAsync("acme", "w", ExpectedVersion.NoStream, Facts.Raised(2, 1));
            Assert.True(await store.ArchiveStreamAsync("acme", "w"));
            Assert.True(await store.UnarchiveStreamAsync("acme", "w"));
            await store.AppendToStreamAsync("acme", "w", ExpectedVersion.Exact(2), [Facts.Raised(1)]);
            foreach (var sql in new[] { "delete from mt_events_default", "insert into mt_events_archived select * from mt_events", "update mt_events set data = '{}'", "delete from mt_streams", "delete from mt_streams_identity" })
            {
                await using var command = source.CreateCommand(sql);
                Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(async () => await command.ExecuteNonQueryAsync())).SqlState);
            }
        }
        finally
        {
            foreach (var role in new[] { roles.Writer, roles.Reader }) await _postgres.ExecuteAsync($"drop owned by {role} cascade; drop role {role}");
            await _postgres.ExecuteAsync($"reassign owned by {roles.Migrator} to current_user; drop owned by {roles.Migrator} cascade; drop role {roles.Migrator}");
        }
    }
}
