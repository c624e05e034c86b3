using Npgsql;

namespace Sentiric.EventStore;

public sealed partial class PostgresEventStore
{
    /// <summary>The typed error for what a constraint, a trigger or a function of a Marten host refused; null when it is none of those. Of several streams it names all: which it was is not told.</summary>
    private async ValueTask<EventStoreException?> ToldAsync(PostgresException refused, IReadOnlyList<StreamPlan> plans, CancellationToken ct)
    {
        var streams = string.Join("', '", plans.Select(p => p.Address.StreamId));
        return MartenRefusal.Of(refused) switch
        {
            MartenRefusal.Kind.Archived => new StreamArchivedException(streams),
            MartenRefusal.Kind.UnknownTenant => new StreamNameRejectedException("tenant", refused.MessageText),
            MartenRefusal.Kind.EventIdStored => new EventIdStoredException(streams, refused),
            MartenRefusal.Kind.WrongVersion => new WrongExpectedVersionException(streams, plans[0].Expected, await VersionAsync(plans[0].Address, ct).ConfigureAwait(false)),
            null => null,
        };
    }

    private ValueTask<long> VersionAsync(StreamAddress address, CancellationToken ct) =>
        Failures.GuardAsync(async () => (await StateAsync(address, ct).ConfigureAwait(false))?.Version ?? 0);
}

/// <summary>
/// What Marten's tables and functions refuse with. MT001 and MT003 are raised by its appending function, MT002 where tenants have partitions; a database administrator's
/// trigger may raise them as well. Names of indexes on partitions are PostgreSQL's: the columns are in them.
/// </summary>
internal static class MartenRefusal
{
    public enum Kind
    {
        Archived,
        UnknownTenant,
        WrongVersion,
        EventIdStored,
    }

    public static Kind? Of(PostgresException refused) => refused.SqlState switch
    {
        "MT001" => Kind.Archived,
        "MT002" => Kind.UnknownTenant,
        "MT003" => Kind.WrongVersion,
        PostgresErrorCodes.UniqueViolation => refused.TableName?.StartsWith("mt_events", StringComparison.Ordinal) == true ? OfIndex(refused.ConstraintName ?? "") : null,
        _ => null,
    };

    // A version is stored twice only where somebody writes events before their stream's row, as a host does that checks versions with a plain select.
    private static Kind? OfIndex(string name) => name switch
    {
        "idx_mt_events_event_id" or "pk_mt_events_id_unique" => Kind.EventIdStored,
        _ when name.Contains("version", StringComparison.Ordinal) => Kind.WrongVersion,
        _ => null,
    };
}
