using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Events that operators had a projection leave out, in whatever version of it, and that were not applied by a later retry. A rebuild leaves them out as well
/// and lists them as parked: from there they can be tried again.
/// </summary>
internal static class SkippedEvents
{
    /// <summary>Beyond it somebody uses skips for what a projection should decide.</summary>
    private const int MaxSkipped = 100_000;

    /// <summary>Which of some positions (<c>$3</c>) the projection <c>$1</c> leaves out.</summary>
    public const string Among = All + " and o.seq_id = any($3)";

    private const string All = """
        select o.seq_id from sx_shard_order o where split_part(o.shard, ':', 1) = $1 and o.kind = 'skip'
          and not exists (select from sx_shard_order r where split_part(r.shard, ':', 1) = $1 and r.seq_id = o.seq_id and r.kind = 'retry'
                          and r.outcome = 'Applied' and r.done_at >= o.asked_at)
        """;

    public static async ValueTask<HashSet<long>> LoadAsync(NpgsqlDataSource source, string projection, CancellationToken ct)
    {
        await using var command = source.CreateCommand(All + " limit $2");
        command.Parameters.Add(new() { Value = projection });
        command.Parameters.Add(new() { Value = MaxSkipped + 1 });
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var skipped = new HashSet<long>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) skipped.Add(rows.GetInt64(0));
        return skipped.Count <= MaxSkipped
            ? skipped
            : throw new InvalidOperationException($"More than {MaxSkipped} events of projection '{projection}' were skipped; the rebuild stops and the old tables stay.");
    }

    /// <summary>True when an event was skipped, or applied after all, since the rebuild under way began: it may have passed it the other way.</summary>
    public static async ValueTask<bool> HaveChangedAsync(NpgsqlDataSource source, string projection, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            """
            select exists (select from sx_shard_order o join sx_rebuild b on b.name = $1 where split_part(o.shard, ':', 1) = $1
              and ((o.kind = 'skip' and o.asked_at >= b.started_at) or (o.kind = 'retry' and o.outcome = 'Applied' and o.done_at >= b.started_at)))
            """);
        command.Parameters.Add(new() { Value = projection });
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is true;
    }
}

/// <summary>An event that the rebuild has passed was skipped, or a skipped one applied, meanwhile. The old tables stay; the next rebuild begins anew.</summary>
public sealed class RebuildOvertakenException(string name, long position) : EventStoreException(string.Create(
    System.Globalization.CultureInfo.InvariantCulture, $"While projection '{name}' was rebuilt, event {position} was skipped or tried again; rebuild it once more."));
