using Npgsql;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.Testing.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Privacy;

/// <summary>A fresh database for one test class, with master keys beside it.</summary>
public sealed class PrivacyDatabase : IAsyncLifetime
{
    public string ConnectionString { get; private set; } = "";
    public NpgsqlDataSource Source { get; private set; } = null!;
    public string Line { get; } = MasterKeys.NewKey("first");
    public MasterKeys Master => MasterKeys.Parse(Line);

    public async Task InitializeAsync()
    {
        ConnectionString = await StoreDatabase.GetAsync();
        Source = NpgsqlDataSource.Create(ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await Source.DisposeAsync();
        await PostgresInstance.DropAsync(ConnectionString);
    }

    public async Task<List<string>> LinesAsync(string sql, params object[] values)
    {
        await using var command = Source.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await using var rows = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await rows.ReadAsync())
            lines.Add(string.Join(" | ", Enumerable.Range(0, rows.FieldCount).Select(i => rows.IsDBNull(i) ? "-" : rows.GetValue(i).ToString())));
        return lines;
    }
}

public sealed class PostgresProtectionTests(PrivacyDatabase database) : ProtectionContract, IClassFixture<PrivacyDatabase>, IAsyncLifetime
{
    private readonly List<PostgresEventStore> _stores = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var store in _stores) await store.DisposeAsync();
    }

    [Fact]
    public async Task Whose_an_event_is_may_stand_in_the_name_of_its_stream_as_it_was_given()
    {
        var vault = new PostgresSubjectVault(database.Source, database.Master, "privacy");
        var store = new PostgresEventStore(database.Source, People.Serializer, TimeProvider.System, new() { Protection = new PersonalDataProtection(Owners, vault, Clock) });
        _stores.Add(store);
        await store.EnsureSchemaAsync();
        await AppendInEveryWayAsync(store, vault, Tenant);
    }

    protected override async ValueTask<(IEventStore Store, PersonalDataProtection Protection)> ProcessAsync()
    {
        var protection = new PersonalDataProtection(People.Map, new PostgresSubjectVault(database.Source, database.Master, "privacy"), Clock);
        var store = new PostgresEventStore(database.Source, People.Serializer, TimeProvider.System, new() { Protection = protection });
        _stores.Add(store);
        await store.EnsureSchemaAsync();
        return (store, protection);
    }

    protected override async ValueTask<IReadOnlyList<(string Stream, Guid Id, string Json)>> StoredAsync()
    {
        await using var command = database.Source.CreateCommand("select stream_id, id, data::text from mt_events where tenant_id = $1 order by seq_id");
        command.Parameters.Add(new() { Value = Tenant });
        await using var rows = await command.ExecuteReaderAsync();
        var stored = new List<(string, Guid, string)>();
        while (await rows.ReadAsync()) stored.Add((rows.GetString(0), rows.GetGuid(1), rows.GetString(2)));
        return stored;
    }

    protected override async ValueTask<IEventStore> WithMovedPayloadAsync(IEventStore store, PersonalDataProtection protection, Guid fromEvent, Guid toEvent)
    {
        await database.LinesAsync("update mt_events set data = (select data from mt_events where id = $1) where id = $2", fromEvent, toEvent);
        return store;
    }
}
