using System.Security.Cryptography;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// The vault in PostgreSQL, in the store's database or in one of its own. Data keys lie there wrapped with a master key that the database never sees.
/// Start and every key that is used check the master keys: a wrong one is a <see cref="MasterKeyException"/>, never a blank.
/// </summary>
/// <param name="schema">Schema of the tables, lower case; null: where the search path leads.</param>
public sealed class PostgresSubjectVault(NpgsqlDataSource source, MasterKeys master, string? schema = null) : ISubjectVault
{
    private const long SchemaLock = 7_316_604_025;
    private const int MaxRaces = 8;
    private const int MaxPlainStreams = 1_000_000;
    private const int MaxShredTries = 40;
    private const string NameKeySubject = "*names*";
    private const NpgsqlDbType Texts = NpgsqlDbType.Array | NpgsqlDbType.Text;

    // A destruction that was under way when the last answer was given had committed by then, or comes within this time.
    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(1);

    private readonly string _s = schema is null ? "" : schema + ".";

    /// <summary>Whether a vault is there with data keys in it: a program without master keys must not go on then.</summary>
    public static async ValueTask<bool> HoldsKeysAsync(NpgsqlDataSource source, string? schema = null, CancellationToken ct = default)
    {
        var table = (schema is null ? "" : schema + ".") + "sx_subject_key";
        if (!await IsThereAsync(source, table, ct).ConfigureAwait(false)) return false;
        await using var any = source.CreateCommand($"select exists (select from {table} where destroyed_at is null and subject_id <> '{NameKeySubject}')");
        return await any.ExecuteScalarAsync(ct).ConfigureAwait(false) is true;
    }

    async ValueTask<byte[]> ISubjectVault.StartAsync(CancellationToken ct)
    {
        // A role that may not create anything finds the tables that an administrator has made.
        if (!await IsThereAsync(source, $"{_s}sx_master_key", ct).ConfigureAwait(false)) await CreateAsync(ct).ConfigureAwait(false);
        await CheckMasterKeysAsync(ct).ConfigureAwait(false);
        // The key of the names is an ordinary data key that belongs to nobody and is never destroyed.
        var wish = new SubjectWish("*", NameKeySubject, null, [], AliasChange.None);
        return (await AcquireAsync(null, [wish], ct).ConfigureAwait(false))[0].Key;
    }

    async ValueTask<IReadOnlyList<SubjectKey>> ISubjectVault.AcquireAsync(StreamAddress stream, IReadOnlyList<SubjectWish> wishes, CancellationToken ct) =>
        await AcquireAsync(stream, wishes, ct).ConfigureAwait(false);

    async ValueTask<IReadOnlyList<SubjectKey>> ISubjectVault.FindAsync(IReadOnlyCollection<string> keyIds, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            $"select tenant_id, subject_id, key_id, wrapped_dek, kek_id from {_s}sx_subject_key where key_id = any($1) and destroyed_at is null");
        Add(command.Parameters, Texts, keyIds.ToArray());
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var found = new List<SubjectKey>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
            found.Add(new SubjectKey(new SubjectId(rows.GetString(0), rows.GetString(1)), rows.GetString(2), master.Unwrap(rows.GetString(4), rows.GetString(2), rows.GetFieldValue<byte[]>(3))));
        return found;
    }

    async ValueTask<(IReadOnlyList<string> KeyIds, DateTimeOffset Now)> ISubjectVault.DestroyedSinceAsync(DateTimeOffset? since, CancellationToken ct)
    {
        // One row at least, for the moment; the first question of a process wants nothing else, since it remembers nothing.
        await using var command = source.CreateCommand(
            $"select clock_timestamp(), k.key_id from (select 1) one left join {_s}sx_subject_key k on k.destroyed_at is not null and k.destroyed_at >= $1");
        Add(command.Parameters, NpgsqlDbType.TimestampTz, (since - Overlap)?.UtcDateTime ?? DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc));
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var (keyIds, now) = (new List<string>(), default(DateTimeOffset));
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            now = new DateTimeOffset(rows.GetDateTime(0), TimeSpan.Zero);
            if (!rows.IsDBNull(1)) keyIds.Add(rows.GetString(1));
        }
        return (keyIds, now);
    }

    async ValueTask<IReadOnlyList<StreamAddress>> ISubjectVault.PlainStreamsAsync(IReadOnlyList<string> beginnings, CancellationToken ct)
    {
        var streams = new List<StreamAddress>();
        if (beginnings.Count == 0) return streams;
        await using var command = source.CreateCommand(
            $"select tenant_id, id from mt_streams where id like any($1) and id not like all($2) limit {MaxPlainStreams}");
        Add(command.Parameters, Texts, beginnings.Select(b => b.Replace("_", "\\_", StringComparison.Ordinal) + "%").ToArray());
        Add(command.Parameters, Texts, beginnings.Select(b => b.Replace("_", "\\_", StringComparison.Ordinal) + "~%").ToArray());
        try
        {
            await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) streams.Add(new StreamAddress(rows.GetString(0), rows.GetString(1)));
        }
        catch (PostgresException elsewhere) when (elsewhere.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            // The vault lives in a database of its own; the store there was protected from its first event on.
            return streams;
        }
        return streams;
    }

    async ValueTask<SubjectRecord> ISubjectVault.LookUpAsync(IReadOnlyList<SubjectId> subjects, IReadOnlyList<string> aliases, CancellationToken ct)
    {
        var sql = $"""
            with named as (
                select tenant, subject from unnest($1, $2) as n(tenant, subject)
                union select a.tenant_id, a.subject_id from {_s}sx_subject_alias a where a.alias = any($3) and a.subject_id is not null
                union select ($1)[1], u.alias from unnest($3) as u(alias) where not exists (select from {_s}sx_subject_alias a where a.alias = u.alias) and cardinality($1) > 0),
            person as (
                select tenant, subject from named
                union select a.first_tenant, a.alias from {_s}sx_subject_alias a join named n on n.tenant = a.first_tenant and n.subject = a.first_id)
            select p.tenant, p.subject, k.key_id is not null, s.stream_tenant, s.stream_id
            from person p
            left join {_s}sx_subject_key k on k.tenant_id = p.tenant and k.subject_id = p.subject and k.destroyed_at is null
            left join {_s}sx_subject_stream s on s.tenant_id = p.tenant and s.subject_id = p.subject
            """;
        await using var command = source.CreateCommand(sql);
        Add(command.Parameters, Texts, subjects.Select(s => s.Tenant).ToArray());
        Add(command.Parameters, Texts, subjects.Select(s => s.Id).ToArray());
        Add(command.Parameters, Texts, aliases.ToArray());
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var (all, living, streams) = (new HashSet<SubjectId>(), new HashSet<SubjectId>(), new HashSet<StreamAddress>());
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var subject = new SubjectId(rows.GetString(0), rows.GetString(1));
            all.Add(subject);
            if (rows.GetBoolean(2)) living.Add(subject);
            if (!rows.IsDBNull(3)) streams.Add(new StreamAddress(rows.GetString(3), rows.GetString(4)));
        }
        return new SubjectRecord([.. all], living.Count, [.. streams]);
    }

    async ValueTask<int> ISubjectVault.DestroyAsync(IReadOnlyList<SubjectId> subjects, CancellationToken ct)
    {
        // The aliases first: whoever is in between gets a key that nobody will destroy only under a subject that nobody asked to forget.
        var sql = $"""
            with gone as (select tenant, subject from unnest($1, $2) as g(tenant, subject)),
            freed as (update {_s}sx_subject_alias a set tenant_id = null, subject_id = null from gone g where a.tenant_id = g.tenant and a.subject_id = g.subject)
            update {_s}sx_subject_key k set wrapped_dek = null, kek_id = null, destroyed_at = clock_timestamp()
            from gone g where k.tenant_id = g.tenant and k.subject_id = g.subject and k.destroyed_at is null and k.subject_id <> '{NameKeySubject}'
            """;
        await using var command = source.CreateCommand(sql);
        Add(command.Parameters, Texts, subjects.Select(s => s.Tenant).ToArray());
        Add(command.Parameters, Texts, subjects.Select(s => s.Id).ToArray());
        return await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    /// <summary>
    /// An update leaves the old row, and an ordinary VACUUM the bytes of it, in the page: only a new file holds nothing of it. VACUUM FULL takes
    /// along every row that an open snapshot could still ask for; a column that is computed anew takes along the living ones only. Who read the
    /// table with an older snapshot would find it empty: the vault reads it in statements of their own snapshot.
    /// </summary>
    async ValueTask ISubjectVault.ShredAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var patience = new NpgsqlCommand("set lock_timeout = '250ms'", connection);
        await patience.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var anew = new NpgsqlCommand(
                    $"alter table {_s}sx_subject_key {SubjectTables.NoStatistics}, alter column wrapped_dek type bytea using (wrapped_dek || ''::bytea)", connection);
                await anew.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
                break;
            }
            catch (PostgresException busy) when (busy.SqlState == PostgresErrorCodes.LockNotAvailable && attempt < MaxShredTries)
            {
                // Somebody reads a key; the wait for the lock was the pause.
                continue;
            }
        }
        await using var reset = new NpgsqlCommand($"analyze {_s}sx_subject_key; reset lock_timeout", connection);
        await reset.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    async ValueTask<long> ISubjectVault.RewrapAsync(int count, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        var old = await OldAsync(connection, count, ct).ConfigureAwait(false);
        var fresh = old.Select(o => master.Wrap(o.KeyId, master.Unwrap(o.MasterId, o.KeyId, o.Wrapped))).ToArray();
        await using var update = new NpgsqlCommand(
            $"update {_s}sx_subject_key k set wrapped_dek = u.wrapped, kek_id = $3 from unnest($1, $2) as u(key_id, wrapped) where k.key_id = u.key_id and k.destroyed_at is null", connection);
        Add(update.Parameters, Texts, old.Select(o => o.KeyId).ToArray());
        Add(update.Parameters, NpgsqlDbType.Array | NpgsqlDbType.Bytea, fresh);
        Add(update.Parameters, NpgsqlDbType.Text, master.CurrentId);
        await update.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        await using var left = new NpgsqlCommand($"select count(*) from {_s}sx_subject_key where destroyed_at is null and kek_id <> $1", connection);
        Add(left.Parameters, NpgsqlDbType.Text, master.CurrentId);
        return (long)(await left.ExecuteScalarAsync(ct).ConfigureAwait(false) ?? 0L);
    }

    private async ValueTask CreateAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        await using var create = new NpgsqlCommand(
            $"set local client_min_messages = warning; select pg_advisory_xact_lock({SchemaLock});" + SubjectTables.Script(schema), connection);
        await create.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
    }

    private static async ValueTask<bool> IsThereAsync(NpgsqlDataSource source, string table, CancellationToken ct)
    {
        await using var there = source.CreateCommand("select to_regclass($1) is not null");
        there.Parameters.Add(new() { Value = table });
        return await there.ExecuteScalarAsync(ct).ConfigureAwait(false) is true;
    }

    private async ValueTask<List<(string KeyId, string MasterId, byte[] Wrapped)>> OldAsync(NpgsqlConnection connection, int count, CancellationToken ct)
    {
        await using var select = new NpgsqlCommand(
            $"select key_id, kek_id, wrapped_dek from {_s}sx_subject_key where destroyed_at is null and kek_id <> $1 order by key_id limit $2 for update", connection);
        Add(select.Parameters, NpgsqlDbType.Text, master.CurrentId);
        Add(select.Parameters, NpgsqlDbType.Integer, count);
        await using var rows = await select.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var old = new List<(string, string, byte[])>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) old.Add((rows.GetString(0), rows.GetString(1), rows.GetFieldValue<byte[]>(2)));
        return old;
    }

    private async ValueTask CheckMasterKeysAsync(CancellationToken ct)
    {
        await using (var note = source.CreateCommand($"insert into {_s}sx_master_key (kek_id, fingerprint) select * from unnest($1, $2) on conflict do nothing"))
        {
            Add(note.Parameters, Texts, master.Ids.ToArray());
            Add(note.Parameters, Texts, master.Ids.Select(master.Fingerprint).ToArray());
            await note.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        }
        await using var command = source.CreateCommand($"""
            select m.kek_id, m.fingerprint, coalesce(k.keys, 0)
            from {_s}sx_master_key m left join (select kek_id, count(*) as keys from {_s}sx_subject_key where destroyed_at is null group by kek_id) k on k.kek_id = m.kek_id
            """);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var (id, keys) = (rows.GetString(0), rows.GetInt64(2));
            if (!master.Has(id) && keys > 0)
                throw new MasterKeyException($"The master key '{id}' is missing: {keys} data keys are wrapped with it and could not be opened. Give it again, behind the current one.");
            if (master.Has(id) && master.Fingerprint(id) != rows.GetString(1))
                throw new MasterKeyException($"The master key '{id}' is not the one that this database knows under that id. Give the right one, or give the new one another id.");
        }
    }

    private async ValueTask<IReadOnlyList<SubjectKey>> AcquireAsync(StreamAddress? stream, IReadOnlyList<SubjectWish> wishes, CancellationToken ct)
    {
        for (var attempt = 1; attempt <= MaxRaces; attempt++)
        {
            if (await TryAcquireAsync(stream, wishes, ct).ConfigureAwait(false) is { } keys) return keys;
        }
        throw new EventStoreUnavailableException($"The data key of a subject could not be had in {MaxRaces} tries: others make and destroy it at the same time.");
    }

    /// <summary>Null when a key was made or destroyed by somebody else in the same moment.</summary>
    private async ValueTask<IReadOnlyList<SubjectKey>?> TryAcquireAsync(StreamAddress? stream, IReadOnlyList<SubjectWish> wishes, CancellationToken ct)
    {
        var fresh = wishes.Select(_ => (Id: SealedText.NewKeyId(), Key: RandomNumberGenerator.GetBytes(MasterKeys.KeyBytes))).ToArray();
        await using var connection = await source.OpenOwnAsync(ct).ConfigureAwait(false);
        await using var batch = new NpgsqlBatch(connection);
        AddAliasChanges(batch, wishes);
        batch.BatchCommands.Add(Acquire(stream, wishes, fresh));
        await using var rows = await batch.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (rows.FieldCount == 0 && await rows.NextResultAsync(ct).ConfigureAwait(false))
        {
            // The changes of aliases answer nothing.
        }
        var keys = new List<SubjectKey>(wishes.Count);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            if (rows.IsDBNull(2)) return null;
            var (subject, keyId) = (new SubjectId(rows.GetString(0), rows.GetString(1)), rows.GetString(2));
            var made = Array.Find(fresh, f => f.Id == keyId);
            keys.Add(new SubjectKey(subject, keyId, made.Key ?? master.Unwrap(rows.GetString(4), keyId, rows.GetFieldValue<byte[]>(3))));
        }
        return keys;
    }

    private NpgsqlBatchCommand Acquire(StreamAddress? stream, IReadOnlyList<SubjectWish> wishes, (string Id, byte[] Key)[] fresh)
    {
        var command = new NpgsqlBatchCommand($"""
            with w as (select * from unnest($1, $2, $3, $4, $5) with ordinality as w(tenant, subject, alias, key_id, wrapped, ord)),
            r as (
                select w.ord, w.key_id, w.wrapped,
                       case when w.subject is not null then w.tenant else coalesce(a.tenant_id, o.tenant_id, w.tenant) end as tenant,
                       coalesce(w.subject, a.subject_id, w.alias, o.subject_id, 'stream:' || $7) as subject
                from w
                left join {_s}sx_subject_alias a on a.alias = w.alias and w.subject is null
                left join lateral (select s.tenant_id, s.subject_id from {_s}sx_subject_stream s where s.stream_tenant = $6 and s.stream_id = $7
                                   order by s.ordinal desc limit 1) o on w.subject is null and w.alias is null),
            d as (select distinct on (tenant, subject) * from r order by tenant, subject, ord),
            k as (
                insert into {_s}sx_subject_key (tenant_id, subject_id, key_id, wrapped_dek, kek_id) select tenant, subject, key_id, wrapped, $8 from d
                on conflict (tenant_id, subject_id) where destroyed_at is null do nothing returning tenant_id, subject_id, key_id),
            s as (
                insert into {_s}sx_subject_stream (tenant_id, subject_id, stream_tenant, stream_id)
                select tenant, subject, $6, $7 from d where $7 is not null order by ord on conflict do nothing)
            select r.tenant, r.subject, coalesce(k.key_id, e.key_id), e.wrapped_dek, e.kek_id
            from r
            left join k on k.tenant_id = r.tenant and k.subject_id = r.subject
            left join {_s}sx_subject_key e on e.tenant_id = r.tenant and e.subject_id = r.subject and e.destroyed_at is null
            order by r.ord
            """);
        Add(command.Parameters, Texts, wishes.Select(w => w.Tenant).ToArray());
        Add(command.Parameters, Texts, wishes.Select(w => w.Subject).ToArray());
        Add(command.Parameters, Texts, wishes.Select(w => w.Alias).ToArray());
        Add(command.Parameters, Texts, Array.ConvertAll(fresh, f => f.Id));
        Add(command.Parameters, NpgsqlDbType.Array | NpgsqlDbType.Bytea, Array.ConvertAll(fresh, f => master.Wrap(f.Id, f.Key)));
        Add(command.Parameters, NpgsqlDbType.Text, stream?.Tenant);
        Add(command.Parameters, NpgsqlDbType.Text, stream?.StreamId);
        Add(command.Parameters, NpgsqlDbType.Text, master.CurrentId);
        return command;
    }

    private void AddAliasChanges(NpgsqlBatch batch, IReadOnlyList<SubjectWish> wishes)
    {
        foreach (var wish in wishes.Where(w => w is { Subject: not null, Change: not AliasChange.None }))
        {
            var command = new NpgsqlBatchCommand(wish.Change == AliasChange.Claim
                ? $"""
                  insert into {_s}sx_subject_alias as a (alias, first_tenant, first_id, tenant_id, subject_id) select u, $2, $3, $2, $3 from unnest($1) u
                  on conflict (alias) do update set tenant_id = excluded.tenant_id, subject_id = excluded.subject_id where a.subject_id is null
                  """
                : $"update {_s}sx_subject_alias set tenant_id = null, subject_id = null where alias = any($1) and tenant_id = $2 and subject_id = $3");
            Add(command.Parameters, Texts, wish.Aliases);
            Add(command.Parameters, NpgsqlDbType.Text, wish.Tenant);
            Add(command.Parameters, NpgsqlDbType.Text, wish.Subject);
            batch.BatchCommands.Add(command);
        }
    }

    private static void Add(NpgsqlParameterCollection parameters, NpgsqlDbType type, object? value) =>
        parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value ?? DBNull.Value });
}
