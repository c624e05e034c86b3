namespace Sentiric.Contracts.Services;

/// <summary>Calls that have no end yet, over all tenants: what a sip role that comes back from a crash has to close.</summary>
public interface IOpenCalls
{
    /// <summary>Open calls that were received before <paramref name="before"/>, oldest first, at most 1,000.</summary>
    ValueTask<IReadOnlyList<OpenCall>> ListAsync(DateTimeOffset before, CancellationToken ct);
}

/// <param name="AnsweredAt">Null when it never was.</param>
public sealed record OpenCall(Guid CallId, string Tenant, DateTimeOffset ReceivedAt, DateTimeOffset? AnsweredAt);
