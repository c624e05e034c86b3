using System.Transactions;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Connections that stay out of a caller's <see cref="TransactionScope"/>. Lanes, readers and the mark serve everybody: inside one caller's transaction the
/// others would be told of appends that go with it, and see the log as it was when it began.
/// </summary>
internal static class OwnConnections
{
    public static ValueTask<NpgsqlConnection> OpenOwnAsync(this NpgsqlDataSource source, CancellationToken ct = default)
    {
        if (Transaction.Current is null) return source.OpenConnectionAsync(ct);
        // What the opening remembers of its caller is decided when it starts, not when it is done.
        using var apart = new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);
        return source.OpenConnectionAsync(ct);
    }
}
