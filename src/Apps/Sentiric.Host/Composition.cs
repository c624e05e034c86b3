using Sentiric.Contracts;
using Sentiric.Contracts.Services;
using Sentiric.Dashboard;
using Sentiric.Host.Bus;
using Sentiric.EventStore;
using Sentiric.Host.Gateway;
using Sentiric.Host.Metrics;
using Sentiric.Host.Ports;
using Sentiric.Host.Roles;
using Sentiric.Host.Settings;
using Sentiric.Media;
using Sentiric.Read;
using Sentiric.Sip;
using Sentiric.Speech;
using Sentiric.Write;

namespace Sentiric.Host;

/// <summary>Something that the start needs cannot be had; the message says what and what to do.</summary>
public sealed class StartException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>What a process is made of, by its roles.</summary>
public static class Composition
{
    private const long MaxBodyBytes = 2 * 1024 * 1024;

    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        // Settings files lie beside the program, wherever it is started from.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        configure?.Invoke(builder);
        var settings = new HostSettings(builder.Configuration, RoleSet.Parse(builder.Configuration["roles"]));
        AddServices(builder, settings);
        var app = builder.Build();
        MapAll(app, settings);
        return app;
    }

    private static void AddServices(WebApplicationBuilder builder, HostSettings settings)
    {
        var (services, roles) = (builder.Services, settings.Roles);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
            kestrel.AddServerHeader = false;
        });
        services.AddSingleton(settings);
        services.AddSingleton(s => settings.Recording.ToPlace(s.GetRequiredService<TimeProvider>()));
        services.AddSingleton(TimeProvider.System);
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(o => Wire.Configure(o.SerializerOptions));
        services.AddSingleton<ApiKeys>();
        services.AddOpenApi("v1", ApiDocument.Describe);
        services.AddHealthChecks();
        services.AddSingleton(_ => new PrometheusExporter([StoreTelemetry.Name, TrunkKeeper.MeterName, HepMirror.MeterName, MediaEngine.MeterName]));

        StoreRole.Add(services, settings);
        SpeechRoles.Add(services, settings);
        RealtimeRoles.Add(services, settings);
        ServiceClients.Add(services, settings);
        if (roles.Has(Role.Write) || roles.Has(Role.Read) || roles.Has(Role.Sip) || roles.Has(Role.Agent) || roles.Has(Role.Gateway))
        {
            MassTransitBus.Add(services, settings);
        }
    }

    private static void MapAll(WebApplication app, HostSettings settings)
    {
        var (services, roles) = (app.Services, settings.Roles);
        app.UseProblems();
        app.UseWebSockets();
        app.UseMiddleware<CallerGate>();
        Health.Map(app, settings);
        MetricsPage.Map(app);

        if (roles.Has(Role.Write))
        {
            app.MapGroup("/v1").MapWriteSide();
            UsersPort.Map(app, services.GetRequiredService<IUsers>());
            DialplansPort.Map(app, services.GetRequiredService<IDialplans>());
            JournalPort.Map(app, services.GetRequiredService<ICallJournal>());
            RecordingKeysPort.Map(app, services.GetRequiredService<IRecordingKeys>());
            ConnectorsPort.Map(app, services.GetRequiredService<IConnectors>(), services.GetRequiredService<IAssistants>());
        }

        if (roles.Has(Role.Read))
        {
            app.MapGroup("/v1").MapReadSide();
            KnowledgePort.Map(app, services.GetRequiredService<IKnowledge>());
            OpenCallsPort.Map(app, services.GetRequiredService<IOpenCalls>());
            TalkTimePort.Map(app, services.GetRequiredService<ITalkTime>());
            ExtensionsPort.Map(app, services.GetRequiredService<IExtensions>());
        }

        if (roles.Has(Role.Sip))
        {
            TrunksPort.Map(app, services.GetRequiredService<ITrunks>());
            RegistrationsPort.Map(app, services.GetRequiredService<IRegistrations>());
        }

        if (roles.Has(Role.Media))
        {
            MediaPort.Map(app, services.GetRequiredService<IMediaSessions>());
            MediaApi.Map(app);
            SupervisionApi.Map(app);
        }

        if (roles.Has(Role.Agent))
        {
            ChatsPort.Map(app, services.GetRequiredService<IChats>());
        }

        if (roles.Has(Role.Stt))
        {
            RecognizerPort.Map(app, services.GetRequiredService<ISpeechRecognizer>());
        }

        if (roles.Has(Role.Tts))
        {
            SynthesizerPort.Map(app, services.GetRequiredService<ISpeechSynthesizer>());
        }

        if (roles.Has(Role.Gateway))
        {
            GatewayApi.Map(app);
            Forwarder.Map(app, settings);
            ApiDocument.Map(app, settings);
            app.MapDashboard();
        }
    }
}
