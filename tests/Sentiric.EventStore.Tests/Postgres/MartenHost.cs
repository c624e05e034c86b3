using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>
/// Writes rows in the order and with the columns in which a Marten host sends its statements (conjoined tenancy), through plain Npgsql.
/// <code>
///   rich    numbers drawn in a transaction of their own, then BEGIN, stream row, one insert per event, COMMIT; tombstones when it fails
///   quick   stream row, then number and event one by one, all in one transaction
/// </code>
/// </summary>
internal sealed class MartenHost(PostgresFixture postgres)
{
    private readonly EventTables _tables = EventTables.Of(postgres.Options);

    public sealed record Event(string Type, string Data, string? DotnetType = "Foreign.Host.Thing, Foreign.Host", string? Headers = null, byte[]? Binary = null);

    /// <summary>A new stream, rich.</summary>
    public async Task<long[]> StartAsync(string tenant, string stream, string? aggregate, params Event[] events)
    {
        var numbers = await DrawAsync(events.Length);
        await using var connection = await postgres.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await RunAsync(connection, "insert into mt_streams (id, type, version, tenant_id) values ($1, $2, $3, $4)", Id(stream), aggregate, (long)events.Length, tenant);
        for (var i = 0; i < events.Length; i++) await InsertAsync(connection, tenant, stream, i + 1, numbers[i], events[i]);
        await transaction.CommitAsync();
        return numbers;
    }

    /// <summary>More of a stream, rich, with numbers that were drawn before; false when somebody else was faster.</summary>
    public async Task<bool> AppendAsync(string tenant, string stream, long version, long[] numbers, params Event[] events)
    {
        await using var connection = await postgres.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        if (await RunAsync(connection, "update mt_streams set version = $1 where id = $2 and version = $3 and tenant_id = $4", version + events.Length, Id(stream), version, tenant) == 0) return false;
        for (var i = 0; i < events.Length; i++) await InsertAsync(connection, tenant, stream, version + i + 1, numbers[i], events[i]);
        await transaction.CommitAsync();
        return true;
    }

    /// <summary>The version check is a plain select, as in the quick function: the loser of a race dies at the unique index, its numbers with it.</summary>
    public async Task<long[]?> AppendQuicklyAsync(string tenant, string stream, int milliseconds, params Event[] events)
    {
        await using var connection = await postgres.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var read = new NpgsqlCommand("select version from mt_streams where tenant_id = $1 and id = $2", connection) { Parameters = { new() { Value = tenant }, new() { Value = Id(stream) } } };
        var version = await read.ExecuteScalarAsync() as long? ?? 0;
        var numbers = new long[events.Length];
        try
        {
            if (version == 0) await RunAsync(connection, "insert into mt_streams (id, type, version, timestamp, tenant_id) values ($1, null, $2, now(), $3)", Id(stream), (long)events.Length, tenant);
            else await RunAsync(connection, "update mt_streams set version = $1, timestamp = now() where id = $2 and tenant_id = $3", version + events.Length, Id(stream), tenant);
            for (var i = 0; i < events.Length; i++)
            {
                await using var next = new NpgsqlCommand("select nextval('mt_events_sequence')", connection);
                numbers[i] = (long)(await next.ExecuteScalarAsync())!;
                if (milliseconds > 0) await RunAsync(connection, $"select pg_sleep({milliseconds} / 1000.0)");
                await InsertAsync(connection, tenant, stream, version + i + 1, numbers[i], events[i]);
            }
            await transaction.CommitAsync();
            return numbers;
        }
        catch (PostgresException lost) when (lost.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected)
        {
            return null;
        }
    }

    public async Task<long[]> DrawAsync(int count)
    {
        await using var command = postgres.Source.CreateCommand("select nextval('mt_events_sequence') from generate_series(1, $1)");
        command.Parameters.Add(new() { Value = count });
        await using var rows = await command.ExecuteReaderAsync();
        var numbers = new List<long>();
        while (await rows.ReadAsync()) numbers.Add(rows.GetInt64(0));
        return [.. numbers];
    }

    /// <summary>What a failed rich append leaves in the place of its events.</summary>
    public async Task BuryAsync(params long[] numbers)
    {
        await using var connection = await postgres.Source.OpenConnectionAsync();
        await RunAsync(connection, "insert into mt_streams (id, type, version, tenant_id) values ($1, null, 0, '*DEFAULT*') on conflict do nothing", Tombstones);
        foreach (var number in numbers)
        {
            await RunAsync(
                connection,
                "insert into mt_events (data, type, mt_dotnet_type, seq_id, id, stream_id, version, timestamp, tenant_id) values ('{}', 'tombstone', 'Tombstone', $1, gen_random_uuid(), $2, $1, '-infinity', '*DEFAULT*')",
                number, Tombstones);
        }
    }

    /// <summary>Both flags, in one transaction. With partitions rows are copied to the archived side first, then the originals go.</summary>
    public async Task ArchiveAsync(string tenant, string stream)
    {
        await using var connection = await postgres.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        foreach (var sql in _tables.IsPartitioned ? Copies() : Flags) await RunAsync(connection, sql, Id(stream), tenant);
        await transaction.CommitAsync();
    }

    private static readonly string[] Flags =
    [
        "update mt_streams set is_archived = TRUE where id = $1 and tenant_id = $2",
        "update mt_events set is_archived = TRUE where stream_id = $1 and tenant_id = $2",
    ];

    private string[] Copies()
    {
        var events = _tables.InsertColumns.Replace(", is_archived", "", StringComparison.Ordinal);
        const string streams = "tenant_id, id, type, version, timestamp, created";
        return
        [
            $"insert into mt_streams ({streams}, is_archived) select {streams}, TRUE from mt_streams where id = $1 and tenant_id = $2",
            $"insert into mt_events ({events}, is_archived) select {events}, TRUE from mt_events where stream_id = $1 and tenant_id = $2",
            "delete from mt_events where stream_id = $1 and is_archived = FALSE and tenant_id = $2",
            "delete from mt_streams where id = $1 and is_archived = FALSE and tenant_id = $2",
        ];
    }

    public object Tombstones => _tables.Identity == StreamIdentity.Guid ? Guid.Parse("0192f0a1-7c1e-7000-8000-00000000dead") : "mt_tombstone";

    private object Id(string stream) => _tables.StreamId(stream);

    private async Task InsertAsync(NpgsqlConnection connection, string tenant, string stream, long version, long number, Event what)
    {
        await using var command = new NpgsqlCommand(
            $"insert into mt_events (data, type, mt_dotnet_type, {(_tables.HasBinaryData ? "bdata, " : "")}id, stream_id, version, timestamp, tenant_id, headers, seq_id) "
            + $"values ($1, $2, $3, {(_tables.HasBinaryData ? "$4, " : "")}gen_random_uuid(), $5, $6, now(), $7, $8, $9{(_tables.HasBinaryData ? "" : " + 0 * coalesce(length($4::text), 0)")})", connection);
        foreach (var (type, value) in new (NpgsqlDbType, object?)[]
                 {
                     (NpgsqlDbType.Jsonb, what.Data), (NpgsqlDbType.Varchar, what.Type), (NpgsqlDbType.Varchar, what.DotnetType), (NpgsqlDbType.Bytea, what.Binary),
                     (_tables.StreamIdDbType, Id(stream)), (NpgsqlDbType.Bigint, version), (NpgsqlDbType.Varchar, tenant), (NpgsqlDbType.Jsonb, what.Headers), (NpgsqlDbType.Bigint, number),
                 })
        {
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value ?? DBNull.Value });
        }
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<int> RunAsync(NpgsqlConnection connection, string sql, params object?[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(value is null ? new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Varchar, Value = DBNull.Value } : new NpgsqlParameter { Value = value });
        return await command.ExecuteNonQueryAsync();
    }
}
