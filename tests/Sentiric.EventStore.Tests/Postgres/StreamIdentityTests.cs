using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>Streams by guid: uuid in the tables, canonical text in the API.</summary>
public sealed class StreamIdentityTests(GuidFixture postgres) : IClassFixture<GuidFixture>
{
    [Fact]
    public async Task The_text_of_the_id_comes_back_as_it_was_given()
    {
        var id = Guid.CreateVersion7().ToString("D");
        var appended = await postgres.Store.AppendToStreamAsync("acme", id, ExpectedVersion.NoStream, [Facts.Raised(1)]);

        Assert.Equal(id, appended.StreamId);
        Assert.Equal(id, (await postgres.Store.ReadStreamAsync("acme", id).SingleAsync()).StreamId);
        Assert.Equal(id, (await postgres.Store.ReadAllAsync(appended.LastPosition - 1, 1).SingleAsync()).StreamId);
        Assert.Equal([id], await postgres.LinesAsync($"select id::text from mt_streams where id = '{id}'::uuid"));
    }

    [Theory]
    [InlineData("call-1")]
    [InlineData("0192F0A1-7C1E-7000-8000-000000000000")]
    [InlineData("{0192f0a1-7c1e-7000-8000-000000000000}")]
    [InlineData("0192f0a17c1e70008000000000000000")]
    public async Task Any_other_text_is_refused_by_name(string id)
    {
        var store = postgres.Store;
        Assert.Equal(id, (await Assert.ThrowsAsync<InvalidStreamIdException>(async () => await store.AppendToStreamAsync("acme", id, ExpectedVersion.Any, [Facts.Raised(1)]))).StreamId);
        await Assert.ThrowsAsync<InvalidStreamIdException>(async () => await store.AppendToStreamsAsync("acme", [new StreamAppend(null, id, ExpectedVersion.Any, [Facts.Raised(1)])]));
        await Assert.ThrowsAsync<InvalidStreamIdException>(async () => await store.ReadStreamAsync("acme", id).ToListAsync());
        await Assert.ThrowsAsync<InvalidStreamIdException>(async () => await store.GetStreamStateAsync("acme", id));
        await Assert.ThrowsAsync<InvalidStreamIdException>(async () => await store.ArchiveStreamAsync("acme", id));
    }

    [Fact]
    public async Task A_schema_that_the_connections_do_not_stand_in_is_told()
    {
        await using var elsewhere = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var store = new PostgresEventStore(elsewhere, Facts.Serializer, TimeProvider.System, new PostgresEventStoreOptions { Schema = "calls" });
        var wrong = await Assert.ThrowsAsync<WrongSchemaException>(async () => await store.EnsureSchemaAsync());

        Assert.Equal(("calls", "public"), (wrong.Expected, wrong.Actual));
        Assert.Empty(await postgres.LinesAsync("select 1 from pg_namespace where nspname = 'calls'"));
    }

    [Theory]
    [InlineData("Calls")]
    [InlineData("1st")]
    [InlineData("a\"; drop schema public; --")]
    [InlineData("")]
    public void A_name_that_is_no_schema_name_is_refused(string schema) => Assert.Throws<ArgumentException>(
        () => PostgresSchema.Script(new PostgresEventStoreOptions { Schema = schema }));
}
