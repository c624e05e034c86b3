using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.Testing.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>A fresh database with the schema, for one test class.</summary>
public class PostgresFixture : IAsyncLifetime
{
    /// <summary>The shape of this fixture's tables.</summary>
    public virtual PostgresEventStoreOptions Options { get; private set; } = new();

    public string ConnectionString { get; private set; } = "";
    public NpgsqlDataSource Source { get; private set; } = null!;
    public PostgresEventStore Store { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Open(HasTables ? await StoreDatabase.GetAsync(Options) : await PostgresInstance.GetAsync());
        if (!HasTables) return;
        // The copy has the tables of the store; those of the projections are this fixture's.
        if (Options.InlineProjections.Count > 0) await Store.EnsureSchemaAsync();
        await OnCreatedAsync();
    }

    protected virtual bool HasTables => true;

    protected virtual Task OnCreatedAsync() => Task.CompletedTask;

    /// <summary>A database without tables.</summary>
    public async Task InitializeEmptyAsync(PostgresEventStoreOptions options)
    {
        if (options != Options) Options = options;
        Open(await PostgresInstance.GetAsync());
    }

    private void Open(string connectionString)
    {
        ConnectionString = connectionString;
        Source = NpgsqlDataSource.Create(PostgresSchema.ConnectionString(ConnectionString, Options));
        Store = NewStore();
    }

    public async Task DisposeAsync()
    {
        await Store.DisposeAsync();
        await Source.DisposeAsync();
        await PostgresInstance.DropAsync(ConnectionString);
    }

    /// <summary>Another process's view: an own store over the same database.</summary>
    public PostgresEventStore NewStore(PostgresEventStoreOptions? options = null) => new(Source, Facts.Serializer, TimeProvider.System, options ?? Options);

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<List<string>> LinesAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await using var rows = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await rows.ReadAsync())
            lines.Add(string.Join(" | ", Enumerable.Range(0, rows.FieldCount).Select(i => rows.IsDBNull(i) ? "-" : rows.GetValue(i).ToString())));
        return lines;
    }
}

/// <summary>A database without tables, for tests that make their own.</summary>
public sealed class EmptyFixture : PostgresFixture
{
    protected override bool HasTables => false;
}

/// <summary>New databases with the tables of the store.</summary>
internal static class StoreDatabase
{
    /// <summary>A database of its own; only the first of a shape is made by the statements, the others are copies.</summary>
    public static Task<string> GetAsync(PostgresEventStoreOptions? options = null, int maxPoolSize = 30) => PostgresInstance.GetAsync(
        (options ?? new()).ToString(), connectionString => FillAsync(connectionString, options), maxPoolSize);

    private static async Task FillAsync(string connectionString, PostgresEventStoreOptions? options)
    {
        await using var source = NpgsqlDataSource.Create(options is null ? connectionString : PostgresSchema.ConnectionString(connectionString, options));
        await PostgresSchema.EnsureAsync(source, options);
    }
}

/// <summary>Marten 9, streams by guid.</summary>
public sealed class GuidFixture : PostgresFixture
{
    public override PostgresEventStoreOptions Options => new() { StreamIdentity = StreamIdentity.Guid };
}

/// <summary>Marten 8, text stream ids, in a schema of its own whose name is a reserved word.</summary>
public sealed class Marten8Fixture : PostgresFixture
{
    public override PostgresEventStoreOptions Options => new() { Shape = MartenShape.Marten8, Schema = "order" };
}

/// <summary>Marten 8, streams by guid, in a schema of its own.</summary>
public sealed class Marten8GuidFixture : PostgresFixture
{
    public override PostgresEventStoreOptions Options =>
        new() { Shape = MartenShape.Marten8, StreamIdentity = StreamIdentity.Guid, Schema = "calls" };
}

/// <summary>Marten 9, archived streams in partitions, ids of streams given once.</summary>
public sealed class PartitionedFixture : PostgresFixture
{
    public override PostgresEventStoreOptions Options => new() { ArchivePartitions = true, StrictStreamIdentity = true };
}

/// <summary>Marten 9 as it comes: no tenants.</summary>
public sealed class SingleFixture : PostgresFixture
{
    public override PostgresEventStoreOptions Options => new() { Tenancy = MartenTenancy.Single };
}

/// <summary>Marten 8, no tenants, streams by guid, archived streams in partitions.</summary>
public sealed class Marten8SinglePartitionedFixture : PostgresFixture
{
    public override PostgresEventStoreOptions Options => new()
    {
        Shape = MartenShape.Marten8, Tenancy = MartenTenancy.Single, StreamIdentity = StreamIdentity.Guid, ArchivePartitions = true, StrictStreamIdentity = true,
    };
}

/// <summary>The schema was given what a Marten host does not know, and its migration has run over it.</summary>
public sealed class MigratedFixture : PostgresFixture
{
    protected override async Task OnCreatedAsync()
    {
        await ExecuteAsync("alter table mt_events add column sx_hash bytea; create index sx_idx on mt_events (type)");
        Assert.Equal(2, (await MartenMigration.RunAsync(this)).Count);
    }
}
