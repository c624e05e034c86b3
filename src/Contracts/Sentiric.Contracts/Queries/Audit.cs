using System.Text.Json.Serialization;

namespace Sentiric.Contracts.Queries;

/// <summary>How far the log is signed.</summary>
/// <param name="Pending">Positions behind the newest checkpoint, holes included: nothing is proven of them yet.</param>
public sealed record AuditState(long Blocks, long Position, long HighWater, long Pending, long Streams, DateTimeOffset? SignedAt, string? KeyId, IReadOnlyList<AuditKeyRow> Keys);

/// <summary>A public key that signed, for <c>openssl</c>.</summary>
public sealed record AuditKeyRow(string KeyId, DateTimeOffset IntroducedAt, string EndorsedBy, string Pem);

/// <summary>How far a verification is; <paramref name="Total"/> is 0 while it is not known.</summary>
public sealed record AuditProgress(string Phase, long Done, long Total);

/// <summary>The outcome of a verification.</summary>
/// <param name="Removals">What is gone by right. A signature does not make a record true: the reader must know each of them.</param>
public sealed record AuditVerdict(
    bool Sound, long Events, long Streams, long Blocks, long Pending, long Removed, IReadOnlyList<AuditRemoval> Removals, long FindingCount,
    IReadOnlyList<AuditFindingRow> Findings, double Seconds);

/// <param name="File">Where the events lie now; absent when they were deleted.</param>
/// <param name="SignedAt">When the record was signed; absent when it is not yet.</param>
/// <param name="OrderedBy">Id of the key that ordered it.</param>
/// <param name="Order">Absent where an older platform answers.</param>
public sealed record AuditRemoval(
    string Tenant, string Stream, long UpToVersion, string Why, string? Actor, DateTimeOffset At, string? File, DateTimeOffset? SignedAt, string? OrderedBy = null, RemovalOrdering? Order = null);

/// <summary>Who vouches for a removal.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RemovalOrdering>))]
public enum RemovalOrdering
{
    /// <summary>A key of the platform signed it, with the removal itself.</summary>
    [JsonStringEnumMemberName("ordered")] Ordered,

    /// <summary>None did, and none had ordered a removal before: the reader must know it.</summary>
    [JsonStringEnumMemberName("before_orders")] BeforeOrders,

    /// <summary>None vouches for it although removals before it were ordered: somebody else took the events away.</summary>
    [JsonStringEnumMemberName("not_ordered")] NotOrdered,
}

/// <summary>One thing that is not as it was signed.</summary>
public sealed record AuditFindingRow(
    string Kind, string Table, string What, long? Position, string? Tenant, string? Stream, long? Version, long? Block, IReadOnlyList<string> Columns);
