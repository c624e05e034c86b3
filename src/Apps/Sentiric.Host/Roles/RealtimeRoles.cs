using System.Net;
using System.Text.Json;
using Sentiric.Calls;
using Sentiric.Calls.Media;
using Sentiric.Calls.Registration;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Dialogue;
using Sentiric.Host.Settings;
using Sentiric.Media;
using Sentiric.Sip;
using Sentiric.Speech;

namespace Sentiric.Host.Roles;

/// <summary>The roles that touch a live call: sip, media, agent.</summary>
internal static class RealtimeRoles
{
    /// <summary>RFC 4028 4.2 recommends half an hour: a caller whose network died without a BYE is noticed by then, also where no RTP tells.</summary>
    private static readonly TimeSpan SessionInterval = TimeSpan.FromMinutes(30);

    public static void Add(IServiceCollection services, HostSettings settings)
    {
        if (settings.Roles.Has(Role.Sip) || settings.Roles.Has(Role.Media))
        {
            services.AddSingleton<FactWriter>();
        }

        if (settings.Roles.Has(Role.Media))
        {
            AddMedia(services, settings);
        }

        if (settings.Roles.Has(Role.Agent))
        {
            AddAgent(services, settings);
        }

        if (settings.Roles.Has(Role.Sip))
        {
            AddSip(services, settings);
        }
    }

    private static void AddMedia(IServiceCollection services, HostSettings settings)
    {
        var (from, to) = settings.MediaPorts;
        var (music, codecs) = (MusicOf(settings.HoldMusic), CodecsOf(settings));
        services.AddSingleton(s => new MediaEngine(
            new MediaEngineOptions
            {
                LocalAddress = settings.MediaAddress,
                AdvertisedAddress = settings.MediaPublicAddress,
                Ports = from == 0 ? PortRange.KernelChosen : new PortRange(from, to),
                Capabilities = codecs with { Srtp = settings.MediaSrtp, ComfortNoise = settings.ComfortNoise },
                Leg = new MediaLegOptions { NoRtpAfter = TimeSpan.FromSeconds(settings.MediaTimeoutSeconds) },
            },
            s.GetRequiredService<ILogger<MediaEngine>>()));
        services.AddSingleton(s => new MediaSessions(
            s.GetRequiredService<MediaEngine>(), s.GetRequiredService<FactWriter>(), s.GetRequiredService<RecordingShelf>(), s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<ILogger<MediaSessions>>(), music));
        services.AddSingleton<IMediaSessions>(s => s.GetRequiredService<MediaSessions>());
        services.AddSingleton<RecordingShelf>();
        StoreRole.AddLoop(services, "recordings", s => s.GetRequiredService<RecordingShelf>().KeepAsync);
    }

    // The engine leaves out, and says so, what the machine lacks; with nothing left every call would be refused.
    private static MediaCapabilities CodecsOf(HostSettings settings)
    {
        var capabilities = MediaCapabilities.Default with { Codecs = settings.Codecs };
        return capabilities.Present().Codecs.Count > 0
            ? capabilities
            : throw new SettingsException($"Media__Codecs names opus alone, and its library is not on this machine: install {OpusLibrary.Package} or name another codec.");
    }

    private static HoldMusic MusicOf(string? setting)
    {
        try
        {
            return setting is null ? HoldMusic.Generated : setting == "none" ? HoldMusic.None : HoldMusic.From(setting);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new SettingsException($"Media__HoldMusic is '{setting}': {e.Message} A WAV file, a folder of them, or none is needed.");
        }
    }

    private static void AddAgent(IServiceCollection services, HostSettings settings)
    {
        services.AddSingleton<ICallControl>(s => new BusCallControl(s.GetRequiredService<IEventBus>, s.GetRequiredService<TimeProvider>()));
        services.AddAgentSide(new DialogueOptions
        {
            Redis = settings.Redis,
            Llm = settings.LlmUrl is { } url ? new LlmOptions { BaseUrl = url.ToString().TrimEnd('/'), Model = settings.LlmModel, ApiKey = settings.LlmKey } : null,
        });
        services.AddSingleton(s => s.GetRequiredService<AgentWorker>().Subscription);
    }

    private static void AddSip(IServiceCollection services, HostSettings settings)
    {
        services.AddSingleton(new LiveCalls(settings.SipMaxCalls));
        services.AddSingleton(new SipLadder(settings.Sip.KeepsMessages));
        services.AddSingleton<FailSafeVoice>();
        services.AddSingleton(CallOptions.Default);
        services.AddSingleton<OutgoingLines>();
        services.AddSingleton<Conversation>();
        services.AddSingleton<IncomingCall>();
        services.AddSingleton<PlacedCall>();
        services.AddSingleton(s => CallControl.Subscription(s.GetRequiredService<LiveCalls>(), requested => s.GetRequiredService<SipRole>().Place(requested)));
        var listen = SipListenText.Parse(settings.SipListen, settings.SipTls, settings.Sip.WebSocket);
        services.AddSingleton(s => new SipGuard(
            s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<SipGuard>>(), ScannerFilter.Usual, new DigestLockOut(new LockOutLimits(), s.GetRequiredService<TimeProvider>())));
        services.AddSingleton<ILocationStore>(s => settings.Redis is { } redis
            ? new RedisLocations(new RedisLink(redis), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<RedisLocations>>())
            : new MemoryLocationStore());
        services.AddSingleton(s => new Phones(
            s.GetRequiredService<IUsers>(), s.GetRequiredService<FactWriter>(), settings.SipRealm,
            [.. listen.Select(l => l.Address.Address.ToString()).Distinct()], s.GetRequiredService<ILocationStore>(), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<SipGuard>()));
        services.AddSingleton(s => new SipRole(
            new SipEndpointOptions
            {
                Listen = listen,
                UserAgentName = "Sentiric",
                PublicAddress = settings.SipPublicAddress,
                Locator = SipLocator.OfThisMachine(s.GetRequiredService<TimeProvider>(), settings.Sip.NameServers),
                Trunks = settings.Sip.Trunks,
                Guard = s.GetRequiredService<SipGuard>(),
                Registrar = s.GetRequiredService<Phones>().Registrar(),
                Sessions = new SipSessionOptions { Interval = SessionInterval, Transfers = settings.Sip.Trunks.All.Any(trunk => trunk.TakesRefer) },
                Logger = s.GetRequiredService<ILogger<SipEndpoint>>(),
            },
            settings.SipAllowedSources, s.GetRequiredService<IncomingCall>(), s.GetRequiredService<PlacedCall>(), s.GetRequiredService<OutgoingLines>(), s.GetRequiredService<SipLadder>(), s.GetRequiredService<FailSafeVoice>(),
            s.GetRequiredService<LiveCalls>(), s.GetRequiredService<ILogger<SipRole>>(), settings.Sip.Hep is { } hep ? HepMirror.Start(hep, s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<HepMirror>>()) : null,
            settings.Sip.Toll));
        services.AddSingleton<ITrunks>(s => s.GetRequiredService<SipRole>());
        services.AddSingleton<IRegistrations>(s => new PhoneList(
            s.GetRequiredService<IExtensions>(), s.GetRequiredService<Phones>(), s.GetRequiredService<ILocationStore>(), s.GetRequiredService<FactWriter>(), settings.SipRealm,
            s.GetRequiredService<TimeProvider>()));
        services.AddHostedService(s => s.GetRequiredService<SipRole>());
        services.AddHealthChecks().AddCheck<TrunkHealthCheck>("trunks");
        services.AddHostedService<OrphanedCalls>();
        services.AddHostedService<UsedMinutes>();
    }

    /// <summary>The agent ends a call through the bus, whichever process holds the dialog. The bus asks for the agent's subscription when it is made,
    /// so the agent asks for the bus only when it needs it.</summary>
    private sealed class BusCallControl(Func<IEventBus> bus, TimeProvider clock) : ICallControl
    {
        public Task TerminateAsync(string tenant, TerminateCall command, CancellationToken ct)
        {
            var now = clock.GetUtcNow();
            return bus().PublishAsync(
                new(Guid.CreateVersion7(now), BusCommands.TerminateCall, 1, Streams.Call(command.CallId), 0, now, tenant, command.CallId, null, null, "agent",
                    JsonSerializer.SerializeToElement(command, Wire.Json)), ct);
        }
    }
}

/// <summary>"udp://127.0.0.1:5060,tls://0.0.0.0:5061,wss://[::]:8443" as the SIP stack wants it.</summary>
public static class SipListenText
{
    public static IReadOnlyList<SipListen> Parse(string text, SipTlsOptions? tls, SipWebSocketOptions? webSocket = null) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(one => One(one, tls) with { WebSocket = webSocket ?? new() })];

    private static SipListen One(string text, SipTlsOptions? tls)
    {
        var address = Uri.TryCreate(text, UriKind.Absolute, out var uri) && IPAddress.TryParse(uri.Host.Trim('[', ']'), out var ip) ? new IPEndPoint(ip, Math.Max(uri.Port, 0)) : null;
        return (uri?.Scheme, address) switch
        {
            ("udp", { } at) => new(SipTransportKind.Udp, at),
            ("tcp", { } at) => new(SipTransportKind.Tcp, at),
            ("tls", { } at) => new(SipTransportKind.Tls, at, Certificate(text, tls)),
            ("ws", { } at) => new(SipTransportKind.Ws, at),
            ("wss", { } at) => new(SipTransportKind.Wss, at, Certificate(text, tls)),
            _ => throw new SettingsException($"Sip__Listen has '{text}': udp://address:port, tcp://address:port, tls://address:port, ws://address:port or wss://address:port is needed."),
        };
    }

    private static SipTlsOptions Certificate(string text, SipTlsOptions? tls) =>
        tls ?? throw new SettingsException($"Sip__Listen has '{text}': TLS needs a certificate; set Sip__TlsCertificateFile.");
}
