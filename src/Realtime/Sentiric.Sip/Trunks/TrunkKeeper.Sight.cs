using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Sentiric.Sip;

/// <summary>What trunks show of themselves: how long they take to answer, what is up over them, what became of attempts, what the toll rules forbade.</summary>
public sealed partial class TrunkKeeper
{
    private readonly ConcurrentDictionary<string, TimeSpan> roundTrips = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Calls that were placed here and are not over, by trunk.</summary>
    private readonly ConcurrentDictionary<string, int> placed = new(StringComparer.OrdinalIgnoreCase);
    private Func<string, int> callsOf = _ => 0;
    private Counter<long>? attempts;
    private Counter<long>? forbidden;

    private void CreateInstruments()
    {
        meter.CreateObservableGauge(
            "sip.trunk.state", () => Statuses.Select(one => new Measurement<int>((int)one.State, Tag(one))), "{state}", "0: nothing heard yet, 1: up, 2: down.");
        meter.CreateObservableGauge(
            "sip.trunk.options.rtt", () => roundTrips.Select(one => new Measurement<double>(one.Value.TotalSeconds, new KeyValuePair<string, object?>("trunk", one.Key))), "s",
            "From the last OPTIONS that was answered to its answer.");
        meter.CreateObservableGauge(
            "sip.trunk.calls", () => table.All.Select(one => new Measurement<int>(callsOf(one.Name), new KeyValuePair<string, object?>("trunk", one.Name))), "{call}", "Calls over the trunk that are not over.");
        attempts = meter.CreateCounter<long>("sip.trunk.attempts", "{call}", "Calls that were given to the trunk, by what became of them.");
        forbidden = meter.CreateCounter<long>("sip.toll.refused", "{call}", "Calls that the toll rules forbade, by rule.");
    }

    private void CountEnd(SipTrunk trunk, OutgoingCallResult? result)
    {
        string outcome = result switch
        {
            null => "failed",
            { IsAnswered: true } => "answered",
            { WasCancelled: true } => "given_up",
            { Response: null } => "unreachable",
            { StatusCode: >= 500 and < 600 } => "failed",
            _ => "refused",
        };
        attempts?.Add(1, new("trunk", trunk.Name), new KeyValuePair<string, object?>("outcome", outcome));
        if (result?.Dialog is { } answered)
        {
            _ = answered.Ended.ContinueWith(_ => Over(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        else
        {
            Over();
        }

        void Over() => placed.AddOrUpdate(trunk.Name, 0, (_, count) => count - 1);
    }

    private void CountForbidden(string trunk, TollRefusal refusal) =>
        forbidden?.Add(1, new("trunk", trunk), new KeyValuePair<string, object?>("rule", refusal switch
        {
            TollRefusal.None => "none",
            TollRefusal.NoNumber => "no_number",
            TollRefusal.Prefix => "prefix",
            TollRefusal.Host => "host",
            TollRefusal.Concurrent => "concurrent",
            TollRefusal.DayUsedUp => "day_used_up",
            TollRefusal.TooManyAccounts => "too_many_accounts",
        }));
}
