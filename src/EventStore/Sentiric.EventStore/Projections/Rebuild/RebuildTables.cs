using Npgsql;

namespace Sentiric.EventStore;

/// <summary>What the database remembers of rebuilds: the state of the latest one per projection, the share of each worker, and the tables kept from before the switch.</summary>
internal static class RebuildTables
{
    public const string Sql = """
        create table if not exists sx_rebuild (
            name       varchar                  not null,
            version    integer                  not null,
            state      varchar                  not null,
            phase      varchar                  not null,
            position   bigint                   not null default 0,
            target     bigint                   not null default 0,
            is_cancelled boolean                not null default false,
            definitions text[]                  not null default '{}',
            error      varchar,
            started_at timestamp with time zone not null default (transaction_timestamp()),
            updated_at timestamp with time zone not null default (transaction_timestamp()),
            constraint pkey_sx_rebuild primary key (name)
        );
        create table if not exists sx_rebuild_part (
            name      varchar not null,
            part      integer not null,
            position  bigint  not null default 0,
            tenant_id varchar,
            stream_id varchar,
            to_tenant varchar,
            to_stream varchar,
            is_done   boolean not null default false,
            constraint pkey_sx_rebuild_part primary key (name, part)
        );
        create table if not exists sx_projection_previous (
            name        varchar                  not null,
            version     integer                  not null,
            position    bigint                   not null,
            switched_at timestamp with time zone not null default (transaction_timestamp()),
            constraint pkey_sx_projection_previous primary key (name)
        );

        """;
}

/// <summary>A row of <c>sx_rebuild</c>. <see cref="Definitions"/> are the statements that build the keys and indexes which filling does without.</summary>
internal sealed record RebuildRow(
    string Name, int Version, RebuildState State, RebuildPhase Phase, long Position, long Target, bool IsCancelled, IReadOnlyList<string> Definitions,
    string? Error, DateTimeOffset StartedAt, DateTimeOffset UpdatedAt);

/// <summary>Reads and writes the one row of a projection's rebuild.</summary>
internal sealed class RebuildRecord(NpgsqlDataSource source, string name)
{
    public async ValueTask<RebuildRow?> LoadAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            "select version, state, phase, position, target, is_cancelled, definitions, error, started_at, updated_at from sx_rebuild where name = $1");
        command.Parameters.Add(new() { Value = name });
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
        return new RebuildRow(
            name, row.GetInt32(0), Enum.Parse<RebuildState>(row.GetString(1)), Enum.Parse<RebuildPhase>(row.GetString(2)), row.GetInt64(3), row.GetInt64(4),
            row.GetBoolean(5), row.GetFieldValue<string[]>(6), row.IsDBNull(7) ? null : row.GetString(7),
            new DateTimeOffset(row.GetDateTime(8), TimeSpan.Zero), new DateTimeOffset(row.GetDateTime(9), TimeSpan.Zero));
    }

    public ValueTask BeginAsync(int version, IReadOnlyList<string> definitions, CancellationToken ct) => RunAsync(
        """
        with gone as (delete from sx_rebuild_part where name = $1)
        insert into sx_rebuild (name, version, state, phase, definitions) values ($1, $2, $3, $4, $5)
        on conflict (name) do update set version = excluded.version, state = excluded.state, phase = excluded.phase, position = 0, target = 0,
            is_cancelled = false, definitions = excluded.definitions, error = null, started_at = excluded.started_at, updated_at = excluded.updated_at
        """, ct, version, nameof(RebuildState.Running), nameof(RebuildPhase.Filling), definitions.ToArray());

    public ValueTask ContinueAsync(CancellationToken ct) => RunAsync(
        "update sx_rebuild set state = $2, is_cancelled = false, error = null, updated_at = transaction_timestamp() where name = $1", ct, nameof(RebuildState.Running));

    public ValueTask EnterAsync(RebuildPhase phase, CancellationToken ct) => RunAsync(
        "update sx_rebuild set phase = $2, updated_at = transaction_timestamp() where name = $1", ct, phase.ToString());

    public ValueTask EndAsync(RebuildState state, string? error, CancellationToken ct) => RunAsync(
        "update sx_rebuild set state = $2, error = nullif($3, ''), updated_at = transaction_timestamp() where name = $1", ct, state.ToString(), error ?? "");

    /// <summary>Writes the target, and a position that is kept for nobody else, down for those who ask elsewhere; throws when somebody asked to end.</summary>
    public async ValueTask AimAsync(long target, long? position, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            "update sx_rebuild set target = $2, position = coalesce($3::bigint, position), updated_at = transaction_timestamp() where name = $1 returning is_cancelled");
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = target });
        command.Parameters.Add(new() { Value = (object?)position ?? DBNull.Value });
        if (await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is not false) throw new RebuildCancelledException(name);
    }

    public async ValueTask<bool> AskToCancelAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("update sx_rebuild set is_cancelled = true where name = $1 and state in ($2, $3)");
        foreach (var value in new[] { name, nameof(RebuildState.Running), nameof(RebuildState.Differs) }) command.Parameters.Add(new() { Value = value });
        return await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false) == 1;
    }

    private async ValueTask RunAsync(string sql, CancellationToken ct, params object[] values)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = name });
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }
}
