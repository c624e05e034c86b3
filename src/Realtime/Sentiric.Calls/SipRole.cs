using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sentiric.Sip;

namespace Sentiric.Calls;

/// <summary>The sip role: listens, admits known sources, tells the story of every call that comes in or is asked for.</summary>
/// <param name="mirror">Gets every message on the wire; the role disposes it.</param>
/// <param name="toll">What outgoing calls may cost; null: there are none.</param>
public sealed partial class SipRole(
    SipEndpointOptions options, IReadOnlyList<IPNetwork> allowedSources, IncomingCall story, PlacedCall outgoing, OutgoingLines lines, SipLadder ladder, FailSafeVoice failSafe,
    LiveCalls calls, ILogger<SipRole> logger, HepMirror? mirror = null, TollRules? toll = null) : IHostedService, ISipApplication
{
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<IncomingInvite, Task> _running = new();
    private readonly CancellationTokenSource _stopping = new();
    private Task _preparing = Task.CompletedTask;
    private readonly TrunkGate _gate = new(options.Trunks, options.TimeProvider, options.Guard);
    private SipEndpoint? _endpoint;
    private TrunkKeeper? _trunks;

    /// <summary>Where calls are taken; empty before the start.</summary>
    public IReadOnlyList<SipBinding> Bindings => _endpoint?.Bindings ?? [];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _preparing = failSafe.PrepareAsync(options.TimeProvider, _stopping.Token);
        _endpoint = await SipEndpoint.StartAsync(options, this, cancellationToken);
        foreach (var binding in _endpoint.Bindings)
        {
            LogListening(binding.Transport, binding.Address);
        }

        _trunks = new TrunkKeeper(_endpoint, options.Trunks, new TollPolicy(toll ?? new TollRules(), options.TimeProvider), options.TimeProvider, options.Logger, calls: CallsOver);
        lines.Open(_endpoint, _trunks, (options.PublicAddress ?? _endpoint.Bindings[0].Address.Address).ToString());
    }

    /// <summary>Calls that are up are ended with BYE and written down.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_endpoint is null)
        {
            await EndMirrorAsync();
            return;
        }

        LogStopping(calls.Count);
        await _stopping.CancelAsync();
        await _preparing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_trunks is not null)
        {
            await _trunks.DisposeAsync();
        }

        await _endpoint.DisposeAsync();
        await EndMirrorAsync();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(EndTime);
        await Task.WhenAll(_running.Values.Concat(_placing.Values)).WaitAsync(limit.Token).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    public async Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping)
    {
        if (!await _gate.AdmitAsync(invite, stopping))
        {
            return;
        }

        var run = story.RunAsync(invite, stopping);
        _running[invite] = run;
        try
        {
            await run;
        }
        finally
        {
            _running.TryRemove(invite, out _);
        }
    }

    public SipSourceDecision OnSource(SipTransportKind transport, IPEndPoint source)
    {
        foreach (var network in allowedSources)
        {
            if (network.Contains(source.Address))
            {
                return SipSourceDecision.Accept;
            }
        }

        return options.Trunks.Find(source.Address) is null ? SipSourceDecision.Drop : SipSourceDecision.Accept;
    }

    public void OnTrace(SipTrace trace)
    {
        ladder.Trace(trace);
        mirror?.Mirror(trace);
    }

    private ValueTask EndMirrorAsync() => mirror?.DisposeAsync() ?? ValueTask.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "SIP listens on {Transport} {Address}")]
    private partial void LogListening(SipTransportKind transport, IPEndPoint address);

    [LoggerMessage(Level = LogLevel.Information, Message = "SIP stops; {Calls} calls are ended")]
    private partial void LogStopping(int calls);
}
