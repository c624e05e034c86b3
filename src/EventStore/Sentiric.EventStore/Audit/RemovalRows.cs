using Npgsql;

namespace Sentiric.EventStore;

/// <summary>What was removed from the log by right.</summary>
internal static class RemovalRows
{
    public static ValueTask<LegalRemovals> ListAsync(NpgsqlConnection connection, AuditTables tables, int streams, CancellationToken ct) =>
        ValueTask.FromResult(new LegalRemovals(streams, new Dictionary<long, long>()));
}
