using Npgsql;
using NpgsqlTypes;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// Rows of <c>sx_audit_order</c>: who ordered a removal signs its record, in the transaction that removes. The notary writes down what it found, and from the
/// first order in its chain on, a record without one is nobody's order (<see cref="RemovalCheck"/>).
/// </summary>
internal static class OrderRows
{
    /// <summary>Signs a truncation that was just recorded.</summary>
    public static async ValueTask SignTruncationAsync(NpgsqlConnection connection, AuditKey key, StreamTruncation truncation, CancellationToken ct) =>
        await SignAsync(connection, key, await RemovalRows.TruncationAsync(connection, truncation.Tenant, truncation.StreamId, truncation.BeforeVersion, ct).ConfigureAwait(false), ct).ConfigureAwait(false);

    /// <summary>Signs the newest move of each of these streams.</summary>
    public static async ValueTask SignMovesAsync(NpgsqlConnection connection, AuditKey key, IReadOnlyCollection<StreamAddress> streams, CancellationToken ct) =>
        await SignAsync(connection, key, await RemovalRows.NewestMovesAsync(connection, streams, ct).ConfigureAwait(false), ct).ConfigureAwait(false);

    /// <summary>Orders of all records, or of those named, by record.</summary>
    public static async ValueTask<IReadOnlyDictionary<string, (string KeyId, byte[] Signature)>> ListAsync(NpgsqlConnection connection, IReadOnlyCollection<string>? records, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select record, key_id, signature from sx_audit_order where $1 is null or record = any($1)", connection)
        {
            Parameters = { new() { Value = records is null ? DBNull.Value : records.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Varchar } },
        };
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var orders = new Dictionary<string, (string, byte[])>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) orders[rows.GetString(0)] = (rows.GetString(1), rows.GetFieldValue<byte[]>(2));
        return orders;
    }

    /// <summary>The key that ordered the record; null when nobody did whose key counts.</summary>
    public static string? KeyOf(string record, IReadOnlyDictionary<string, (string KeyId, byte[] Signature)> orders, KeyTrust trust) =>
        orders.TryGetValue(record, out var order) && trust.Counts(order.KeyId) && trust.Find(order.KeyId)?.Signed(RemovalOrder.Text(record, order.KeyId), order.Signature) == true
            ? order.KeyId
            : null;

    private static async ValueTask SignAsync(NpgsqlConnection connection, AuditKey key, List<RemovalRecord> records, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("insert into sx_audit_order (record, key_id, signature) select u.record, $2, u.signature from unnest($1, $3) as u(record, signature)", connection)
        {
            Parameters =
            {
                new() { Value = records.Select(r => r.Leaf).ToArray() }, new() { Value = key.Id },
                new() { Value = records.Select(r => key.Sign(RemovalOrder.Text(r.Leaf, key.Id))).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
            },
        };
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }
}
