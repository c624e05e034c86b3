using Npgsql;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;
using Sentiric.Host.Settings;
using Sentiric.Read;
using Sentiric.Read.Calls;
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

        services.AddSingleton(_ => NpgsqlDataSource.Create(PostgresSchema.ConnectionString(settings.Postgres!, settings.StoreOptions)));
        services.AddSingleton(s => new PostgresEventStore(
            s.GetRequiredService<NpgsqlDataSource>(), EventStoreSetup.EventTypes(), s.GetRequiredService<TimeProvider>(),
            settings.StoreOptions with { Protection = s.GetService<PersonalDataProtection>(), OrderKey = s.GetService<AuditKeys>()?.Current }, s.GetRequiredService<ILogger<PostgresEventStore>>()));
        // Before every loop: on a new database there are no tables yet.
        services.AddHostedService<StoreStart>();
        PrivacyRole.Add(services, settings);
        services.AddSingleton<IEventStore>(s => s.GetRequiredService<PostgresEventStore>());
        services.AddSingleton(s => new StoreHealth(
            s.GetRequiredService<NpgsqlDataSource>(), s.GetRequiredService<PostgresEventStore>(), s.GetRequiredService<TimeProvider>(),
            new HealthThresholds { Shards = [ShardName.Of(EventRelay.Name), .. ReadSide.Projections.Select(p => ShardName.Of(p.Name, p.Version))] }));
        services.AddHealthChecks().AddCheck<PostgresHealth>("postgres").AddCheck<EventStoreHealth>("event_store");
        AuditRole.Add(services, settings);
        if (write)
        {
            services.AddSingleton<ICheckpointStore>(s => new PostgresCheckpointStore(s.GetRequiredService<NpgsqlDataSource>()));
            services.AddWriteSide();
            if (settings.StoreOptions.ArchiveFolder is { } folder)
            {
                services.AddSingleton(s => new StreamFiles(
                    s.GetRequiredService<NpgsqlDataSource>(), folder, s.GetRequiredService<TimeProvider>(),
                    settings.StoreOptions with { OrderKey = s.GetService<AuditKeys>()?.Current }, s.GetRequiredService<ILogger<StreamFiles>>()));
            }

            AddLoop(services, "relay", s => s.GetRequiredService<EventRelay>().RunAsync);
            services.AddHostedService<DemoSeed>();
        }

        if (read)
        {
            services.AddSingleton(s => new ProjectionDaemon(
                s.GetRequiredService<NpgsqlDataSource>(), s.GetRequiredService<IEventStore>(), ReadSide.Projections, s.GetRequiredService<TimeProvider>(),
                ProjectionOptionsOf(s), s.GetRequiredService<ILogger<ProjectionDaemon>>()));
            services.AddSingleton<IProjectionManager>(s => new ProjectionManager(
                s.GetRequiredService<NpgsqlDataSource>(), s.GetRequiredService<IEventStore>(), s.GetRequiredService<TimeProvider>()));
            services.AddReadSide(settings.Recording.Folder);
            services.AddSingleton<IRecordingFiles, StoredRecordings>();
            AddLoop(services, "projections", s => s.GetRequiredService<ProjectionDaemon>().RunAsync);
            AddLoop(services, "live feed", s => s.GetRequiredService<LiveFeed>().RunAsync);
            services.AddSingleton(s => CdrSubscription(s.GetRequiredService<ProjectionDaemon>()));
        }
    }

    private static ProjectionOptions ProjectionOptionsOf(IServiceProvider s) => new()
    {
        Erasure = s.GetService<PersonalDataProtection>() is { } protection ? new ErasureReplay(s.GetRequiredService<IEventStore>(), protection) : null,
    };

    // AddHostedService keeps one service of a type; there are several loops.
    internal static void AddLoop(IServiceCollection services, string name, Func<IServiceProvider, Func<CancellationToken, Task>> run) =>
        services.AddSingleton<IHostedService>(s => new Loop(name, run(s), s.GetRequiredService<ILogger<Loop>>()));

    // The CDR is built from the store, which is in order and complete; the bus tells it that a call has ended. The message is acknowledged once
    // the row is committed, so a broker that shows an empty queue shows that every ended call has its record.
    private static BusSubscription CdrSubscription(ProjectionDaemon daemon) => new(
        CdrQueue, ["call.ended"], async (envelope, ct) => await daemon.WaitForAsync("CallRecords", envelope.Sequence, CdrPatience, ct));
}
