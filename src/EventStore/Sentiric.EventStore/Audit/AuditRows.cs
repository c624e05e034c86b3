using Npgsql;
using NpgsqlTypes;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>Rows of <c>sx_audit_block</c>.</summary>
internal static class BlockRows
{
    public static async ValueTask<SignedCheckpoint?> LastAsync(NpgsqlConnection connection, AuditTables tables, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select statement, signature from sx_audit_block order by number desc limit 1", connection);
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? new SignedCheckpoint(row.GetString(0), row.GetFieldValue<byte[]>(1)) : null;
    }

    public static async ValueTask<SignedCheckpoint?> FindAsync(NpgsqlConnection connection, AuditTables tables, long number, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select statement, signature from sx_audit_block where number = $1", connection)
        {
            Parameters = { new() { Value = number } },
        };
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? new SignedCheckpoint(row.GetString(0), row.GetFieldValue<byte[]>(1)) : null;
    }

    /// <summary>The entries of one stream by position, out of all blocks. Reads every list there is: for the rare case that something has to be named.</summary>
    public static async ValueTask<SortedDictionary<long, byte[]>> EntriesOfAsync(NpgsqlConnection connection, AuditTables tables, long ordinal, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select entries from sx_audit_block order by number", connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var found = new SortedDictionary<long, byte[]>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var entries = rows.GetFieldValue<byte[]>(0);
            for (var at = 0; at + AuditEntries.Bytes <= entries.Length; at += AuditEntries.Bytes)
            {
                var entry = entries.AsSpan(at, AuditEntries.Bytes);
                if (AuditEntries.Ordinal(entry) == ordinal) found[AuditEntries.Position(entry)] = entry.ToArray();
            }
        }
        return found;
    }

    /// <summary>Whether there are traces of a notary without any block.</summary>
    public static async ValueTask<bool> AnyLeftAsync(NpgsqlConnection connection, AuditTables tables, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select exists (select from sx_audit_stream) or exists (select from sx_audit_page)", connection);
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is true;
    }

    public static async ValueTask InsertAsync(NpgsqlConnection connection, AuditTables tables, IReadOnlyList<SignedBlock> blocks, CancellationToken ct)
    {
        const string sql = "insert into sx_audit_block (number, first_position, last_position, statement, signature, entries) values ($1, $2, $3, $4, $5, $6)";
        await using var batch = new NpgsqlBatch(connection);
        foreach (var block in blocks)
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (var value in new object[]
                     { block.Checkpoint.Number, block.Checkpoint.From, block.Checkpoint.To, block.Signed.Statement, block.Signed.Signature, block.Entries })
                command.Parameters.Add(new() { Value = value });
            batch.BatchCommands.Add(command);
        }
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }
}

/// <summary>Rows of <c>sx_audit_stream</c> and <c>sx_audit_page</c>, and what they take from <c>mt_streams</c>.</summary>
internal static class StreamRows
{
    /// <summary>PostgreSQL's microseconds of a column with a time zone; the infinities stay infinite.</summary>
    public static long? Microseconds(NpgsqlDataReader row, int column)
    {
        if (row.IsDBNull(column)) return null;
        var moment = row.GetDateTime(column);
        return moment == DateTime.MaxValue ? long.MaxValue : moment == DateTime.MinValue ? long.MinValue : AuditTime.Microseconds(moment);
    }

    /// <summary>
    /// Takes over what the rows of these streams say now. A row that runs ahead of the events being signed is looked at again with its next event, so
    /// in the end the directory holds what stood there when the stream's last event was signed.
    /// </summary>
    public static async ValueTask LookAsync(NpgsqlConnection connection, AuditTables tables, IReadOnlyCollection<DirectoryStream> streams, CancellationToken ct)
    {
        var sql = $"""
            select w.at, m.type, m.created, m.timestamp from unnest($1::varchar[], $2::varchar[], $3::integer[]) as w(tenant_id, id, at)
            join mt_streams m on m.tenant_id = w.tenant_id and m.id = w.id::{tables.StreamIdType}
            """;
        var list = streams.ToList();
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new() { Value = list.Select(s => s.Tenant).ToArray() }, new() { Value = list.Select(s => s.StreamId).ToArray() },
                new() { Value = Enumerable.Range(0, list.Count).ToArray() },
            },
        };
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var stream = list[rows.GetInt32(0)];
            (stream.Type, stream.Created, stream.Appended) = (rows.IsDBNull(1) ? null : rows.GetString(1), Microseconds(rows, 2), Microseconds(rows, 3));
        }
    }

    public static async ValueTask SaveAsync(NpgsqlConnection connection, AuditTables tables, IReadOnlyCollection<DirectoryStream> streams, CancellationToken ct)
    {
        const string sql = """
            insert into sx_audit_stream as s (ordinal, tenant_id, stream_id, version, head, type, created, appended)
            select * from unnest($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (ordinal) do update set version = excluded.version, head = excluded.head, type = excluded.type,
                created = excluded.created, appended = excluded.appended
            where s.tenant_id = excluded.tenant_id and s.stream_id = excluded.stream_id
            """;
        var list = streams.ToList();
        await using var command = new NpgsqlCommand(sql, connection);
        Add(command, NpgsqlDbType.Bigint, list.Select(s => s.Ordinal).ToArray());
        Add(command, NpgsqlDbType.Varchar, list.Select(s => s.Tenant).ToArray());
        Add(command, NpgsqlDbType.Varchar, list.Select(s => s.StreamId).ToArray());
        Add(command, NpgsqlDbType.Bigint, list.Select(s => s.Version).ToArray());
        Add(command, NpgsqlDbType.Bytea, list.Select(s => s.Head).ToArray());
        Add(command, NpgsqlDbType.Varchar, list.Select(s => s.Type).ToArray());
        Add(command, NpgsqlDbType.Bigint, list.Select(s => s.Created).ToArray());
        Add(command, NpgsqlDbType.Bigint, list.Select(s => s.Appended).ToArray());
        if (await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false) != list.Count)
            throw new AuditTamperedException("sx_audit_stream holds another stream where the directory has one of this page");
    }

    public static async ValueTask SavePagesAsync(NpgsqlConnection connection, AuditTables tables, IReadOnlyList<(long Page, byte[] Root)> pages, CancellationToken ct)
    {
        const string sql = "insert into sx_audit_page (page, root) select * from unnest($1, $2) on conflict (page) do update set root = excluded.root";
        await using var command = new NpgsqlCommand(sql, connection);
        Add(command, NpgsqlDbType.Bigint, pages.Select(p => p.Page).ToArray());
        Add(command, NpgsqlDbType.Bytea, pages.Select(p => p.Root).ToArray());
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static void Add(NpgsqlCommand command, NpgsqlDbType element, Array values) =>
        command.Parameters.Add(new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | element });
}

/// <summary>Rows of <c>sx_audit_key</c>.</summary>
internal static class KeyRows
{
    public static async ValueTask<IReadOnlyList<KeyRecord>> ListAsync(NpgsqlConnection connection, AuditTables tables, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select key_id, public_key, introduced_at, endorsed_by, endorsement from sx_audit_key order by introduced_at, key_id", connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var records = new List<KeyRecord>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            records.Add(new KeyRecord(
                rows.GetString(0), rows.GetFieldValue<byte[]>(1), new DateTimeOffset(rows.GetDateTime(2), TimeSpan.Zero), rows.GetString(3), rows.GetFieldValue<byte[]>(4)));
        }
        return records;
    }

    /// <summary>
    /// Writes the signing key down when it is new, vouched for by the newest former key that is known; by itself when there is none, which a
    /// verification with an older key will say.
    /// </summary>
    public static async ValueTask<IReadOnlyList<KeyRecord>> EnsureAsync(
        NpgsqlConnection connection, AuditTables tables, AuditKeys keys, TimeProvider clock, CancellationToken ct)
    {
        var records = await ListAsync(connection, tables, ct).ConfigureAwait(false);
        if (records.Any(r => r.KeyId == keys.Current.Id)) return records;
        var by = keys.Former.LastOrDefault(former => records.Any(r => r.KeyId == former.Id)) ?? keys.Current;
        var record = KeyRecord.Endorse(keys.Current.Public, by, Timestamps.Now(clock));
        await using var command = new NpgsqlCommand(
            "insert into sx_audit_key (key_id, public_key, introduced_at, endorsed_by, endorsement) values ($1, $2, $3, $4, $5) on conflict do nothing", connection);
        foreach (var value in new object[] { record.KeyId, record.PublicKey, record.IntroducedAt.UtcDateTime, record.EndorsedBy, record.Endorsement })
            command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        return await ListAsync(connection, tables, ct).ConfigureAwait(false);
    }
}

/// <summary>The newest checkpoint in a file outside the database.</summary>
internal static class AuditAnchor
{
    public static void Keep(string? file, SignedCheckpoint newest)
    {
        if (file is null) return;
        // Renamed into place: a crash leaves the old line or the new one, never half of one.
        var aside = file + ".new";
        File.WriteAllText(aside, newest.ToLine() + "\n");
        File.Move(aside, file, overwrite: true);
    }

    /// <summary>Throws <see cref="AuditTamperedException"/> when the database no longer holds the checkpoint in the file.</summary>
    public static async ValueTask EnsureHeldAsync(NpgsqlConnection connection, AuditTables tables, string? file, CancellationToken ct)
    {
        if (file is null || !File.Exists(file)) return;
        var line = await File.ReadAllTextAsync(file, ct).ConfigureAwait(false);
        if (SignedCheckpoint.OfLine(line)?.Read() is not { } anchor) throw new AuditTamperedException($"the anchor file '{file}' holds no checkpoint");
        var stored = await BlockRows.FindAsync(connection, tables, anchor.Number, ct).ConfigureAwait(false);
        if (stored?.Statement != anchor.Text)
        {
            throw new AuditTamperedException(
                $"the database does not hold checkpoint {anchor.Number} of the anchor file '{file}'. After a restore from a backup, keep the file as evidence and move it away");
        }
    }
}
