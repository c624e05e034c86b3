using System.Security.Cryptography;
using Npgsql;
using Sentiric.EventStore;
using Sentiric.EventStore.Proofs;
using Sentiric.Host.Settings;
using Sentiric.Read.Ops;

namespace Sentiric.Host.Roles;

/// <summary>The audit trail: the write role signs the log, the read role verifies and proves. Both know the key by its file.</summary>
internal static class AuditRole
{
    public static void Add(IServiceCollection services, HostSettings settings)
    {
        services.AddSingleton(s => new AuditTrail(s.GetRequiredService<NpgsqlDataSource>(), s.GetRequiredService<IEventStore>(), s.GetRequiredService<TimeProvider>()));
        // Made at once: a key that cannot be read stops the start, not the first signature.
        var keys = settings.AuditEnabled ? Keys(settings) : null;
        // A new key vouches for what it signed itself; what the former one signed last, and the removals that it ordered, rest on the former one.
        services.AddSingleton(new AuditTrust(keys is null ? [] : [keys.Current.Public, .. keys.Former.Select(k => k.Public)]));
        if (keys is null || !settings.Roles.Has(Role.Write)) return;
        services.AddSingleton(keys);
        services.AddSingleton(s => new AuditNotary(
            s.GetRequiredService<NpgsqlDataSource>(), s.GetRequiredService<IEventStore>(), keys,
            new AuditOptions { Interval = TimeSpan.FromSeconds(settings.AuditIntervalSeconds), AnchorFile = settings.AuditAnchorFile },
            s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<AuditNotary>>()));
        StoreRole.AddLoop(services, "notary", s => s.GetRequiredService<AuditNotary>().RunAsync);
    }

    private static AuditKeys Keys(HostSettings settings)
    {
        try
        {
            return settings.AuditFormerKeyFile is { } former
                ? AuditKeys.Of(AuditKey.OfFile(settings.AuditKeyFile), AuditKey.OfPem(File.ReadAllText(former)))
                : AuditKeys.Of(AuditKey.OfFile(settings.AuditKeyFile));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new SettingsException(
                $"The audit key in '{settings.AuditKeyFile}' (Audit__KeyFile, Audit__FormerKeyFile) cannot be read or made: {e.Message} Name a file in a folder that this program may write to, or say Audit__Enabled=false.");
        }
    }
}
