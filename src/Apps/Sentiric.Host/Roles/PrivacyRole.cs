using Npgsql;
using Sentiric.Contracts.Events;
using Sentiric.Dialogue;
using Sentiric.EventStore;
using Sentiric.Host.Settings;
using Sentiric.Read;
using Sentiric.Write;
using Sentiric.Write.Privacy;

namespace Sentiric.Host.Roles;

/// <summary>Protection of personal data where the store is, and the right to be forgotten where commands are. Nothing of it without a master key.</summary>
internal static class PrivacyRole
{
    private static readonly TimeSpan PurgeInterval = TimeSpan.FromDays(1);

    public static void Add(IServiceCollection services, HostSettings settings)
    {
        if (settings.MasterKeys is not { } master)
        {
            return;
        }

        services.AddSingleton(PersonalData.Map());
        services.AddSingleton<ISubjectVault>(s => new PostgresSubjectVault(s.GetRequiredService<NpgsqlDataSource>(), master, settings.KeySchema));
        services.AddSingleton(s => new PersonalDataProtection(
            s.GetRequiredService<PersonalDataMap>(), s.GetRequiredService<ISubjectVault>(), s.GetRequiredService<TimeProvider>()));
        if (!settings.Roles.Has(Role.Write))
        {
            return;
        }

        services.AddSingleton(master);
        services.AddSingleton<IErasureRecords>(s => new PostgresErasureRecords(s.GetRequiredService<NpgsqlDataSource>()));
        services.AddSingleton(s => new Eraser(
            s.GetRequiredService<IEventStore>(), s.GetRequiredService<PersonalDataProtection>(), s.GetRequiredService<IErasureRecords>(),
            new MasterKeySigner(master, s.GetService<AuditKeys>()?.Current), s.GetRequiredService<TimeProvider>(), Steps(s, settings)));
        services.AddSingleton<ErasePerson>();
        services.AddSingleton<IHostedService>(s => new Loop(
            "erasures", ct => KeepLogAsync(s.GetRequiredService<Eraser>(), s.GetRequiredService<IErasureRecords>(), settings, s.GetRequiredService<TimeProvider>(), ct),
            s.GetRequiredService<ILogger<Loop>>()));
    }

    private static IReadOnlyList<IErasureStep> Steps(IServiceProvider s, HostSettings settings) =>
    [
        new RecordingErasure(s.GetRequiredService<IEventStore>(), settings.RecordingFolder, settings.Roles.Has(Role.Media)),
        new CallStateErasure(s.GetService<ICallState>()),
        .. PostgresErasureSteps.All(s.GetRequiredService<NpgsqlDataSource>(), s.GetRequiredService<PersonalDataMap>(), ReadSide.Projections, s.GetRequiredService<TimeProvider>()),
    ];

    // What a crash interrupted is finished first; then the log of erasures is kept for as long as the law wants it, and no longer.
    private static async Task KeepLogAsync(Eraser eraser, IErasureRecords records, HostSettings settings, TimeProvider clock, CancellationToken ct)
    {
        await eraser.ResumeAsync(ct);
        while (!ct.IsCancellationRequested)
        {
            await records.PurgeAsync(clock.GetUtcNow().AddYears(-settings.ErasureLogYears), ct);
            await Task.Delay(PurgeInterval, clock, ct);
        }
    }
}

/// <summary>The audio of the person's calls is deleted: it lies in files, and no key of ours opens or closes them.</summary>
internal sealed class RecordingErasure(IEventStore store, string folder, bool isKeptHere) : IErasureStep
{
    public string Name => "recordings";

    public async ValueTask<ErasureOutcome> EraseAsync(ErasureContext context, CancellationToken ct)
    {
        var (deleted, elsewhere) = (0, 0);
        foreach (var stream in context.Record.Streams.Where(s => Streams.CallIdOf(s.StreamId) is not null))
        {
            await foreach (var recorded in store.ReadStreamAsync(stream.Tenant, stream.StreamId, ct: ct))
            {
                if (store.Serializer.Deserialize(recorded) is RecordingStarted { Uri: var uri })
                {
                    if (Delete(uri)) deleted++;
                    else if (!isKeptHere) elsewhere++;
                }
            }
        }

        return new(deleted, elsewhere == 0 ? null : [$"{elsewhere} recordings are not in the recording folder of this host; delete them where the media role keeps them"]);
    }

    private bool Delete(string uri)
    {
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var path = Path.GetFullPath(Path.Combine(root, uri));
        if (!path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal) || !File.Exists(path))
        {
            return false;
        }

        File.Delete(path);
        return true;
    }
}

/// <summary>What the agent remembers of a call between two steps, in Redis or in memory.</summary>
internal sealed class CallStateErasure(ICallState? state) : IErasureStep
{
    public string Name => "call_state";

    public async ValueTask<ErasureOutcome> EraseAsync(ErasureContext context, CancellationToken ct)
    {
        var removed = 0;
        foreach (var call in context.Record.Streams.Select(s => Streams.CallIdOf(s.StreamId)).OfType<Guid>().TakeWhile(_ => state is not null))
        {
            if (state is not null && await state.GetAsync(call, ct) is not null)
            {
                await state.RemoveAsync(call, ct);
                removed++;
            }
        }

        return new(removed);
    }
}
