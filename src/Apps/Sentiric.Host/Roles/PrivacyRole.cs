using Npgsql;
using Sentiric.Calls.Media;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Dialogue;
using Sentiric.EventStore;
using Sentiric.Host.Settings;
using Sentiric.Read;
using Sentiric.Read.Calls;
using Sentiric.Write;
using Sentiric.Write.Privacy;

namespace Sentiric.Host.Roles;

/// <summary>Protection of personal data where the store is, and the right to be forgotten where commands are. Nothing of it without a master key.</summary>
internal static class PrivacyRole
{
    private static readonly TimeSpan PurgeInterval = TimeSpan.FromDays(1);

    public static void Add(IServiceCollection services, HostSettings settings)
    {
        services.AddSingleton<IRecordingKeys>(s => new RecordingKeys(s.GetService<PersonalDataProtection>() is { } protection ? new AttachmentKeys(protection) : null));
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
        new RecordingErasure(s.GetRequiredService<IEventStore>(), s.GetRequiredService<RecordingPlace>(), settings.Roles.Has(Role.Media)),
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

/// <summary>
/// The audio of the person's calls is deleted, in the folder and in the bucket. What was sealed could not be opened any more as it is, since its key went with
/// the person's; what is in the clear and lies elsewhere is told.
/// </summary>
internal sealed class RecordingErasure(IEventStore store, RecordingPlace place, bool isKeptHere) : IErasureStep
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
                    if (await DeleteAsync(uri, ct)) deleted++;
                    else if (!isKeptHere && !uri.EndsWith(RecordingShelf.SealedSuffix, StringComparison.Ordinal)) elsewhere++;
                }
            }
        }

        return new(deleted, elsewhere == 0 ? null : [$"{elsewhere} recordings are not in the recording folder of this host; delete them where the media role keeps them"]);
    }

    private async ValueTask<bool> DeleteAsync(string uri, CancellationToken ct)
    {
        if (RecordingFolder.PathOf(place.Folder, uri) is not { } path)
        {
            return false;
        }

        var isThere = File.Exists(path);
        if (isThere)
        {
            File.Delete(path);
        }

        if (place.Bucket is { } bucket && await bucket.ExistsAsync(uri, ct))
        {
            await bucket.DeleteAsync(uri, ct);
            isThere = true;
        }

        return isThere;
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
