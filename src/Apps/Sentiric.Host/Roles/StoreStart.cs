using Npgsql;
using Sentiric.EventStore;

namespace Sentiric.Host.Roles;

/// <summary>Creates the tables that are missing before anything else starts; waits a while for a PostgreSQL that is still starting.</summary>
internal sealed partial class StoreStart(PostgresEventStore store, TimeProvider clock, ILogger<StoreStart> logger) : IHostedService
{
    private const int Attempts = 30;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await store.EnsureSchemaAsync(cancellationToken);
                return;
            }
            catch (Exception e) when (e is EventStoreUnavailableException or NpgsqlException && attempt < Attempts)
            {
                LogWaiting(attempt, Attempts, e.Message);
            }
            catch (Exception e) when (e is EventStoreUnavailableException or NpgsqlException)
            {
                throw new StartException($"PostgreSQL does not answer: {e.Message} Start it ('./sentiric infra up') or correct ConnectionStrings__Postgres.", e);
            }

            await Task.Delay(Pause, clock, cancellationToken);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Warning, Message = "PostgreSQL does not answer yet ({Attempt} of {Attempts}): {Why}")]
    private partial void LogWaiting(int attempt, int attempts, string why);
}
