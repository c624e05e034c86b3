using System.Security.Cryptography;
using Sentiric.EventStore;
using Sentiric.Host.Settings;
using Sentiric.Write;
using Sentiric.Write.Tenants;

namespace Sentiric.Host.Roles;

/// <summary>Demo:Seed makes the demo tenant through the ordinary commands; doing it again changes nothing.</summary>
internal sealed partial class DemoSeed(HostSettings settings, IConfiguration configuration, IEventStore store, CommandRunner runner, ILogger<DemoSeed> logger) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!settings.SeedDemo)
        {
            return;
        }

        var password = configuration["Demo:PhonePassword"] ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
        var seeded = await new SeedDemoTenant(password, settings.SipRealm).RunAsync(store, runner, cancellationToken);
        if (seeded.Refusal is { } refusal)
        {
            LogRefused(refusal.Code, refusal.Why);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Error, Message = "The demo tenant is incomplete: {Code} {Why}")]
    private partial void LogRefused(string code, string why);
}
