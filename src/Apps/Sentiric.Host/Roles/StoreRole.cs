using Npgsql;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;
using Sentiric.Host.Settings;
using Sentiric.Read;
using Sentiric.Read.Live;
using Sentiric.Write;
using Sentiric.Write.Relay;

namespace Sentiric.Host.Roles;

/// <summary>The roles that live on PostgreSQL: write with its relay, read with its projections.</summary>
internal static class StoreRole
{
    private const string CdrQueue = "sentiric.cdr";
    private static readonly TimeSpan CdrPatience = TimeSpan.FromSeconds(20);

    public static void Add(IServiceCollection services, HostSettings settings)
    {
        var (write, read) = (settings.Roles.Has(Role.Write), settings.Roles.Has(Role.Read));
        if (!write && !read)
        {
            return;
        }

        services.AddSingleton(_ => NpgsqlDataSource.Create(settings.Postgres!));
        services.AddSingleton(s => new PostgresEventStore(
            s.GetRequiredService<NpgsqlDataSource>(), EventStoreSetup.EventTypes(), s.GetRequiredService<TimeProvider>(),
            logger: s.GetRequiredService<ILogger<PostgresEventStore>>()));
        services.AddSingleton<IEventStore>(s => s.GetRequiredService<PostgresEventStore>());
        services.AddHostedService<StoreStart>();
        services.AddHealthChecks().AddCheck<PostgresHealth>("postgres");
        if (write)
        {
            services.AddSingleton<ICheckpointStore>(s => new PostgresCheckpointStore(s.GetRequiredService<NpgsqlDataSource>()));
            services.AddWriteSide();
            services.AddHostedService(s => new Loop("relay", s.GetRequiredService<EventRelay>().RunAsync, s.GetRequiredService<ILogger<Loop>>()));
            services.AddHostedService<DemoSeed>();
        }

        if (read)
        {
            services.AddSingleton(s => new ProjectionDaemon(
                s.GetRequiredService<NpgsqlDataSource>(), s.GetRequiredService<IEventStore>(), ReadSide.Projections, s.GetRequiredService<TimeProvider>(),
                logger: s.GetRequiredService<ILogger<ProjectionDaemon>>()));
            services.AddReadSide(settings.RecordingFolder);
            services.AddHostedService(s => new Loop("projections", s.GetRequiredService<ProjectionDaemon>().RunAsync, s.GetRequiredService<ILogger<Loop>>()));
            services.AddHostedService(s => new Loop("live feed", s.GetRequiredService<LiveFeed>().RunAsync, s.GetRequiredService<ILogger<Loop>>()));
            services.AddSingleton(s => CdrSubscription(s.GetRequiredService<ProjectionDaemon>()));
        }
    }

    // The CDR is built from the store, which is in order and complete; the bus tells it that a call has ended. The message is acknowledged once
    // the row is committed, so a broker that shows an empty queue shows that every ended call has its record.
    private static BusSubscription CdrSubscription(ProjectionDaemon daemon) => new(
        CdrQueue, ["call.ended"], async (envelope, ct) => await daemon.WaitForAsync("CallRecords", envelope.Sequence, CdrPatience, ct));
}
