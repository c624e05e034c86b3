namespace Sentiric.Contracts.Services;

/// <summary>
/// The keys that close recordings. Each recording has its own; it opens for as long as the caller is not forgotten. Answered by the role that has the master
/// keys, asked by the role that records.
/// </summary>
public interface IRecordingKeys
{
    /// <summary>A new key. Refusal <c>recording.no_master_key</c>: personal data is kept in the clear here.</summary>
    ValueTask<Result<RecordingKey>> IssueAsync(RecordingKeyWish wish, CancellationToken ct);

    /// <summary>
    /// The key of an envelope. Refusals: <c>recording.erased</c> (the caller was forgotten), <c>recording.tampered</c> (the envelope is not the one that was made
    /// for this recording), <c>recording.no_master_key</c>.
    /// </summary>
    ValueTask<Result<RecordingKey>> OpenAsync(RecordingEnvelope envelope, CancellationToken ct);
}

/// <summary>Whose voice it is.</summary>
/// <param name="From">The caller's address as the call says it.</param>
/// <param name="UserId">The user that the caller was recognised as.</param>
public sealed record RecordedPerson(string? From, Guid? UserId);

/// <param name="Uri">Address of the recording; the envelope opens for no other.</param>
public sealed record RecordingKeyWish(string Tenant, Guid CallId, string Uri, RecordedPerson? Person);

public sealed record RecordingEnvelope(string Tenant, Guid CallId, string Uri, string Envelope);

/// <param name="Key">32 bytes for AES-256-GCM.</param>
/// <param name="Envelope">Lies with the recording; useless without the master key and the caller's data key.</param>
public sealed record RecordingKey(byte[] Key, string Envelope);
