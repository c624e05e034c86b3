using Sentiric.Contracts.Services;
using Sentiric.Host.Settings;
using Sentiric.Speech;

namespace Sentiric.Host.Ports;

/// <summary>For every port whose role runs elsewhere: the client that calls it there.</summary>
public static class ServiceClients
{
    /// <summary>Playing audio is one long request, so the whole exchange has no time limit; connecting has.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(3);

    public static void Add(IServiceCollection services, HostSettings settings)
    {
        if (settings.Roles.IsAll)
        {
            return;
        }

        var key = settings.ServiceKey ?? throw new SettingsException("Services__Key is not set: roles in separate processes show it to each other.");
        AddFor(services, settings, key, Role.Write, [Role.Sip, Role.Agent, Role.Gateway, Role.Media], client =>
        {
            services.AddSingleton<IUsers>(new UsersPort(client));
            services.AddSingleton<IDialplans>(new DialplansPort(client));
            services.AddSingleton<ICallJournal>(new JournalPort(client));
            if (!settings.Roles.Has(Role.Read))
            {
                services.AddSingleton<IRecordingKeys>(new RecordingKeysPort(client));
            }

            var connectors = new ConnectorsPort(client);
            services.AddSingleton<IConnectors>(connectors);
            services.AddSingleton<IAssistants>(connectors);
        });
        AddFor(services, settings, key, Role.Read, [Role.Agent, Role.Sip], client =>
        {
            services.AddSingleton<IKnowledge>(new KnowledgePort(client));
            services.AddSingleton<IOpenCalls>(new OpenCallsPort(client));
            services.AddSingleton<ITalkTime>(new TalkTimePort(client));
            services.AddSingleton<IExtensions>(new ExtensionsPort(client));
        });
        AddFor(services, settings, key, Role.Media, [Role.Sip, Role.Agent], client => services.AddSingleton<IMediaSessions>(new MediaPort(client, key)));
        AddFor(services, settings, key, Role.Agent, [Role.Gateway], client => services.AddSingleton<IChats>(new ChatsPort(client)));
        AddFor(services, settings, key, Role.Sip, [Role.Gateway], client => services.AddSingleton<ITrunks>(new TrunksPort(client)).AddSingleton<IRegistrations>(new RegistrationsPort(client)));
        AddFor(services, settings, key, Role.Stt, [Role.Agent], client => services.AddSingleton<ISpeechRecognizer>(new RecognizerPort(client.BaseAddress!, key)));
        AddFor(services, settings, key, Role.Tts, [Role.Agent, Role.Sip], client => services.AddSingleton<ISpeechSynthesizer>(new SynthesizerPort(client)));
    }

    public static HttpClient ClientFor(Uri address, string key)
    {
        var handler = new SocketsHttpHandler { ConnectTimeout = ConnectTimeout, AllowAutoRedirect = false, MaxConnectionsPerServer = 4096 };
        var client = new HttpClient(handler) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.Add(PortHttp.KeyHeader, key);
        return client;
    }

    private static void AddFor(IServiceCollection services, HostSettings settings, string key, Role answering, Role[] asking, Action<HttpClient> add)
    {
        if (!settings.Roles.Has(answering) && asking.Any(settings.Roles.Has))
        {
            add(ClientFor(settings.Service(answering)!, key));
        }
    }
}
