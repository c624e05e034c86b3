using System.Net.Sockets;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Tells a broken world from a refused payload, in words that say what to do.</summary>
internal static class Failures
{
    /// <summary>The typed error for a failure of the database; null when it has none and should surface as it is.</summary>
    public static EventStoreException? Translate(Exception failure) => failure switch
    {
        PostgresException refused => Translate(refused),
        NpgsqlException { InnerException: TimeoutException } timeout when timeout.Message.Contains("pool", StringComparison.OrdinalIgnoreCase) =>
            new EventStoreUnavailableException(
                "All connections of this process are in use. Raise 'Maximum Pool Size' in the connection string or find who keeps connections.", timeout),
        NpgsqlException or SocketException or IOException or TimeoutException or ObjectDisposedException => new EventStoreUnavailableException(
            "The connection to PostgreSQL failed. Check that the server runs and that the connection string names its host and port.", failure),
        _ => null,
    };

    /// <summary>Runs the work and throws the typed error where there is one.</summary>
    public static async ValueTask<T> GuardAsync<T>(Func<ValueTask<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception failure) when (Translate(failure) is { } typed)
        {
            throw typed;
        }
    }

    /// <summary>The server ended the session by itself and says so: shut down, or terminated by an administrator.</summary>
    public static bool IsSessionEnded(PostgresException told) =>
        told.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow;

    public static bool IsConnectionLost(Exception failure) => Translate(failure) is EventStoreUnavailableException;

    private static EventStoreException? Translate(PostgresException refused) => refused.SqlState switch
    {
        PostgresErrorCodes.TooManyConnections => new EventStoreUnavailableException(
            "PostgreSQL takes no more connections. Raise max_connections or lower 'Maximum Pool Size' in the connection strings.", refused),
        PostgresErrorCodes.DiskFull => new EventStoreUnavailableException("The disk of PostgreSQL is full. Make room; nothing was appended.", refused),
        PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow =>
            new EventStoreUnavailableException("PostgreSQL is shutting down or starting. Try again shortly.", refused),
        PostgresErrorCodes.QueryCanceled => new EventStoreUnavailableException(
            "PostgreSQL ended the statement (statement_timeout or an administrator): " + refused.MessageText + ". Nothing was appended; find what blocks, or raise the timeout.", refused),
        PostgresErrorCodes.LockNotAvailable => new EventStoreUnavailableException(
            "PostgreSQL waited longer than lock_timeout for somebody else's lock. Nothing was appended; find who holds it, or raise the timeout.", refused),
        PostgresErrorCodes.ReadOnlySqlTransaction => new EventStoreUnavailableException(
            "This PostgreSQL is read-only: a standby, or a primary that was demoted. Point the connection string at the primary.", refused),
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification or PostgresErrorCodes.InvalidCatalogName =>
            new EventStoreUnavailableException("PostgreSQL refused the log-in: " + refused.MessageText + ". Check user, password and database.", refused),
        PostgresErrorCodes.InsufficientPrivilege => new StoreForbiddenException(refused.MessageText, refused),
        PostgresErrorCodes.UndefinedTable => new EventStoreUnavailableException(
            "The tables of the event store are missing. Call EnsureSchemaAsync at start, or run the exported script.", refused),
        PostgresErrorCodes.InvalidTextRepresentation or PostgresErrorCodes.UntranslatableCharacter
            or PostgresErrorCodes.NumericValueOutOfRange or PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.ProgramLimitExceeded =>
            new EventDataRejectedException("(batch)", refused.MessageText, refused),
        _ => refused.SqlState.StartsWith("08", StringComparison.Ordinal)
            ? new EventStoreUnavailableException("The connection to PostgreSQL failed: " + refused.MessageText, refused)
            : null,
    };
}
