using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Sentiric.Sip;

/// <summary>How a trunk stands.</summary>
/// <param name="Since">When it became what it is; null while nothing was heard.</param>
/// <param name="LastOptions">Null when nobody asks, or nobody has asked yet.</param>
public sealed record TrunkStatus(string Name, TrunkState State, RegistrationStatus? Registration, DateTimeOffset? Since, TrunkOptionsResult? LastOptions);

/// <summary>What came of the last OPTIONS.</summary>
/// <param name="StatusCode">408 for silence, 503 for what could not be sent.</param>
public sealed record TrunkOptionsResult(DateTimeOffset At, int StatusCode, string Reason);

/// <summary>A call to a number through whichever trunk takes it.</summary>
public sealed record TrunkCall
{
    /// <summary>As the carriers want it in the user part, usually E.164 with "+".</summary>
    public required string Number { get; init; }

    /// <summary>Who calls; what of it is shown, the trunk and <see cref="WithholdsIdentity"/> decide.</summary>
    public required NameAddr Caller { get; init; }

    public bool WithholdsIdentity { get; init; }

    /// <summary>SDP for this trunk: its profile may leave out codecs. Asked before each attempt; null gives the call up with 488.</summary>
    public required Func<SipTrunk, ValueTask<string?>> Offer { get; init; }

    /// <summary>Answers offers of the callee, before and after it has answered the call.</summary>
    public Func<SipReinvite, Task<SipReinviteAnswer>>? OfferHandler { get; init; }

    public TimeSpan MaxRingTime { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Told of each attempt before it is known what comes of it; progress is read there.</summary>
    public Action<SipTrunk, OutgoingCall>? Placed { get; init; }
}

/// <summary>What came of it; no trunk and 503 when there was none to ask, 403 when the toll policy forbids it.</summary>
/// <param name="Toll">Why nothing was dialled.</param>
/// <param name="MaxTalk">An answered call must end after this long; whoever placed it sees to that.</param>
public sealed record TrunkCallResult(SipTrunk? Trunk, OutgoingCallResult Result, TollRefusal Toll = TollRefusal.None, TimeSpan MaxTalk = default);

/// <summary>
/// Keeps the trunks of an endpoint: registers where that is asked for, asks each with OPTIONS whether it lives, and places calls through the first one that takes them.
/// Thread-safe.
/// </summary>
public sealed partial class TrunkKeeper : IAsyncDisposable
{
    public const string MeterName = "Sentiric.Sip";
    private readonly SipEndpoint endpoint;
    private readonly TrunkTable table;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Random dice;
    private readonly CancellationTokenSource stopping = new();
    private readonly Meter meter = new(MeterName);
    private readonly Dictionary<string, RegistrationClient> registrations = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<Task> asking = [];
    private readonly Lock gate = new();

    /// <summary>Guarded by the gate, as the dice are.</summary>
    private readonly Dictionary<string, Heard> heard = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="calls">Calls that are up over the trunk of this name, for the gauge <c>sip.trunk.calls</c>; null: only those that were placed here are counted.</param>
    /// <param name="toll">What all calls together may cost; nothing is dialled that it forbids.</param>
    public TrunkKeeper(SipEndpoint endpoint, TrunkTable table, TollPolicy toll, TimeProvider time, ILogger? logger = null, Random? dice = null, Func<string, int>? calls = null)
    {
        this.endpoint = endpoint;
        this.table = table;
        this.toll = toll;
        tolls = table.All.Where(trunk => trunk.Toll is not null).ToDictionary(trunk => trunk.Name, trunk => new TollPolicy(trunk.Toll!, time), StringComparer.OrdinalIgnoreCase);
        this.time = time;
        this.logger = logger ?? NullLogger.Instance;
        this.dice = dice ?? new Random();
        foreach (SipTrunk trunk in table.All)
        {
            if (trunk.Registration is { } registration)
            {
                registrations[trunk.Name] = new RegistrationClient(endpoint, registration, time, new Random(this.dice.Next()), status =>
                    SipLog.Registration(this.logger, trunk.Name, status.State, status.StatusCode, status.Reason, status.Failures, status.NextAt));
            }

            if (trunk is { OptionsEvery: { } every, Target: { } target })
            {
                asking.Add(AskAsync(trunk, target, every));
            }
        }

        callsOf = calls ?? (name => placed.GetValueOrDefault(name));
        CreateInstruments();
        meter.CreateObservableGauge("sip.trunk.up", () => Statuses.Select(one => new Measurement<int>(one.State == TrunkState.Down ? 0 : 1, Tag(one))), "{trunk}", "1 while calls go to the trunk.");
        meter.CreateObservableGauge(
            "sip.trunk.registered",
            () => Statuses.Where(one => one.Registration is not null).Select(one => new Measurement<int>(one.Registration!.State == RegistrationState.Registered ? 1 : 0, Tag(one))),
            "{trunk}", "1 while we are registered at the trunk.");
    }

    /// <summary>The answer of this trunk is noted and the time until the next question has begun.</summary>
    internal event Action<string>? Waiting;

    /// <summary>Every trunk, in the order of the table.</summary>
    public IReadOnlyList<TrunkStatus> Statuses => table.All.Select(trunk =>
    {
        Heard known = HeardOf(trunk);
        return new TrunkStatus(trunk.Name, known.Health.State, registrations.GetValueOrDefault(trunk.Name)?.Status, known.Since, known.LastOptions);
    }).ToList();

    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested)
        {
            return;
        }

        await stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(asking).ConfigureAwait(false);
        await Task.WhenAll(registrations.Values.Select(one => one.DisposeAsync().AsTask())).ConfigureAwait(false);
        meter.Dispose();
    }

    private async Task AskAsync(SipTrunk trunk, SipUri target, TimeSpan every)
    {
        try
        {
            while (true)
            {
                // On a wire with many trunks they shall not all be asked at once.
                Task wait = Task.Delay(every * (0.9 + Random.Shared.NextDouble() / 5), time, stopping.Token);
                Waiting?.Invoke(trunk.Name);
                await wait.ConfigureAwait(false);
                long askedAt = time.GetTimestamp();
                OutgoingRequestResult result = await endpoint.RequestAsync(new OutgoingRequest
                {
                    Method = SipMethod.Options,
                    Target = target,
                    From = NameAddr.Create(null, trunk.Registration?.AddressOfRecord ?? target),
                    Credentials = trunk.Credentials,
                }).WaitAsync(stopping.Token).ConfigureAwait(false);
                var told = new TrunkOptionsResult(time.GetUtcNow(), result.StatusCode, result.Reason);
                if (result.Response is not null)
                {
                    roundTrips[trunk.Name] = time.GetElapsedTime(askedAt);
                }

                Note(trunk, TrunkHealth.IsAnswer(result.StatusCode, result.Response is not null), told, $"OPTIONS was told {result.StatusCode} {result.Reason}");
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or ObjectDisposedException)
        {
            // The endpoint stops.
        }
    }

    private Heard HeardOf(SipTrunk trunk)
    {
        lock (gate)
        {
            return heard.GetValueOrDefault(trunk.Name);
        }
    }

    /// <param name="options">Null when it was a call that told.</param>
    private void Note(SipTrunk trunk, bool answered, TrunkOptionsResult? options, string why)
    {
        TrunkState before, after;
        lock (gate)
        {
            Heard known = heard.GetValueOrDefault(trunk.Name);
            TrunkHealth probed = known.Health.Probed(answered);
            (before, after) = (known.Health.State, probed.State);
            heard[trunk.Name] = new Heard(probed, after == before ? known.Since : time.GetUtcNow(), options ?? known.LastOptions);
        }

        if (after != before)
        {
            SipLog.TrunkChanged(logger, after == TrunkState.Down ? LogLevel.Warning : LogLevel.Information, trunk.Name, after, why);
        }
    }

    private readonly record struct Heard(TrunkHealth Health, DateTimeOffset? Since, TrunkOptionsResult? LastOptions);

    private static KeyValuePair<string, object?> Tag(TrunkStatus status) => new("trunk", status.Name);
}
