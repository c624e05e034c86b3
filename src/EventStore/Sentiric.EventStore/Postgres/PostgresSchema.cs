using System.Text.RegularExpressions;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// The tables. <c>mt_*</c> are Marten's, conjoined tenancy, with correlation, causation, headers and user name;
/// not one column or index more, since a Marten host drops what it does not know. What Marten has no place for lives in <c>sx_*</c>.
/// </summary>
public static partial class PostgresSchema
{
    // Any number will do, as long as every process of ours takes the same.
    private const long SchemaLock = 7_316_604_021;

    /// <summary>What a database administrator would run by hand; running it again changes nothing.</summary>
    public static string Script(PostgresEventStoreOptions? options = null) =>
        (options?.Schema is { } schema ? $"{Create(schema)}set search_path to \"{schema}\";\n\n" : "") + Tables(options);

    /// <summary>Creates what is missing, the schema too; several processes may start at once.</summary>
    public static async ValueTask EnsureAsync(NpgsqlDataSource source, PostgresEventStoreOptions? options = null, CancellationToken ct = default)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        await using var takeLock = new NpgsqlCommand("select pg_advisory_xact_lock($1)", connection) { Parameters = { new() { Value = SchemaLock } } };
        await takeLock.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        if (options?.Schema is { } schema) await EnterAsync(connection, schema, ct).ConfigureAwait(false);
        await RunAsync(connection, "set local client_min_messages = warning;" + Tables(options), ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
    }

    /// <summary>The connection string whose connections find the tables of <see cref="PostgresEventStoreOptions.Schema"/>; unchanged without one.</summary>
    public static string ConnectionString(string connectionString, PostgresEventStoreOptions options) =>
        options.Schema is { } schema ? new NpgsqlConnectionStringBuilder(connectionString) { SearchPath = Checked(schema) }.ConnectionString : connectionString;

    private static string Tables(PostgresEventStoreOptions? options) => MartenTables.Script(EventTables.Of(options)) + SideTables + RebuildTables.Sql;

    private static string Create(string schema) => $"create schema if not exists \"{Checked(schema)}\";\n";

    /// <summary>Statements name no schema, so the connection has to stand in the right one: tables of the same name may be in another.</summary>
    private static async ValueTask EnterAsync(NpgsqlConnection connection, string schema, CancellationToken ct)
    {
        await RunAsync(connection, "set local client_min_messages = warning;" + Create(schema), ct).ConfigureAwait(false);
        await using var current = new NpgsqlCommand("select current_schema()", connection);
        var actual = await current.ExecuteScalarAsync(ct).ConfigureAwait(false) as string;
        if (actual != schema) throw new WrongSchemaException(schema, actual);
    }

    private static async ValueTask RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static string Checked(string schema) => SchemaName().IsMatch(schema)
        ? schema
        : throw new ArgumentException($"'{schema}' is no schema name: lower-case letters, digits and underscores, at most 63, not starting with a digit.");

    [GeneratedRegex("^[a-z_][a-z0-9_]{0,62}$")]
    private static partial Regex SchemaName();

    private const string SideTables = """
        create table if not exists sx_append_key (
            tenant_id varchar not null,
            event_id  uuid    not null,
            stream_id varchar not null,
            seq_id    bigint  not null,
            version   bigint  not null,
            constraint pkey_sx_append_key primary key (tenant_id, event_id)
        );
        create table if not exists sx_projection_version (
            name        varchar not null,
            version     integer not null,
            switched_at timestamp with time zone not null default (transaction_timestamp()),
            constraint pkey_sx_projection_version primary key (name)
        );
        create table if not exists sx_shard_state (
            shard                varchar not null,
            paused_at            timestamp with time zone,
            pause_reason         varchar,
            paused_by            varchar,
            owner                varchar,
            state                varchar,
            positions_per_second double precision not null default 0,
            last_error           varchar,
            reported_at          timestamp with time zone,
            constraint pkey_sx_shard_state primary key (shard)
        );
        create table if not exists sx_shard_order (
            shard    varchar not null,
            seq_id   bigint  not null,
            kind     varchar not null,
            reason   varchar,
            asked_by varchar,
            asked_at timestamp with time zone not null default (transaction_timestamp()),
            done_at  timestamp with time zone,
            outcome  varchar,
            error    varchar,
            constraint pkey_sx_shard_order primary key (shard, seq_id, kind)
        );

        """;
}
