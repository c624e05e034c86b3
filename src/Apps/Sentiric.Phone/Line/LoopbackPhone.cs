using System.Net;
using System.Threading.Channels;
using Sentiric.Media;
using Sentiric.Sip;

namespace Sentiric.Phone;

/// <summary>Settings of a phone; the defaults fit tests on one machine.</summary>
/// <param name="Address">Where SIP and RTP are bound, and what SDP and Contact name.</param>
/// <param name="Media">Shared with other phones of the process; absent: the phone starts and ends its own.</param>
/// <param name="Tls">Who it is over TLS and whom it believes; absent: it has no TLS.</param>
/// <param name="Capabilities">What it offers and answers, when the media are its own; absent: the engine's defaults.</param>
public sealed record PhoneOptions(
    IPAddress? Address = null, MediaEngine? Media = null, SipTimers? Timers = null, SipTlsOptions? Tls = null, MediaCapabilities? Capabilities = null);

/// <summary>A call to place.</summary>
/// <param name="To">SIP URI of whom to call, host and port included.</param>
/// <param name="From">Number or user name of the caller.</param>
/// <param name="Headers">More headers of the INVITE, such as Replaces.</param>
/// <param name="Capabilities">What the offer names; absent: both G.711 laws and telephone events.</param>
public sealed record Dialing(
    SipUri To, string From, string? Name = null, SipTransportKind Transport = SipTransportKind.Udp, SipCredentials? Credentials = null,
    MediaCapabilities? Capabilities = null, TimeSpan? MaxRingTime = null,
    IReadOnlyList<KeyValuePair<string, string>>? Headers = null);

/// <summary>
/// A telephone with real sockets: places calls and takes them, speaks and hears, presses keys, hangs up or just dies.
/// Ports are chosen by the system. Disposing ends its calls with BYE, unless the cable was pulled.
/// </summary>
public sealed class LoopbackPhone : ISipApplication, IAsyncDisposable
{
    /// <summary>Calls that wait to be taken; more are refused with 486.</summary>
    public const int MaxIncoming = 16;

    /// <summary>Messages kept of the trace, the first ones.</summary>
    public const int MaxTrace = 1_000;

    private readonly Channel<PhoneCall> incoming = Channel.CreateBounded<PhoneCall>(MaxIncoming);
    private readonly Cable cable = new();
    private readonly MediaEngine media;
    private readonly bool ownsMedia;
    private readonly IPAddress address;
    private readonly Lock traceGate = new();
    private readonly List<SipTrace> trace = [];
    private SipEndpoint? endpoint; // set once by StartAsync, before the phone is handed out

    private LoopbackPhone(PhoneOptions options)
    {
        address = options.Address ?? IPAddress.Loopback;
        ownsMedia = options.Media is null;
        media = options.Media ?? new MediaEngine(new MediaEngineOptions { LocalAddress = address, Capabilities = options.Capabilities ?? MediaCapabilities.Default });
    }

    /// <summary>Binds UDP, TCP and, where it may, TLS. Throws <see cref="SipListenException"/> when the address is not this machine's.</summary>
    public static async Task<LoopbackPhone> StartAsync(PhoneOptions? options = null, CancellationToken ct = default)
    {
        var phone = new LoopbackPhone(options ?? new PhoneOptions());
        var at = phone.address.ToString();
        try
        {
            phone.endpoint = await SipEndpoint.StartAsync(
                new SipEndpointOptions
                {
                    Listen = options?.Tls is { } tls ? [SipListen.Udp(at), SipListen.Tcp(at), SipListen.OverTls(tls, at)] : [SipListen.Udp(at), SipListen.Tcp(at)],
                    UserAgentName = "sentiric-phone",
                    Network = phone.cable,
                    Sessions = new SipSessionOptions { Transfers = true },
                    Timers = options?.Timers ?? new SipTimers(),
                },
                phone, ct);
            return phone;
        }
        catch
        {
            await phone.DisposeAsync();
            throw;
        }
    }

    /// <summary>Calls for this phone, ringing until they are answered or refused.</summary>
    public ChannelReader<PhoneCall> Incoming => incoming.Reader;

    /// <summary>Decides about the transfers that others ask this phone for (REFER); absent: they are declined.</summary>
    public Func<IncomingReferral, Task<SipAnswer>>? ReferHandler { get; set; }

    /// <summary>What was sent and received, in order, up to <see cref="MaxTrace"/> messages.</summary>
    public IReadOnlyList<SipTrace> Trace
    {
        get { lock (traceGate) return [.. trace]; }
    }

    /// <summary>How to call this phone.</summary>
    public SipUri AddressOf(string user, SipTransportKind transport = SipTransportKind.Udp) =>
        SipUri.Create(user, Endpoint.Binding(transport).Address, TransportParameter(transport));

    /// <summary>Sends the INVITE; the call's <see cref="PhoneCall.Established"/> says what became of it. Throws <see cref="IOException"/> without free ports.</summary>
    public async Task<PhoneCall> DialAsync(Dialing dialing)
    {
        var session = OpenMedia();
        var call = new PhoneCall(this, session, dialing.Capabilities ?? media.Options.Capabilities);
        var from = SipUri.Create(dialing.From, address.ToString());
        call.Ringing(await Endpoint.InviteAsync(new OutgoingInvite
        {
            Target = dialing.To,
            From = NameAddr.Create(dialing.Name, from),
            Offer = session.Offer(call.Capabilities),
            Credentials = dialing.Credentials,
            Headers = dialing.Headers ?? [],
            Transport = dialing.Transport,
            MaxRingTime = dialing.MaxRingTime ?? TimeSpan.FromMinutes(3),
        }));
        return call;
    }

    /// <summary>From now on nothing leaves and nothing arrives: no BYE, no answer, as when the battery is empty.</summary>
    public void PullCable() => cable.Pull();

    public async ValueTask DisposeAsync()
    {
        incoming.Writer.TryComplete();
        if (endpoint is not null) await endpoint.DisposeAsync();
        if (ownsMedia) await media.DisposeAsync();
    }

    async Task ISipApplication.OnInviteAsync(IncomingInvite invite, CancellationToken stopping)
    {
        await invite.RingingAsync();
        var call = new PhoneCall(this, OpenMedia(), media.Options.Capabilities, invite);
        if (incoming.Writer.TryWrite(call)) return;
        await invite.RejectAsync(486);
        await call.DisposeAsync();
    }

    void ISipApplication.OnTrace(SipTrace message)
    {
        lock (traceGate)
        {
            if (trace.Count < MaxTrace) trace.Add(message);
        }
    }

    private static string? TransportParameter(SipTransportKind transport) =>
        transport == SipTransportKind.Udp ? null : transport.ToString().ToLowerInvariant();

    private SipEndpoint Endpoint => endpoint ?? throw new ObjectDisposedException(nameof(LoopbackPhone));

    private MediaSession OpenMedia()
    {
        var opened = media.Open();
        return opened.Session ?? throw new IOException($"The phone has no media port: {opened.Refusal?.Detail}.");
    }
}
