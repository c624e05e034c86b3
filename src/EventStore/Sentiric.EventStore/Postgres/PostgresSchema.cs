using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// The tables. <c>mt_*</c> are Marten's, in the form that the options say;
/// not one column or index more, since a Marten host drops what it does not know. What Marten has no place for lives in <c>sx_*</c>.
/// Which steps a database has is written in <c>sx_schema_version</c>: missing ones are applied in order, forward only, under a lock.
/// <code>
///   tables of this version     nothing to do, no right but reading needed
///   older, or none             the missing steps, all or none; needs the right to create tables
///   newer                      SchemaVersionException: this program is too old
/// </code>
/// </summary>
public static partial class PostgresSchema
{
    // Any number will do, as long as every process of ours takes the same.
    private const long SchemaLock = 7_316_604_021;

    private const int DriversReadBuffer = 8 * 1024, ReadBuffer = 64 * 1024;

    private const string VersionTable = """
        create table if not exists sx_schema_version (
            version    integer                  not null,
            name       varchar                  not null,
            applied_at timestamp with time zone not null default (transaction_timestamp()),
            constraint pkey_sx_schema_version primary key (version)
        );

        """;

    /// <summary>The version that this program works with.</summary>
    public static int Version { get; } = SchemaPatch.All(EventTables.Default).Count;

    /// <summary>
    /// What a database administrator would run by hand to bring a database at <paramref name="fromVersion"/> (0: an empty one) to <see cref="Version"/>.
    /// One transaction; running it again changes nothing.
    /// </summary>
    public static string Script(PostgresEventStoreOptions? options = null, int fromVersion = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromVersion);
        var script = new StringBuilder("begin;\n");
        if (options?.Schema is { } schema) script.Append(Create(schema)).Append("set local search_path to \"").Append(schema).Append("\";\n");
        script.Append(CultureInfo.InvariantCulture, $"select pg_advisory_xact_lock({SchemaLock});\n").Append(Steps(options, fromVersion));
        return script.Append("commit;\n").ToString();
    }

    /// <summary>
    /// Applies what is missing, the schema included; several processes may start at once. Throws <see cref="SchemaVersionException"/>,
    /// <see cref="SchemaMismatchException"/> when the tables are of another shape, and <see cref="WrongSchemaException"/>.
    /// </summary>
    public static async ValueTask EnsureAsync(NpgsqlDataSource source, PostgresEventStoreOptions? options = null, CancellationToken ct = default)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        if (options?.Schema is { } schema) await EnsureInSchemaAsync(connection, Checked(schema), ct).ConfigureAwait(false);
        var version = await VersionAsync(connection, ct).ConfigureAwait(false);
        if (version > Version) throw SchemaVersionException.TooNew(version, Version);
        // Tables of somebody else are looked at before anything is put beside them.
        if (version < Version && await AreThereAsync(connection, ct).ConfigureAwait(false)) await SchemaCheck.EnsureShapeAsync(connection, EventTables.Of(options), ct).ConfigureAwait(false);
        if (version < Version) await ApplyAsync(connection, options, version, ct).ConfigureAwait(false);
        await SchemaCheck.EnsureShapeAsync(connection, EventTables.Of(options), ct).ConfigureAwait(false);
    }

    private static async ValueTask<bool> AreThereAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var exists = new NpgsqlCommand("select to_regclass(format('%I.mt_streams', current_schema())) is not null", connection);
        return await exists.ExecuteScalarAsync(ct).ConfigureAwait(false) is true;
    }

    /// <summary>The version of a database; 0 when the store was never there.</summary>
    public static async ValueTask<int> VersionAsync(NpgsqlDataSource source, CancellationToken ct = default)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        return await VersionAsync(connection, ct).ConfigureAwait(false);
    }

    /// <summary>
    /// The connection string whose connections find the tables of <see cref="PostgresEventStoreOptions.Schema"/>, and read 64 KB at a time where it says nothing else:
    /// with the driver's 8 KB whoever reads the log is woken every 25 events. They join no <c>TransactionScope</c>: the store's transactions are its own.
    /// </summary>
    public static string ConnectionString(string connectionString, PostgresEventStoreOptions options)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { Enlist = false };
        if (options.Schema is { } schema) builder.SearchPath = Checked(schema);
        if (builder.ReadBufferSize == DriversReadBuffer) builder.ReadBufferSize = ReadBuffer;
        return builder.ConnectionString;
    }

    private static async ValueTask ApplyAsync(NpgsqlConnection connection, PostgresEventStoreOptions? options, int seen, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        try
        {
            await using var takeLock = new NpgsqlCommand("select pg_advisory_xact_lock($1)", connection) { Parameters = { new() { Value = SchemaLock } } };
            await takeLock.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
            // Whoever held the lock may have done it.
            var version = await VersionAsync(connection, ct).ConfigureAwait(false);
            if (version < Version) await RunAsync(connection, "set local client_min_messages = warning;" + Steps(options, version), ct).ConfigureAwait(false);
            await transaction.CommitAsync(ct).ConfigureAwait(false);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw SchemaVersionException.NoRight(seen, Version, refused);
        }
    }

    private static string Steps(PostgresEventStoreOptions? options, int fromVersion)
    {
        var steps = new StringBuilder(VersionTable);
        foreach (var patch in SchemaPatch.All(EventTables.Of(options)).Where(p => p.Version > fromVersion))
        {
            steps.Append(CultureInfo.InvariantCulture, $"-- {patch.Version}: {patch.Name}\n").Append(patch.Sql);
            steps.Append(CultureInfo.InvariantCulture, $"insert into sx_schema_version (version, name) values ({patch.Version}, '{patch.Name.Replace("'", "''", StringComparison.Ordinal)}') on conflict do nothing;\n\n");
        }
        return steps.ToString();
    }

    private static async ValueTask<int> VersionAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var exists = new NpgsqlCommand("select to_regclass(format('%I.sx_schema_version', current_schema())) is not null", connection);
        if (await exists.ExecuteScalarAsync(ct).ConfigureAwait(false) is not true) return 0;
        await using var version = new NpgsqlCommand("select coalesce(max(version), 0) from sx_schema_version", connection);
        return await version.ExecuteScalarAsync(ct).ConfigureAwait(false) as int? ?? 0;
    }

    /// <summary>Statements name no schema, so the connection has to stand in the right one: tables of the same name may be in another.</summary>
    private static async ValueTask EnsureInSchemaAsync(NpgsqlConnection connection, string schema, CancellationToken ct)
    {
        var actual = await CurrentSchemaAsync(connection, ct).ConfigureAwait(false);
        if (actual == schema) return;
        // A schema that does not exist is not the current one either: that it is named in the search path shows after it was made.
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        try
        {
            await RunAsync(connection, "set local client_min_messages = warning;" + Create(schema), ct).ConfigureAwait(false);
        }
        catch (PostgresException raced) when (raced.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DuplicateSchema)
        {
            // Another process made it at the same moment.
            await transaction.RollbackAsync(ct).ConfigureAwait(false);
            actual = await CurrentSchemaAsync(connection, ct).ConfigureAwait(false);
            if (actual != schema) throw new WrongSchemaException(schema, actual);
            return;
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw SchemaVersionException.NoRight(0, Version, refused);
        }
        actual = await CurrentSchemaAsync(connection, ct).ConfigureAwait(false);
        if (actual != schema) throw new WrongSchemaException(schema, actual);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
    }

    private static async ValueTask<string?> CurrentSchemaAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var current = new NpgsqlCommand("select current_schema()", connection);
        return await current.ExecuteScalarAsync(ct).ConfigureAwait(false) as string;
    }

    private static async ValueTask RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static string Create(string schema) => $"create schema if not exists \"{Checked(schema)}\";\n";

    internal static string Checked(string schema) => SchemaName().IsMatch(schema)
        ? schema
        : throw new ArgumentException($"'{schema}' is no schema name: lower-case letters, digits and underscores, at most 63, not starting with a digit.");

    [GeneratedRegex("^[a-z_][a-z0-9_]{0,62}$")]
    private static partial Regex SchemaName();
}

/// <summary>The database is of another version than this program, and it cannot or must not be changed.</summary>
public sealed class SchemaVersionException : EventStoreException
{
    private SchemaVersionException(int found, int needed, string message, Exception? inner = null) : base(message, inner) => (Found, Needed) = (found, needed);

    public int Found { get; }
    public int Needed { get; }

    internal static SchemaVersionException TooNew(int found, int needed) => new(found, needed,
        string.Create(CultureInfo.InvariantCulture, $"The tables have version {found}, this program knows {needed}. A newer program was here: start that one. Tables are never turned back."));

    internal static SchemaVersionException NoRight(int found, int needed, Exception refused) => new(found, needed,
        string.Create(CultureInfo.InvariantCulture, $"The tables have version {found}, this program needs {needed}, and its role may not change them: {refused.Message}. ")
        + "Let the owner of the tables run PostgresSchema.Script, or start once with a connection that may create tables.", refused);
}

/// <summary>The tables are there, but of another shape than the options say.</summary>
public sealed class SchemaMismatchException(string what) : EventStoreException(what);
