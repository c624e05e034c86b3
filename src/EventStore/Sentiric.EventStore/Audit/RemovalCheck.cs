using Npgsql;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// The records of truncations against what was signed of them: names a record that was changed, taken away or written by somebody else, and rows of the
/// signatures that are not as the notary left them. What it remembers grows with the truncations.
/// </summary>
internal sealed class RemovalCheck(KeyTrust trust, Findings findings)
{
    private const string Trail = "sx_audit_removal";
    private const string Table = "sx_stream_truncation";

    // A truncation may commit while the notary signs, and two hosts have two clocks. A younger record is waiting for its signature, an older one was put there.
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private readonly Dictionary<RemovalKey, RemovalStatement> _statements = [];
    private RemovalStatement? _last;
    private bool _isCounted = true;

    public SignedRemovals Signed { get; } = new();

    /// <summary><paramref name="signedUpTo"/>: time of the newest checkpoint; null when nothing was ever signed.</summary>
    public async ValueTask RunAsync(NpgsqlConnection connection, DateTimeOffset? signedUpTo, CancellationToken ct)
    {
        await StatementsAsync(connection, ct).ConfigureAwait(false);
        if (_last is not null && !_isCounted) Fault(AuditFindingKind.SignatureWrong, _last.Number, $"the newest statement is signed with key {_last.KeyId}, which no trusted key vouches for", "statement");
        if (_last?.SignedAt > signedUpTo) signedUpTo = _last.SignedAt;
        var strangers = new Dictionary<string, RemovalRecord>(StringComparer.Ordinal);
        foreach (var record in await RemovalRows.TruncationsAsync(connection, ct).ConfigureAwait(false))
        {
            if (!_statements.Remove(record.Key, out var statement)) strangers[record.Leaf] = record;
            else if (statement.Record == record.Leaf) Signed.Add(record.Key, statement.SignedAt);
            else findings.Add(Of(record.Key, AuditFindingKind.TrailChanged, Table, FormattableString.Invariant($"the record is not the one that was signed as removal {statement.Number}")));
        }
        foreach (var (key, statement) in _statements) Orphan(key, statement, strangers);
        foreach (var stranger in strangers.Values) Stranger(stranger, signedUpTo);
    }

    private async ValueTask StatementsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select number, tenant_id, stream_id, before_version, statement, signature from sx_audit_removal order by number", connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        for (var expected = 1L; await rows.ReadAsync(ct).ConfigureAwait(false); expected++)
        {
            var number = rows.GetInt64(0);
            if (number > expected) Fault(AuditFindingKind.TrailRemoved, expected, number == expected + 1 ? "the statement is missing" : $"the statements up to {number - 1} are missing");
            if (number < expected) Fault(AuditFindingKind.TrailInserted, number, "a statement before the first");
            var follows = number == expected;
            expected = number;
            Check(number, follows, new RemovalKey(rows.GetString(1), rows.GetString(2), rows.GetInt64(3)), new SignedCheckpoint(rows.GetString(4), rows.GetFieldValue<byte[]>(5)));
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
        _statements[key] = statement;
    }

    private void Orphan(RemovalKey key, RemovalStatement statement, Dictionary<string, RemovalRecord> strangers)
    {
        if (strangers.Remove(statement.Record, out var record))
        {
            findings.Add(Of(record.Key, AuditFindingKind.TrailChanged, Trail, FormattableString.Invariant($"removal {statement.Number} names another record than the one that was signed")) with
            { Columns = ["tenant_id", "stream_id", "before_version"] });
            return;
        }
        findings.Add(Of(key, AuditFindingKind.TrailRemoved, Table, FormattableString.Invariant($"the record was signed as removal {statement.Number} and is gone")));
    }

    private void Stranger(RemovalRecord record, DateTimeOffset? signedUpTo)
    {
        if (signedUpTo is not { } known || record.At > known.UtcDateTime - Grace) return;
        findings.Add(Of(record.Key, AuditFindingKind.TrailInserted, Table, "the record is older than the newest signature and has none: the notary did not see it, or its signature was taken away"));
    }

    private void Fault(AuditFindingKind kind, long number, string what, params string[] columns) =>
        findings.Add(new AuditFinding(kind, Trail, FormattableString.Invariant($"removal {number}: {what}")) { Columns = columns });

    private static AuditFinding Of(RemovalKey key, AuditFindingKind kind, string table, string what) =>
        new(kind, table, what) { Tenant = key.Tenant, StreamId = key.StreamId, Version = key.BeforeVersion };
}
