namespace Sentiric.Contracts.Queries;

/// <summary>An erasure, or what one would do.</summary>
/// <param name="Id">Null for a dry run.</param>
/// <param name="State">dry_run, begun, destroyed or done.</param>
/// <param name="Keys">Data keys that were, or would be, destroyed.</param>
/// <param name="Streams">Where the person occurs.</param>
public sealed record ErasureReply(
    Guid? Id, string State, string SubjectHash, int Keys, IReadOnlyList<string> Streams, DateTimeOffset? RequestedAt, ErasureReceiptReply? Receipt);

/// <param name="Receipt">The JSON that was signed, byte for byte.</param>
/// <param name="Signature">Base64 over the UTF-8 of <paramref name="Receipt"/>, for the operator.</param>
/// <param name="AuditSignature">Base64 of a DER signature (ECDSA P-256, SHA-256) over the same bytes, for everybody with the public key <paramref name="AuditKeyId"/>; null without an audit key.</param>
public sealed record ErasureReceiptReply(string Receipt, string KeyId, string Algorithm, string Signature, string? AuditKeyId, string? AuditSignature);

/// <summary>Data keys were wrapped anew.</summary>
/// <param name="KeyId">The master key that all of them are under now.</param>
public sealed record RewrapReply(string KeyId);
