using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// What left the log by right: truncated streams (<c>sx_stream_truncation</c>) and archived ones that lie in files (<c>sx_archived_stream</c>).
/// Their leaves stay in the lists of the blocks, so everything around them can still be verified, and events that come back from a file are compared again.
/// The records themselves are not signed: a verification lists them, and whoever reads it must know each of them.
/// </summary>
internal static class RemovalRows
{
    private const string Sql = """
        select s.ordinal, r.tenant_id, r.stream_id, r.version, r.reason, r.actor, r.at, r.file
        from (select tenant_id, stream_id, before_version - 1 as version, reason, actor, truncated_at as at, null::varchar as file from sx_stream_truncation
              union all select tenant_id, stream_id, version, 'archived to a file', null, archived_at, file from sx_archived_stream) r
        join sx_audit_stream s on s.tenant_id = r.tenant_id and s.stream_id = r.stream_id order by r.at, s.ordinal, r.version
        """;

    public static async ValueTask<LegalRemovals> ListAsync(NpgsqlConnection connection, int streams, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var removals = new List<(long, LegalRemoval)>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            removals.Add((rows.GetInt64(0), new LegalRemoval(
                rows.GetString(1), rows.GetString(2), rows.GetInt64(3), rows.GetString(4), rows.IsDBNull(5) ? null : rows.GetString(5),
                new DateTimeOffset(rows.GetDateTime(6), TimeSpan.Zero), rows.IsDBNull(7) ? null : rows.GetString(7))));
        }
        return new LegalRemovals(streams, removals);
    }
}

/// <summary>Which signed events may be missing: of some streams everything up to a version.</summary>
internal sealed class LegalRemovals
{
    private readonly Dictionary<long, long> _upTo = [];

    public LegalRemovals(int streams, IReadOnlyList<(long Ordinal, LegalRemoval Removal)> removals)
    {
        (Streams, Records) = (streams, [.. removals.Select(r => r.Removal).Take(AuditReport.MaxFindings)]);
        foreach (var (ordinal, removal) in removals) _upTo[ordinal] = Math.Max(_upTo.GetValueOrDefault(ordinal), removal.UpToVersion);
    }

    public int Streams { get; }

    public IReadOnlyList<LegalRemoval> Records { get; }

    public bool Covers(long ordinal, long version) => _upTo.TryGetValue(ordinal, out var upTo) && version <= upTo;
}
