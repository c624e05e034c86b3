using Microsoft.AspNetCore.Http;
using Sentiric.Contracts;
using Sentiric.EventStore;
using Sentiric.Write.Http;

namespace Sentiric.Write.Ops;

/// <summary>What the store refuses to an operator, as problems with a code.</summary>
internal static class StoreRefusals
{
    public static async Task<IResult> GuardedAsync(Func<Task<IResult>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (EventStoreException refused) when (Of(refused) is not null)
        {
            return CommandHttp.Problem(Of(refused) ?? throw new InvalidOperationException("The refusal changed while it was told.", refused));
        }
    }

    private static Refusal? Of(EventStoreException failure) => failure switch
    {
        TruncationRefusedException => new("stream.truncation_refused", failure.Message),
        StreamInFileException => new("stream.in_file", failure.Message),
        StreamLockedException => new("stream.conflict", failure.Message),
        FileArchiveBusyException => new("files.conflict", failure.Message),
        ArchiveFileException => new("files.broken", failure.Message),
        StoreForbiddenException => new("store.forbidden", failure.Message),
        EventStoreBusyException or EventStoreUnavailableException => new("store.unavailable", failure.Message),
        _ => null,
    };
}
