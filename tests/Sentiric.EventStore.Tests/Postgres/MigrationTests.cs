using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>The schema goes forward only, in numbered steps, and says what stands in its way.</summary>
public sealed class MigrationTests : IAsyncLifetime
{
    private readonly PostgresFixture _postgres = new();

    public Task InitializeAsync() => _postgres.InitializeEmptyAsync(new PostgresEventStoreOptions());

    public Task DisposeAsync() => _postgres.DisposeAsync();

    [Fact]
    public async Task An_empty_database_gets_every_step_once()
    {
        Assert.Equal(0, await PostgresSchema.VersionAsync(_postgres.Source));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _postgres.Store.EnsureSchemaAsync().AsTask()));

        Assert.Equal(PostgresSchema.Version, await PostgresSchema.VersionAsync(_postgres.Source));
        Assert.Equal(Enumerable.Range(1, PostgresSchema.Version).Select(v => v.ToString()), await _postgres.LinesAsync("select version from sx_schema_version order by 1"));
    }

    [Fact]
    public async Task From_every_earlier_version_the_rest_is_applied_and_rows_stay()
    {
        for (var version = 1; version < PostgresSchema.Version; version++)
        {
            await _postgres.ExecuteAsync("drop schema public cascade; create schema public");
            await ApplyUpToAsync(version);
            await _postgres.ExecuteAsync("insert into mt_streams (tenant_id, id, version) values ('acme', 'kept', 7)");
            await _postgres.ExecuteAsync(PostgresSchema.Script(fromVersion: version));

            Assert.Equal(PostgresSchema.Version, await PostgresSchema.VersionAsync(_postgres.Source));
            Assert.Equal(7, (await _postgres.Store.GetStreamStateAsync("acme", "kept"))?.Version);
            await _postgres.Store.EnsureSchemaAsync();
        }
    }

    [Fact]
    public async Task Tables_from_before_there_were_versions_are_brought_up()
    {
        await ApplyUpToAsync(2);
        await _postgres.ExecuteAsync("drop table sx_schema_version");
        await _postgres.Store.EnsureSchemaAsync();

        Assert.Equal(PostgresSchema.Version, await PostgresSchema.VersionAsync(_postgres.Source));
    }

    [Fact]
    public async Task A_newer_schema_is_refused_and_left_alone()
    {
        await _postgres.Store.EnsureSchemaAsync();
        await _postgres.ExecuteAsync("insert into sx_schema_version (version, name) values (1000, 'from the future')");
        var refused = await Assert.ThrowsAsync<SchemaVersionException>(async () => await _postgres.Store.EnsureSchemaAsync());

        Assert.Equal((1000, PostgresSchema.Version), (refused.Found, refused.Needed));
        Assert.Contains("newer program", refused.Message);
    }

    [Fact]
    public async Task A_step_that_fails_leaves_nothing_behind()
    {
        await _postgres.ExecuteAsync("create view sx_stream_truncation as select 1 as x; create table sx_rebuild (name varchar)");
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await _postgres.ExecuteAsync("create table sx_archived_stream (x int); create view mt_streams as select 1 as x");
            await _postgres.Store.EnsureSchemaAsync();
        });
        Assert.Equal(0, await PostgresSchema.VersionAsync(_postgres.Source));
        Assert.Empty(await _postgres.LinesAsync("select 1 from pg_class where relname = 'mt_events'"));
    }

    [Theory]
    [InlineData(MartenShape.Marten8, StreamIdentity.String, "Shape")]
    [InlineData(MartenShape.Marten9, StreamIdentity.Guid, "StreamIdentity")]
    public async Task Tables_of_another_shape_are_told(MartenShape shape, StreamIdentity identity, string option)
    {
        await _postgres.Store.EnsureSchemaAsync();
        await using var other = _postgres.NewStore(new PostgresEventStoreOptions { Shape = shape, StreamIdentity = identity });
        Assert.Contains(option, (await Assert.ThrowsAsync<SchemaMismatchException>(async () => await other.EnsureSchemaAsync())).Message);
    }

    [Fact]
    public async Task Tables_of_a_Marten_host_without_metadata_columns_are_told()
    {
        await _postgres.ExecuteAsync(MartenTables.Script(EventTables.Default) + "alter table mt_events drop column headers, drop column user_name");
        var told = await Assert.ThrowsAsync<SchemaMismatchException>(async () => await _postgres.Store.EnsureSchemaAsync());
        Assert.Contains("no headers and no user_name", told.Message);
        Assert.Contains("Metadata to CorrelationId, CausationId", told.Message);
    }

    [Fact]
    public async Task Tables_of_a_Marten_host_with_columns_of_its_own_are_taken()
    {
        await _postgres.ExecuteAsync(MartenTables.Script(EventTables.Default) + """
            alter table mt_events add column is_skipped boolean default false;
            alter table mt_event_progression add column heartbeat timestamp with time zone;
            create function mt_archive_stream(streamid varchar, tenantid varchar) returns void language sql as 'select null::void';
            """);
        await _postgres.Store.EnsureSchemaAsync();
        await _postgres.Store.AppendToStreamAsync("acme", "a", ExpectedVersion.NoStream, [Facts.Raised(1)]);

        Assert.Equal(["1 | False"], await _postgres.LinesAsync("select version, is_skipped from mt_events"));
        Assert.Equal(["mt_archive_stream"], await _postgres.LinesAsync("select proname from pg_proc where pronamespace = 'public'::regnamespace"));
    }

    private async Task ApplyUpToAsync(int version)
    {
        await _postgres.ExecuteAsync("create table sx_schema_version (version integer primary key, name varchar not null, applied_at timestamptz not null default now())");
        foreach (var patch in SchemaPatch.All(EventTables.Default).Where(p => p.Version <= version))
            await _postgres.ExecuteAsync($"{patch.Sql} insert into sx_schema_version (version, name) values ({patch.Version}, 'step')");
    }
}
