using System.Collections.Concurrent;
using Sentiric.Scenarios.Kit;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Sip.Rfc;

/// <summary>
/// One endpoint of ours for each <see cref="SippEnd"/>, shared by all scenarios. Most of a scenario is
/// waiting, so some that follow in the table run beside the one that is asked for.
/// </summary>
public sealed class SippStage : IAsyncLifetime
{
    public const string Realm = "sentiric", Password = "sesli-harfler-8";
    private const int SideBySide = 8;
    private static readonly string[] Users = ["ayse", "birsen", "cem", "derya", "ege"];
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan BriskT1 = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<string, Lazy<Task<string?>>> runs = new();
    private readonly SippPartners partners = new();
    private readonly MemoryCredentialStore accounts = new();
    private readonly Dictionary<SippEnd, SipEndpoint> ends = []; // filled before the first scenario

    public async Task InitializeAsync()
    {
        foreach (var user in Users)
        {
            accounts.Put(SipAccount.Create(Realm, user, Password, $"sip:{user}@{Realm}"));
        }

        ends[SippEnd.Usual] = await StartAsync(new SipTimers(), null);
        ends[SippEnd.Brisk] = await StartAsync(new SipTimers { T1 = BriskT1 }, null);
        ends[SippEnd.Sessions] = await StartAsync(new SipTimers(), null, new SipSessionOptions { Transfers = true, Interval = Interval });
        ends[SippEnd.Md5] = await StartAsync(new SipTimers(), [DigestAlgorithm.Md5]);
    }

    /// <summary>Null when the scenario went as written.</summary>
    internal Task<string?> RunAsync(string file)
    {
        var all = RfcScenarios.All;
        var first = all.TakeWhile(row => row.File != file).Count();
        foreach (var row in all.Skip(first).Take(SideBySide))
        {
            _ = Run(row);
        }

        return Run(all[first]);
    }

    public async Task DisposeAsync()
    {
        await Task.WhenAll(runs.Values.Select(run => run.Value));
        foreach (var end in ends.Values)
        {
            await end.DisposeAsync();
        }
    }

    private Task<string?> Run(RfcScenario row) => runs.GetOrAdd(row.File, _ => new(() => PlayAsync(row))).Value;

    private async Task<string?> PlayAsync(RfcScenario row)
    {
        var endpoint = ends[row.End];
        try
        {
            return row.Role switch { SippRole.Calls => await CallsAsync(row, endpoint), SippRole.IsCalled => await IsCalledAsync(row, endpoint) };
        }
        catch (Exception e)
        {
            return $"{row.File}: {e}";
        }
    }

    private async Task<string?> CallsAsync(RfcScenario row, SipEndpoint endpoint)
    {
        var target = endpoint.Binding(row.Tcp ? SipTransportKind.Tcp : SipTransportKind.Udp).Address.ToString();
        var callId = $"{Guid.NewGuid():N}@sipp";
        var fault = await Sipp.RunAsync(
            row.File, FreePorts.Next(), ["-s", row.Whom, "-t", row.Tcp ? "t1" : "u1", "-cid_str", callId, .. row.More, target]);
        return fault ?? (partners.Faults.TryRemove(callId, out var ours) ? ours : null);
    }

    private static async Task<string?> IsCalledAsync(RfcScenario row, SipEndpoint endpoint)
    {
        var port = FreePorts.Next();
        var sipp = Sipp.RunAsync(row.File, port, row.More);
        string? ours = null;
        try
        {
            await Sipp.ListensAsync(port);
            await SippCallers.RunAsync(row.Whom, endpoint, port);
        }
        catch (Exception e)
        {
            ours = e.ToString();
        }

        var theirs = await sipp;
        return ours is null && theirs is null ? null : $"ours: {ours}\ntheirs: {theirs}";
    }

    private async Task<SipEndpoint> StartAsync(SipTimers timers, IReadOnlyList<DigestAlgorithm>? algorithms, SipSessionOptions? sessions = null) => await SipEndpoint.StartAsync(
        new SipEndpointOptions
        {
            Listen = [SipListen.Udp("127.0.0.1"), SipListen.Tcp("127.0.0.1")],
            Timers = timers,
            Sessions = sessions ?? new SipSessionOptions(),
            Registrar = new Registrar(new DigestServer(Realm, accounts, TimeProvider.System, null, algorithms), new MemoryLocationStore(), TimeProvider.System),
        },
        partners);
}
