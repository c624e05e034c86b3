using Npgsql;
using Sentiric.EventStore.Tests.Chaos.Model;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.Testing;
using Sentiric.Testing.Postgres;

namespace Sentiric.EventStore.Tests.Chaos;

/// <summary>A database of its own, a store that reaches it over a wire that can be cut, and a second store that reaches it directly.</summary>
internal sealed class PostgresStage : IStage
{
    /// <summary>A server process notices within this many questions that its client is gone.</summary>
    private const int MaxQuestions = 20_000;

    private readonly string _connectionString;
    private readonly NpgsqlDataSource _direct, _wired;

    private PostgresStage(string connectionString, bool isWired, PostgresEventStoreOptions? options)
    {
        _connectionString = connectionString;
        var address = new NpgsqlConnectionStringBuilder(connectionString);
        Wire = new CutWire(address.Host == "localhost" ? "127.0.0.1" : address.Host ?? "127.0.0.1", address.Port);
        var wired = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = Wire.Port, SslMode = SslMode.Disable, MaxPoolSize = 12 };
        (_direct, _wired) = (NpgsqlDataSource.Create(connectionString), NpgsqlDataSource.Create(wired.ConnectionString));
        Store = new PostgresEventStore(isWired ? _wired : _direct, Facts.Serializer, Clock, options);
        Look = new PostgresEventStore(_direct, Facts.Serializer, Clock, options);
    }

    public CutWire Wire { get; }

    public ManualTime Clock { get; } = new();

    public PostgresEventStore Store { get; }

    public PostgresEventStore Look { get; }

    public NpgsqlDataSource Direct => _direct;

    /// <summary>Connections over the wire.</summary>
    public NpgsqlDataSource Wired => _wired;

    IEventStore IStage.Store => Store;

    IEventStore IStage.Look => Look;

    public static async Task<IStage> OpenDirectAsync() => await CreateAsync(isWired: false);

    public static async Task<IStage> OpenWiredAsync() => await CreateAsync();

    /// <summary>On tables of another shape.</summary>
    public static Func<Task<IStage>> OfShape(MartenShape shape, StreamIdentity identity) =>
        async () => await CreateAsync(isWired: false, new PostgresEventStoreOptions { Shape = shape, StreamIdentity = identity });

    public static async Task<PostgresStage> CreateAsync(bool isWired = true, PostgresEventStoreOptions? options = null) =>
        new(await StoreDatabase.GetAsync(options, maxPoolSize: 12), isWired, options);

    public Task BeginAsync() => QuietAsync();

    public void Arm(Cut cut) => Wire.Arm(cut.IsAnswer, cut.Messages, cut.BreaksAll);

    public async Task QuietAsync()
    {
        Wire.Disarm();
        for (var question = 0; Wire.LostBackends is { Count: > 0 } lost; question++)
        {
            if (question == MaxQuestions) throw new TimeoutException($"Server processes {string.Join(", ", lost)} work on though their client is gone.");
            Wire.Forget(lost.Except(await AliveAsync(lost)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await Look.DisposeAsync();
        await _wired.DisposeAsync();
        await _direct.DisposeAsync();
        await Wire.DisposeAsync();
        await PostgresInstance.DropAsync(_connectionString);
    }

    private async Task<List<int>> AliveAsync(IReadOnlyCollection<int> backends)
    {
        await using var command = _direct.CreateCommand("select pid from pg_stat_activity where pid = any($1) and datname = current_database()");
        command.Parameters.Add(new() { Value = backends.ToArray() });
        await using var rows = await command.ExecuteReaderAsync();
        var alive = new List<int>();
        while (await rows.ReadAsync()) alive.Add(rows.GetInt32(0));
        return alive;
    }
}
