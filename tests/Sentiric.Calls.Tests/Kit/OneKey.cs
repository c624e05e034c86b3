using Sentiric.Contracts;
using Sentiric.Contracts.Services;

namespace Sentiric.Calls.Tests.Kit;

/// <summary>Keys of recordings: none, the same for all, or broken.</summary>
internal sealed class OneKey : IRecordingKeys
{
    public byte[]? Key { get; set; }

    public Exception? Broken { get; set; }

    public RecordingKeyWish? Wished { get; private set; }

    public ValueTask<Result<RecordingKey>> IssueAsync(RecordingKeyWish wish, CancellationToken ct)
    {
        Wished = wish;
        return Answer(wish.Uri);
    }

    public ValueTask<Result<RecordingKey>> OpenAsync(RecordingEnvelope envelope, CancellationToken ct) => Answer(envelope.Uri);

    private ValueTask<Result<RecordingKey>> Answer(string uri)
    {
        if (Broken is { } broken)
        {
            throw broken;
        }

        return ValueTask.FromResult<Result<RecordingKey>>(
            Key is { } key ? new RecordingKey(key, "envelope of " + uri) : new Refusal("recording.no_master_key", "There is none."));
    }
}
