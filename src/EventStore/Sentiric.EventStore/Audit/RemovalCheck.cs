using Npgsql;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// The records of truncations and of moves into files against what was signed of them: names a record that was changed, taken away or written by somebody else,
/// and rows of the signatures that are not as the notary left them. What it remembers grows with the records.
/// </summary>
internal sealed class RemovalCheck(KeyTrust trust, Findings findings)
{
    private const string Trail = "sx_audit_removal";

    // A truncation may commit while the notary signs, and two hosts have two clocks. A younger record is waiting for its signature, an older one was put there.
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private readonly Dictionary<RemovalKey, RemovalStatement> _statements = [];

    // Records that no statement names, by leaf.
    private readonly Dictionary<string, RemovalRecord> _strangers = new(StringComparer.Ordinal);
    private IReadOnlyDictionary<string, (string KeyId, byte[] Signature)> _orders = new Dictionary<string, (string, byte[])>();
    private RemovalStatement? _last;

    // The first statement that tells of an order: from there on every removal has one.
    private long _orderedFrom = long.MaxValue;
    private bool _isCounted = true;

    public SignedRemovals Signed { get; } = new();

    /// <summary>Compares records and statements; <see cref="Judge"/> follows when it is known how far the log is signed.</summary>
    public async ValueTask ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        _orders = await OrderRows.ListAsync(connection, null, ct).ConfigureAwait(false);
        await StatementsAsync(connection, ct).ConfigureAwait(false);
        if (_last is not null && !_isCounted) Fault(AuditFindingKind.SignatureWrong, _last.Number, $"the newest statement is signed with key {_last.KeyId}, which no trusted key vouches for", "statement");
        foreach (var record in await RemovalRows.AllAsync(connection, ct).ConfigureAwait(false))
        {
            var known = _statements.Remove(record.Key, out var statement);
            var by = OrderRows.KeyOf(record.Leaf, _orders, trust);
            var standing = by is null ? Unordered(record, statement) : RemovalStanding.Ordered;
            if (!known || statement is null)
            {
                _strangers[record.Leaf] = record;
                Signed.Add(record.Key, new TruncationOrder(null, by, standing));
            }
            else if (statement.Record == record.Leaf) Signed.Add(record.Key, new TruncationOrder(statement.SignedAt, by, standing));
            else findings.Add(Of(record.Key, AuditFindingKind.TrailChanged, record.Key.Table, FormattableString.Invariant($"the record is not the one that was signed as removal {statement.Number}")));
        }
        foreach (var (key, statement) in _statements) Orphan(key, statement);
        await WhereaboutsAsync(connection, ct).ConfigureAwait(false);
    }

    /// <summary>Records without a signature, given the time of the newest checkpoint; null when nothing was ever signed.</summary>
    public void Judge(DateTimeOffset? signedUpTo)
    {
        if (_last?.SignedAt > signedUpTo) signedUpTo = _last.SignedAt;
        foreach (var stranger in _strangers.Values) Stranger(stranger, signedUpTo);
    }

    private async ValueTask StatementsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select number, tenant_id, stream_id, before_version, move, statement, signature from sx_audit_removal order by number", connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        for (var expected = 1L; await rows.ReadAsync(ct).ConfigureAwait(false); expected++)
        {
            var number = rows.GetInt64(0);
            if (number > expected) Fault(AuditFindingKind.TrailRemoved, expected, number == expected + 1 ? "the statement is missing" : $"the statements up to {number - 1} are missing");
            if (number < expected) Fault(AuditFindingKind.TrailInserted, number, "a statement before the first");
            var follows = number == expected;
            expected = number;
            Check(number, follows, new RemovalKey(rows.GetString(1), rows.GetString(2), rows.GetInt64(3), rows.GetInt64(4)), new SignedCheckpoint(rows.GetString(5), rows.GetFieldValue<byte[]>(6)));
        }
    }

    private void Check(long number, bool follows, RemovalKey key, SignedCheckpoint signed)
    {
        if (RemovalStatement.Parse(signed.Statement) is not { } statement)
        {
            Fault(AuditFindingKind.TrailChanged, number, "the statement is not one that a notary writes", "statement");
            _last = null;
            return;
        }
        if (trust.Find(statement.KeyId)?.Signed(signed.Statement, signed.Signature) != true) Fault(AuditFindingKind.SignatureWrong, number, "statement and signature do not fit", "statement", "signature");
        if (statement.Number != number) Fault(AuditFindingKind.TrailChanged, number, "the row does not say what its statement says", "number");
        // One before that could not be read has been told already.
        var previous = number == 1 ? Checkpoint.NoPrevious : _last?.Hash;
        if (follows && previous is not null && statement.Previous != previous) Fault(AuditFindingKind.TrailChanged, number, "the statement does not follow the one before", "statement");
        (_last, _isCounted) = (statement, trust.Counts(statement.KeyId));
        if (statement.Order is not (null or RemovalStatement.NoOrder)) _orderedFrom = Math.Min(_orderedFrom, number);
        _statements[key] = statement;
    }

    /// <summary>Without an order, a removal is somebody else's once there was one with an order; an order that the notary saw must still be there.</summary>
    private RemovalStanding Unordered(RemovalRecord record, RemovalStatement? statement)
    {
        if (statement?.Record == record.Leaf && statement.Order is not (null or RemovalStatement.NoOrder))
        {
            var isThere = _orders.ContainsKey(record.Leaf);
            findings.Add(Of(record.Key, isThere ? AuditFindingKind.TrailChanged : AuditFindingKind.TrailRemoved, "sx_audit_order",
                FormattableString.Invariant($"the order that was seen when removal {statement.Number} was signed is {(isThere ? "another" : "gone")}")) with
            { Columns = isThere ? ["key_id", "signature"] : [] });
            return RemovalStanding.NotOrdered;
        }
        if ((statement?.Number ?? long.MaxValue) <= _orderedFrom) return RemovalStanding.BeforeOrders;
        findings.Add(Of(record.Key, AuditFindingKind.RemovalNotOrdered, record.Key.Table, "no key of the platform vouches for this removal, and those before it have one that does"));
        return RemovalStanding.NotOrdered;
    }

    private void Orphan(RemovalKey key, RemovalStatement statement)
    {
        if (_strangers.Remove(statement.Record, out var record))
        {
            findings.Add(Of(record.Key, AuditFindingKind.TrailChanged, Trail, FormattableString.Invariant($"removal {statement.Number} names another record than the one that was signed")) with
            { Columns = ["tenant_id", "stream_id", "before_version", "move"] });
            return;
        }
        findings.Add(Of(key, AuditFindingKind.TrailRemoved, key.Table, FormattableString.Invariant($"the record was signed as removal {statement.Number} and is gone")));
    }

    private void Stranger(RemovalRecord record, DateTimeOffset? signedUpTo)
    {
        if (signedUpTo is not { } known || record.At > known.UtcDateTime - Grace) return;
        findings.Add(Of(record.Key, AuditFindingKind.TrailInserted, record.Key.Table, "the record is older than the newest signature and has none: the notary did not see it, or its signature was taken away"));
    }

    /// <summary>Where streams lie now must be where their last move put them.</summary>
    private async ValueTask WhereaboutsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        const string table = "sx_archived_stream";
        const string sql = """
            select tenant_id, stream_id, m.file is not null, a.file is not null, a.file is distinct from m.file, a.sha256 is distinct from m.sha256, a.events is distinct from m.events,
                   a.version is distinct from m.version, a.first_seq_id is distinct from m.first_seq_id, a.last_seq_id is distinct from m.last_seq_id, a.archived_at is distinct from m.moved_at
            from (select * from (select distinct on (tenant_id, stream_id) * from sx_stream_move order by tenant_id, stream_id, number desc) l where not restored) m
            full join sx_archived_stream a using (tenant_id, stream_id) order by tenant_id, stream_id
            """;
        string[] columns = ["file", "sha256", "events", "version", "first_seq_id", "last_seq_id", "archived_at"];
        await using var command = new NpgsqlCommand(sql, connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var found = (rows.GetBoolean(2), rows.GetBoolean(3)) switch
            {
                (true, false) => new AuditFinding(AuditFindingKind.TrailRemoved, table, "the stream was moved into a file and not back, and the row is gone"),
                (false, _) => new AuditFinding(AuditFindingKind.TrailInserted, table, "no record says that the stream was moved into a file"),
                _ => new AuditFinding(AuditFindingKind.TrailChanged, table, "the row does not say what the record of the move says")
                { Columns = [.. columns.Where((_, at) => rows.GetBoolean(4 + at))] },
            };
            if (found.Kind != AuditFindingKind.TrailChanged || found.Columns.Count > 0) findings.Add(found with { Tenant = rows.GetString(0), StreamId = rows.GetString(1) });
        }
    }

    private void Fault(AuditFindingKind kind, long number, string what, params string[] columns) =>
        findings.Add(new AuditFinding(kind, Trail, FormattableString.Invariant($"removal {number}: {what}")) { Columns = columns });

    private static AuditFinding Of(RemovalKey key, AuditFindingKind kind, string table, string what) =>
        new(kind, table, what) { Tenant = key.Tenant, StreamId = key.StreamId, Version = key.BeforeVersion };
}
