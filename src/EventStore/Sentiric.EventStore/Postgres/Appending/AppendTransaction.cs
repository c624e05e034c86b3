using Npgsql;

namespace Sentiric.EventStore;

internal static class AppendTransaction
{
    /// <summary>Not cancelled: a commit under way is carried through. When its connection breaks, nobody knows whether it is stored.</summary>
    public static async ValueTask CommitAsync(NpgsqlTransaction transaction)
    {
        try
        {
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception lost) when (lost is PostgresException told ? Failures.IsSessionEnded(told) : Failures.IsConnectionLost(lost))
        {
            throw new AppendOutcomeUnknownException(lost);
        }
    }
}
