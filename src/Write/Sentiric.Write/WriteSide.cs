using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Sentiric.Contracts.Services;
using Sentiric.Write.Calls;
using Sentiric.Write.Connectors;
using Sentiric.Write.Dialplans;
using Sentiric.Write.Knowledge;
using Sentiric.Write.Ops;
using Sentiric.Write.Privacy;
using Sentiric.Write.Relay;
using Sentiric.Write.Tenants;
using Sentiric.Write.Users;

namespace Sentiric.Write;

/// <summary>Everything that the write side is. The host brings IEventStore, ICheckpointStore, IEventBus and, in tests, a clock.</summary>
public static class WriteSide
{
    /// <summary>
    /// Registers commands, ports and the relay (which the host runs). The value of a connector's secret header is the configuration value
    /// <c>ConnectorSecrets:{tenant}:{connector}</c>.
    /// </summary>
    public static IServiceCollection AddWriteSide(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<CommandRunner>();

        services.AddSingleton<UserLookup>();
        services.AddSingleton<IUsers>(s => s.GetRequiredService<UserLookup>());
        services.AddSingleton<DialplanResolver>();
        services.AddSingleton<IDialplans>(s => s.GetRequiredService<DialplanResolver>());
        services.AddSingleton<IAssistants, AssistantLookup>();
        services.AddSingleton<ICallJournal, CallJournal>();

        services.AddSingleton<CalendarConnector>();
        services.AddSingleton(s => new HttpConnector((tenant, connector) => s.GetService<IConfiguration>()?[$"ConnectorSecrets:{tenant}:{connector}"]));
        services.AddSingleton<IConnectors, ConnectorGateway>();

        services.AddSingleton<EventRelay>();
        return services;
    }

    /// <summary>
    /// Every command's route, relative to where the host mounts them (/v1). The host's key check leaves the tenant and the actor in
    /// <c>HttpContext.Items["tenant"]</c> and <c>["actor"]</c>.
    /// </summary>
    public static IEndpointRouteBuilder MapWriteSide(this IEndpointRouteBuilder routes)
    {
        CreateTenant.Map(routes);

        CreateUser.Map(routes);
        RenameUser.Map(routes);
        ChangeLanguage.Map(routes);
        DisableUser.Map(routes);
        EnableUser.Map(routes);
        AddContact.Map(routes);
        RemoveContact.Map(routes);
        SetSipCredential.Map(routes);
        RemoveSipCredential.Map(routes);

        DefineSchedule.Map(routes);
        DefineAnnouncement.Map(routes);
        DefineAssistant.Map(routes);
        PublishDialplan.Map(routes);
        RetireDialplan.Map(routes);
        CreateRoute.Map(routes);
        ChangeRoute.Map(routes);
        RemoveRoute.Map(routes);
        SwitchMaintenance.Map(routes);

        PlaceCall.Map(routes);
        TransferCall.Map(routes);

        PublishArticle.Map(routes);
        ReviseArticle.Map(routes);
        WithdrawArticle.Map(routes);

        RegisterConnector.Map(routes);
        RemoveConnector.Map(routes);

        ImportEvents.Map(routes);
        StreamOps.Map(routes);
        FileOps.Map(routes);
        ErasePerson.Map(routes);
        RewrapKeys.Map(routes);
        return routes;
    }
}
