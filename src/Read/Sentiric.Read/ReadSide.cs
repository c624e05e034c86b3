using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;
using Sentiric.Read.Calls;
using Sentiric.Read.Dialplans;
using Sentiric.Read.Knowledge;
using Sentiric.Read.Live;
using Sentiric.Read.Ops;
using Sentiric.Read.Users;

namespace Sentiric.Read;

/// <summary>Everything that the read side is. The host brings NpgsqlDataSource, IEventStore, ProjectionDaemon (over <see cref="Projections"/>) and a clock.</summary>
public static class ReadSide
{
    /// <summary>Every read model. Each can be dropped and replayed to the same rows.</summary>
    public static IReadOnlyList<ITableProjection> Projections { get; } =
    [
        new CallRecords(),
        new LiveCalls(),
        new Transcripts(),
        new UserDirectory(),
        new DialplanDirectory(),
        new RouteDirectory(),
        new DefinitionDirectory(),
        new ArticleDirectory(),
    ];

    /// <param name="recordingFolder">Where the media role writes recordings.</param>
    public static IServiceCollection AddReadSide(this IServiceCollection services, string recordingFolder)
    {
        services.AddSingleton<Tables>();
        services.AddSingleton<LiveFeed>();
        services.AddSingleton<LogClock>();
        services.AddSingleton<TailEvents>();
        services.AddSingleton<IKnowledge, KnowledgeSearch>();
        services.AddSingleton<IOpenCalls, OpenCalls>();
        services.AddSingleton<ITalkTime, TalkTimes>();
        services.AddSingleton<IExtensions, Extensions>();
        services.AddSingleton<IRecordingFiles>(new RecordingFolder(recordingFolder));
        return services;
    }

    /// <summary>Every question, relative to where the host mounts them (/v1).</summary>
    public static IEndpointRouteBuilder MapReadSide(this IEndpointRouteBuilder routes)
    {
        CallRecords.Map(routes);
        LiveCalls.Map(routes);
        Transcripts.Map(routes);
        CallHistory.Map(routes);
        SipCaptures.Map(routes);
        Recordings.Map(routes);
        RecordingSegments.Map(routes);
        CallSound.Map(routes);
        EventStream.Map(routes);
        UserDirectory.Map(routes);
        DialplanDirectory.Map(routes);
        RouteDirectory.Map(routes);
        DefinitionDirectory.Map(routes);
        ArticleDirectory.Map(routes);
        KnowledgeSearch.Map(routes);
        ProjectionOps.Map(routes);
        AuditOps.Map(routes);
        TailEvents.Map(routes);
        ShowStream.Map(routes);
        StoreFigures.Map(routes);
        ExportEvents.Map(routes);
        return routes;
    }
}
