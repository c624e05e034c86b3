using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Events for the audit, without a copy: the bytes of a row, as the server's COPY sends them, are the bytes of its leaf.</summary>
internal sealed class EventTuples : CopyRows
{
    public const int LeafFields = 14;

    private EventTuples(NpgsqlRawCopyStream copy) : base(copy, LeafFields + 1)
    {
    }

    public long Position => Int64(0);

    public long Version => Int64(3);

    public bool? IsArchived => IsNull(LeafFields) ? null : Field(LeafFields)[0] != 0;

    /// <summary>All fields that the leaf covers, with their lengths. Valid until the next read, like everything here.</summary>
    public ReadOnlySpan<byte> Fields => Sent(0, LeafFields - 1);

    /// <summary>Tenant and stream with their lengths: equal bytes, equal stream.</summary>
    public ReadOnlySpan<byte> Owner => Sent(1, 2);

    /// <summary>Rows of mt_events with <see cref="AuditTables.EventColumns"/>; <paramref name="rows"/> is the rest of the select, from its where on.</summary>
    public static async ValueTask<EventTuples> OpenAsync(NpgsqlConnection connection, AuditTables tables, string rows, CancellationToken ct)
    {
        var tuples = new EventTuples(await BeginAsync(connection, $"select {tables.EventColumns} from mt_events {rows}", ct).ConfigureAwait(false));
        await tuples.StartAsync(ct).ConfigureAwait(false);
        return tuples;
    }
}
