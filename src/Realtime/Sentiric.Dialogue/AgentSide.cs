using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sentiric.Contracts.Services;
using Sentiric.Speech;

namespace Sentiric.Dialogue;

/// <summary>
/// Everything that the agent role is made of. The host adds what stands outside: media, knowledge, connectors, journal, assistants,
/// <see cref="ICallControl"/>, the speech engines and <see cref="TimeProvider"/>; and subscribes <see cref="AgentWorker.Subscription"/> to its bus.
/// </summary>
public static class AgentSide
{
    /// <summary>Throws <see cref="ArgumentException"/> that names every setting that is out of its range.</summary>
    public static IServiceCollection AddAgentSide(this IServiceCollection services, DialogueOptions options)
    {
        if (options.Faults() is { Count: > 0 } faults)
        {
            throw new ArgumentException("The agent's settings are wrong. " + string.Join(" ", faults), nameof(options));
        }

        services.AddSingleton(options);
        services.AddSingleton(provider => CallState(provider, options));
        services.AddSingleton(provider => Ports(provider, options));
        services.AddSingleton<IChats, Chats>();
        services.AddSingleton<AgentWorker>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<AgentWorker>());
        return services;
    }

    private static AgentPorts Ports(IServiceProvider provider, DialogueOptions options) => new(
        provider.GetRequiredService<IMediaSessions>(),
        provider.GetRequiredService<IKnowledge>(),
        provider.GetRequiredService<IConnectors>(),
        provider.GetRequiredService<ICallJournal>(),
        provider.GetRequiredService<ICallControl>(),
        provider.GetRequiredService<ICallState>(),
        provider.GetRequiredService<ISpeechRecognizer>(),
        provider.GetRequiredService<ISpeechSynthesizer>(),
        provider.GetRequiredService<IVoiceActivityDetectorFactory>(),
        provider.GetRequiredService<ITurnDetector>(),
        options.Llm is { } llm ? new OpenAiChat(new HttpClient { Timeout = Timeout.InfiniteTimeSpan }, llm, provider.GetRequiredService<TimeProvider>()) : null,
        provider.GetRequiredService<TimeProvider>());

    private static ICallState CallState(IServiceProvider provider, DialogueOptions options)
    {
        var own = new InMemoryCallState(provider.GetRequiredService<TimeProvider>());
        return options.Redis is { Length: > 0 } redis
            ? new SturdyCallState(new RedisCallState(redis), own, provider.GetRequiredService<ILogger<SturdyCallState>>())
            : own;
    }
}
