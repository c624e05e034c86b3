using Npgsql;
using Sentiric.EventStore;
using Sentiric.Host.Settings;

namespace Sentiric.Host.Roles;

/// <summary>Creates the tables that are missing before anything else starts; waits a while for a PostgreSQL that is still starting.</summary>
internal sealed partial class StoreStart(
    PostgresEventStore store, NpgsqlDataSource source, HostSettings settings, TimeProvider clock, ILogger<StoreStart> logger, IErasureRecords? erasures = null) : IHostedService
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
                if (erasures is not null)
                {
                    await erasures.StartAsync(cancellationToken);
                }
                else if (settings.MasterKeys is null && await PostgresSubjectVault.HoldsKeysAsync(source, settings.KeySchema, cancellationToken))
                {
                    throw new StartException(
                        "This database holds sealed personal data, but no master key is configured. Set Privacy__MasterKeyFile to the file that was used before.");
                }

                return;
            }
            catch (MasterKeyException e)
            {
                throw new StartException($"The master keys do not fit this database: {e.Message}", e);
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
