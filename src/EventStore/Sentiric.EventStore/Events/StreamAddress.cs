namespace Sentiric.EventStore;

/// <summary>The full name of a stream. Two tenants may use the same stream id.</summary>
internal readonly record struct StreamAddress(string Tenant, string StreamId)
{
    public static StreamAddress Of(string tenant, string streamId)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(tenant);
        ArgumentException.ThrowIfNullOrWhiteSpace(streamId);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tenant.Length, EventStoreLimits.MaxTenantLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(streamId.Length, EventStoreLimits.MaxStreamIdLength);
        return new StreamAddress(tenant, streamId);
    }
}
