using System.Text;

namespace Sentiric.EventStore;

/// <summary>The full name of a stream. Two tenants may use the same stream id.</summary>
internal readonly record struct StreamAddress(string Tenant, string StreamId)
{
    // An entry of a B-tree holds 2,704 bytes at most (PostgreSQL, "Index Row Size"); tenant, stream, version and their headers share it.
    private const int MaxUtf8Bytes = 2_600;

    public static StreamAddress Of(string tenant, string streamId)
    {
        EnsureName("tenant", tenant, EventStoreLimits.MaxTenantLength);
        EnsureName("stream", streamId, EventStoreLimits.MaxStreamIdLength);
        var mayBeLong = (tenant.Length + streamId.Length) * 3 > MaxUtf8Bytes;
        if (mayBeLong && Encoding.UTF8.GetByteCount(tenant) + Encoding.UTF8.GetByteCount(streamId) > MaxUtf8Bytes)
            throw new StreamNameRejectedException("stream", $"with its tenant it has more than {MaxUtf8Bytes} bytes of UTF-8.");
        return new StreamAddress(tenant, streamId);
    }

    /// <summary>The one order in which every process locks streams.</summary>
    public static int Compare(StreamAddress a, StreamAddress b)
    {
        var byTenant = string.CompareOrdinal(a.Tenant, b.Tenant);
        return byTenant != 0 ? byTenant : string.CompareOrdinal(a.StreamId, b.StreamId);
    }

    private static void EnsureName(string which, string name, int maxLength)
    {
        ArgumentNullException.ThrowIfNull(name, which);
        if (string.IsNullOrWhiteSpace(name)) throw new StreamNameRejectedException(which, "it is empty.");
        if (name.Length > maxLength) throw new StreamNameRejectedException(which, $"it has {name.Length} characters; at most {maxLength} are stored.");
        if (!StorableText.IsStorable(name)) throw new StreamNameRejectedException(which, StorableText.Why);
    }
}
