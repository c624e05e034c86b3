using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Sentiric.Calls.Registration;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Sip;
using Sentiric.Testing;
using Sentiric.Testing.Loopback;

namespace Sentiric.Calls.Tests.Kit;

/// <summary>
/// The sip role over the real stack on a loopback UDP port, its neighbours in memory. The story's clock stands still until a test moves it;
/// SIP timers run in real time.
/// </summary>
internal sealed class Switchboard : IAsyncDisposable
{
    private readonly FactWriter _facts;
    private readonly SipRole _role;
    private readonly List<UdpPhone> _phones = [];
    private readonly OutgoingLines _lines;
    private bool _stopped;

    private Switchboard(int maxCalls, TimeSpan t1, TrunkTable trunks, IMediaSessions? media, TollRules? toll)
    {
        Calls = new LiveCalls(maxCalls);
        _facts = new FactWriter(Journal, Clock, NullLogger<FactWriter>.Instance);
        var ladder = new SipLadder();
        var failSafe = new FailSafeVoice(Neighbours, Neighbours, NullLogger<FailSafeVoice>.Instance);
        var lines = _lines = new OutgoingLines(new Phones(Neighbours, _facts, Realm, [], Locations, TimeProvider.System));
        var conversation = new Conversation(media ?? Neighbours, failSafe, ladder, lines, CallOptions.Default, Clock, NullLogger<Conversation>.Instance);
        var story = new IncomingCall(
            Neighbours, Neighbours, media ?? Neighbours, conversation, Calls, ladder, _facts, CallOptions.Default, Clock, NullLogger<IncomingCall>.Instance);
        var placed = new PlacedCall(
            Neighbours, media ?? Neighbours, conversation, lines, Calls, ladder, _facts, CallOptions.Default, Clock, NullLogger<PlacedCall>.Instance);
        var options = new SipEndpointOptions
        {
            Listen = [SipListen.Udp()], Timers = new SipTimers { T1 = t1 }, Trunks = trunks,
            Sessions = new SipSessionOptions { Transfers = trunks.All.Any(trunk => trunk.TakesRefer) },
        };
        _role = new SipRole(options, [IPNetwork.Parse("127.0.0.0/8")], story, placed, lines, ladder, failSafe, Calls, NullLogger<SipRole>.Instance, toll: toll);
    }

    private const string Realm = "sentiric";

    public ManualTime Clock { get; } = new();

    private MemoryLocationStore Locations { get; } = new();

    /// <summary>A user of the tenant has the name, and telephones at these places have registered with it.</summary>
    public async Task RegisterAsync(string userName, params string[] contacts)
    {
        Neighbours.Owners[userName] = Neighbours.Tenant;
        await Locations.UpdateAsync(
            $"sip:{userName}@{Realm}",
            _ => [.. contacts.Select(SipUri.Parse).Select(uri => new SipLocation(uri, "register", 1, DateTimeOffset.MaxValue, IPEndPoint.Parse($"{uri.Host}:{uri.Port}"), SipTransportKind.Udp))],
            CancellationToken.None);
    }

    public JournalRecorder Journal { get; } = new();

    public Neighbours Neighbours { get; } = new();

    public LiveCalls Calls { get; }

    public SipRole Role => _role;

    public static async Task<Switchboard> StartAsync(int maxCalls = 10, int t1Ms = 500, TrunkTable? trunks = null, IMediaSessions? media = null, TollRules? toll = null)
    {
        var board = new Switchboard(maxCalls, TimeSpan.FromMilliseconds(t1Ms), trunks ?? TrunkTable.None, media, toll);
        await board._role.StartAsync(CancellationToken.None);
        return board;
    }

    public UdpPhone Phone()
    {
        var phone = new UdpPhone(_role.Bindings[0].Address);
        _phones.Add(phone);
        return phone;
    }

    /// <summary>A phone on a call that waits for an agent.</summary>
    public async Task<UdpPhone> AnsweredAsync()
    {
        var phone = Phone();
        await phone.CallAsync();
        await Journal.UntilAsync<CallStarted>();
        return phone;
    }

    /// <summary>What the records say was talked today, as a start of the role takes it over.</summary>
    public Task CountMinutesAsync(params TrunkTalkTime[] talked) =>
        new UsedMinutes(new TalkTimes(talked), _lines, Clock, NullLogger<UsedMinutes>.Instance).CountAsync(Clock.GetUtcNow(), CancellationToken.None);

    public Guid CallId => Streams.CallIdOf(Journal.All[0].Stream)!.Value;

    /// <summary>Something comes over the bus about the one call that is up.</summary>
    public void Hear(string type, object? data = null, string tenant = Neighbours.Tenant) => CallControl.Handle(Calls, new(
        Guid.NewGuid(), type, 1, Streams.Call(CallId), 0, Clock.GetUtcNow(), tenant, CallId, null, null, "test", JsonSerializer.SerializeToElement(data ?? new { }, Wire.Json)));

    public void Terminate(string tenant = Neighbours.Tenant) =>
        Hear(BusCommands.TerminateCall, new TerminateCall(CallId, CallEndReason.Terminated, HungUpBy.System), tenant);

    /// <summary>Moves the story's clock once the story has set as many timers.</summary>
    public async Task AdvanceAsync(TimeSpan by, int timers)
    {
        using var limit = new CancellationTokenSource(Soon.Patience);
        while (Clock.Waiting < timers)
        {
            Assert.False(limit.IsCancellationRequested, $"Waited for {timers} timers of the story; there are {Clock.Waiting}.");
            await Task.Yield();
        }

        Clock.Advance(by);
    }

    /// <summary>The whole story once the call has ended and everything of it is released.</summary>
    public async Task<IReadOnlyList<object>> EndedAsync()
    {
        var story = await Journal.UntilAsync<CallEnded>();
        Assert.Empty(Neighbours.Open);
        return story;
    }

    public async Task StopAsync()
    {
        _stopped = true;
        await Soon.Within(_role.StopAsync(CancellationToken.None), "the sip role to stop");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_stopped)
        {
            await StopAsync();
        }

        _phones.ForEach(p => p.Dispose());
        await _facts.DisposeAsync();
    }

    private sealed class TalkTimes(IReadOnlyList<TrunkTalkTime> talked) : ITalkTime
    {
        public ValueTask<IReadOnlyList<TrunkTalkTime>> BetweenAsync(DateTimeOffset since, DateTimeOffset before, CancellationToken ct) => ValueTask.FromResult(talked);
    }
}
