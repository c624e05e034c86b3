using Microsoft.AspNetCore.Http;
using Sentiric.Contracts;
using Sentiric.EventStore;
using Sentiric.Write.Http;

namespace Sentiric.Write.Ops;

/// <summary>What the store refuses to an operator, and to commands on streams that an operator closed, shortened or put away, as problems with a code.</summary>
internal static class StoreRefusals
{
    public static async Task<IResult> GuardedAsync(Func<Task<IResult>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (EventStoreException refused) when (Of(refused) is { } refusal)
        {
            return CommandHttp.Problem(refusal);
        }
    }

    /// <summary>Null for what is no refusal.</summary>
    private static Refusal? Of(EventStoreException failure) => failure switch
    {
        TruncationRefusedException => new("stream.truncation_refused", failure.Message),
        StreamArchivedException e => new("stream.archived", $"Stream '{e.StreamId}' was closed by an operator and takes nothing more until it is opened again."),
        StreamTruncatedException e => new("stream.truncated", $"The first events of stream '{e.StreamId}' were deleted for good, so nothing more can be decided on it."),
        StreamInFileException => new("stream.in_file", failure.Message),
        StreamLockedException => new("stream.conflict", failure.Message),
        FileArchiveBusyException => new("files.conflict", failure.Message),
        ArchiveFileException => new("files.broken", failure.Message),
        StoreForbiddenException => new("store.forbidden", failure.Message),
        EventStoreBusyException or EventStoreUnavailableException => new("store.unavailable", failure.Message),
        _ => null,
    };
}
