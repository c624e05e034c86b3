using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;

namespace Sentiric.Write.Privacy;

/// <summary>Keys of recordings, sealed with the data key of the caller: whoever forgets the caller closes them for good.</summary>
/// <param name="keys">Absent where there is no master key.</param>
public sealed class RecordingKeys(AttachmentKeys? keys) : IRecordingKeys
{
    private static readonly Refusal NoMasterKey = new("recording.no_master_key", "No master key is configured (Privacy__MasterKeyFile): recordings are neither sealed nor opened.");

    public async ValueTask<Result<RecordingKey>> IssueAsync(RecordingKeyWish wish, CancellationToken ct)
    {
        if (keys is null)
        {
            return NoMasterKey;
        }

        var person = wish.Person is { } caller ? PersonalData.OfRecorded(wish.Tenant, caller) : null;
        var issued = await keys.IssueAsync(wish.Tenant, Streams.Call(wish.CallId), wish.Uri, person, ct);
        return new RecordingKey(issued.Key, issued.Envelope);
    }

    public async ValueTask<Result<RecordingKey>> OpenAsync(RecordingEnvelope envelope, CancellationToken ct)
    {
        if (keys is null)
        {
            return NoMasterKey;
        }

        try
        {
            return await keys.OpenAsync(envelope.Tenant, Streams.Call(envelope.CallId), envelope.Uri, envelope.Envelope, ct) is { } key
                ? new RecordingKey(key, envelope.Envelope)
                : new Refusal("recording.erased", $"The caller of {envelope.CallId} was forgotten: the key of this recording is destroyed.");
        }
        catch (PersonalDataTamperedException)
        {
            return new Refusal("recording.tampered", $"The envelope in {envelope.Uri} was not made for it.");
        }
    }
}
