using Npgsql;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// Signs the records of truncations and of moves into files that nobody has signed yet. Each statement names the one before, and its number is a primary key: a record that was signed
/// cannot be changed, taken away or dated back afterwards without a trace. That a record is true, a signature cannot say.
/// </summary>
internal sealed class RemovalNotary(AuditKeys keys, TimeProvider clock)
{
    /// <summary>Records in one transaction.</summary>
    private const int AtOnce = 500;

    /// <summary>Throws <see cref="AuditTamperedException"/> when the newest signed statement is none.</summary>
    public async ValueTask SignAsync(NpgsqlConnection connection, KeyTrust trust, Func<string, ValueTask> atStep, CancellationToken ct)
    {
        while (await SignSomeAsync(connection, trust, atStep, ct).ConfigureAwait(false) == AtOnce)
        {
        }
    }

    private async ValueTask<int> SignSomeAsync(NpgsqlConnection connection, KeyTrust trust, Func<string, ValueTask> atStep, CancellationToken ct)
    {
        var records = await RemovalRows.UnsignedAsync(connection, AtOnce, ct).ConfigureAwait(false);
        if (records.Count == 0) return 0;
        await atStep("removals").ConfigureAwait(false);
        var last = await RemovalRows.LastAsync(connection, ct).ConfigureAwait(false) is { } newest ? Checked(newest, trust) : null;
        var orders = await OrderRows.ListAsync(connection, [.. records.Select(r => r.Leaf)], ct).ConfigureAwait(false);
        var signed = new List<(RemovalRecord, RemovalStatement, byte[])>(records.Count);
        foreach (var record in records)
        {
            last = new RemovalStatement((last?.Number ?? 0) + 1, record.Leaf, last?.Hash ?? Checkpoint.NoPrevious, Timestamps.Now(clock), keys.Current.Id, OrderRows.KeyOf(record.Leaf, orders, trust) ?? RemovalStatement.NoOrder);
            signed.Add((record, last, keys.Current.Sign(last.Text)));
        }
        await RemovalRows.InsertAsync(connection, signed, ct).ConfigureAwait(false);
        return records.Count;
    }

    private static RemovalStatement Checked(SignedCheckpoint newest, KeyTrust trust)
    {
        if (RemovalStatement.Parse(newest.Statement) is not { } last) throw new AuditTamperedException("the newest row of sx_audit_removal holds no statement");
        if (trust.Find(last.KeyId)?.Signed(newest.Statement, newest.Signature) != true) throw new AuditTamperedException($"the signature of removal {last.Number} is wrong");
        return last;
    }
}
