using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Privacy;
using Sentiric.EventStore.Tests.Projections;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>Three roles that may do their work and nothing else. Each test logs in as the role.</summary>
public sealed class RoleTests : IAsyncLifetime
{
    private static readonly string Tag = Guid.NewGuid().ToString("N")[..12];
    private readonly PostgresRoles _roles = new($"t_migrator_{Tag}", $"t_writer_{Tag}", $"t_reader_{Tag}");
    private readonly PostgresFixture _postgres = new();

    public async Task InitializeAsync()
    {
        await _postgres.InitializeEmptyAsync(new PostgresEventStoreOptions());
        await _postgres.ExecuteAsync(_roles.Script());
        foreach (var role in new[] { _roles.Migrator, _roles.Writer, _roles.Reader }) await _postgres.ExecuteAsync($"alter role {role} login password 'for-tests'");
        await using (var migrator = As(_roles.Migrator)) await PostgresSchema.EnsureAsync(migrator);
        await _postgres.ExecuteAsync(_roles.Script());
        await _postgres.ExecuteAsync(_roles.Script());
    }

    public async Task DisposeAsync()
    {
        foreach (var role in new[] { _roles.Migrator, _roles.Writer, _roles.Reader }) await _postgres.ExecuteAsync($"drop owned by {role} cascade; drop role {role}");
        await _postgres.DisposeAsync();
    }

    private NpgsqlDataSource As(string role) =>
        NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_postgres.ConnectionString) { Username = role, Password = "for-tests" }.ConnectionString);

    private static PostgresEventStore StoreOf(NpgsqlDataSource source) => new(source, Facts.Serializer, TimeProvider.System);

    [Fact]
    public async Task The_writer_appends_subscribes_projects_and_rebuilds()
    {
        await using var source = As(_roles.Writer);
        await using var store = StoreOf(source);
        await store.EnsureSchemaAsync();
        await store.AppendToStreamAsync("acme", "a", ExpectedVersion.NoStream, [Facts.Raised(1), Facts.Raised(2)], new AppendOptions(Idempotent: true));
        await store.AppendToStreamAsync("acme", "a", ExpectedVersion.Exact(2), [Facts.Raised(4)]);
        await store.AppendToStreamsAsync("acme", [new StreamAppend(null, "b", ExpectedVersion.NoStream, [Facts.Raised(1)]), new StreamAppend(null, "c", ExpectedVersion.NoStream, [Facts.Raised(1)])]);
        Assert.True(await store.ArchiveStreamAsync("acme", "c"));
        var seen = 0;
        var subscription = new SubscriptionRunner(
            store, new PostgresCheckpointStore(source), new SubscriptionOptions("relay"), (batch, _) => { seen += batch.Count; return ValueTask.CompletedTask; }, TimeProvider.System);
        await subscription.CatchUpAsync();
        var daemon = new ProjectionDaemon(source, store, [new CounterRows(), new CounterViews()], TimeProvider.System);
        await daemon.CatchUpAsync();
        await daemon.RebuildAsync("CounterRows");
        await daemon.RebuildAsync("CounterView");

        Assert.Equal(5, seen);
        Assert.Equal(7, await store.AggregateStreamAsync("acme", "a", 0, Facts.Sum));
        await using var reader = As(_roles.Reader);
        Assert.Equal(["a | 7", "b | 1", "c | 1"], await LinesAsync(reader, "select id, total from counter_row order by 1"));
        Assert.Equal(["3"], await LinesAsync(reader, "select count(*) from mt_doc_counterview"));
    }

    [Fact]
    public async Task The_writer_forgets_a_person_although_the_script_ran_again_since_the_keys_have_their_table()
    {
        var master = MasterKeys.Parse(MasterKeys.NewKey("first"));
        for (var start = 1; start <= 2; start++)
        {
            await using var source = As(_roles.Writer);
            var protection = new PersonalDataProtection(People.Map, new PostgresSubjectVault(source, master), TimeProvider.System);
            await using var store = new PostgresEventStore(source, People.Serializer, TimeProvider.System, new() { Protection = protection });
            await store.EnsureSchemaAsync();
            var eraser = new Eraser(
                store, protection, new PostgresErasureRecords(source), new MasterKeySigner(master), TimeProvider.System, PostgresErasureSteps.All(source, People.Map, [], TimeProvider.System));
            await eraser.StartAsync();
            await store.AppendToStreamAsync("t", $"room-{start}", ExpectedVersion.NoStream, [EventData.Of(People.Seen($"{start}"))]);
            var erased = await eraser.ForgetSubjectAsync(new ErasureRequest(Guid.NewGuid(), "t", [$"person:{start}"], [], "asked", "test"));
            Assert.Equal((ErasureState.Done, 1), (erased.State, erased.KeysDestroyed));
            await _postgres.ExecuteAsync(_roles.Script());
        }
    }

    [Theory]
    [InlineData("delete from mt_events")]
    [InlineData("truncate mt_events")]
    [InlineData("update mt_events set data = '{}'")]
    [InlineData("update mt_events set version = 9")]
    [InlineData("delete from mt_streams")]
    [InlineData("update mt_streams set id = 'x'")]
    [InlineData("drop table mt_events")]
    [InlineData("alter table mt_events add column x int")]
    [InlineData("create index on mt_events (id)")]
    [InlineData("select setval('mt_events_sequence', 1)")]
    [InlineData("delete from sx_append_key")]
    [InlineData("insert into sx_schema_version (version, name) values (99, 'x')")]
    [InlineData("delete from sx_stream_truncation")]
    public async Task The_writer_cannot_change_history(string sql) => await RefusedAsync(_roles.Writer, sql);

    [Theory]
    [InlineData("insert into mt_streams (tenant_id, id, version) values ('acme', 'x', 1)")]
    [InlineData("insert into mt_events (seq_id, id, version, data, type, timestamp) values (1, gen_random_uuid(), 1, '{}', 'x', now())")]
    [InlineData("update mt_event_progression set last_seq_id = 0")]
    [InlineData("select nextval('mt_events_sequence')")]
    [InlineData("create table x (y int)")]
    [InlineData("delete from mt_doc_deadletterevent")]
    public async Task The_reader_only_reads(string sql) => await RefusedAsync(_roles.Reader, sql);

    [Fact]
    public async Task The_reader_reads_streams_and_is_refused_an_append_by_name()
    {
        await _postgres.Store.AppendToStreamAsync("acme", "a", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await using var source = As(_roles.Reader);
        await using var store = StoreOf(source);
        await store.EnsureSchemaAsync();

        Assert.Single(await store.ReadStreamAsync("acme", "a").ToListAsync());
        await Assert.ThrowsAsync<StoreForbiddenException>(async () => await store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, [Facts.Raised(1)]));
    }

    [Fact]
    public async Task A_program_that_may_not_create_says_so_only_when_something_is_to_be_created()
    {
        await _postgres.ExecuteAsync("delete from sx_schema_version where version = (select max(version) from sx_schema_version)");
        await using var source = As(_roles.Reader);
        await using var store = StoreOf(source);
        var refused = await Assert.ThrowsAsync<SchemaVersionException>(async () => await store.EnsureSchemaAsync());

        Assert.Equal(PostgresSchema.Version - 1, refused.Found);
        Assert.Contains("PostgresSchema.Script", refused.Message);
    }

    private async Task RefusedAsync(string role, string sql)
    {
        await using var source = As(role);
        await using var command = source.CreateCommand(sql);
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(async () => await command.ExecuteNonQueryAsync())).SqlState);
    }

    private static async Task<List<string>> LinesAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await using var rows = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await rows.ReadAsync()) lines.Add(string.Join(" | ", Enumerable.Range(0, rows.FieldCount).Select(i => rows.GetValue(i).ToString())));
        return lines;
    }
}
