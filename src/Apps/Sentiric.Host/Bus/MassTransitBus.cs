using MassTransit;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Host.Settings;

namespace Sentiric.Host.Bus;

/// <summary>
/// The bus through MassTransit: RabbitMQ when an address is configured, in memory otherwise. Topic exchange <c>sentiric_events</c>,
/// routing key = event type, body = the bare JSON of the envelope, so that a consumer in any language needs no MassTransit.
/// </summary>
public sealed class MassTransitBus(IBus bus, bool rabbit) : IEventBus
{
    public const string EventExchange = "sentiric_events";
    public const string CommandExchange = "sentiric_commands";
    private static readonly Uri CommandAddress = new($"exchange:{CommandExchange}?type=topic");
    private const int RetriesBeforeErrorQueue = 3;
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(200);

    public async Task PublishAsync(EventEnvelope envelope, CancellationToken ct)
    {
        if (rabbit && IsCommand(envelope.Type))
        {
            var commands = await bus.GetSendEndpoint(CommandAddress);
            await commands.Send(envelope, c => c.MessageId = envelope.Id, ct);
        }
        else
        {
            await bus.Publish(envelope, c => c.MessageId = envelope.Id, ct);
        }
    }

    /// <summary>Registers the bus and an endpoint for every <see cref="BusSubscription"/> that the roles of this process registered.</summary>
    public static void Add(IServiceCollection services, HostSettings settings)
    {
        services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            if (settings.Rabbit is { } address)
            {
                x.UsingRabbitMq((context, cfg) => ConfigureRabbit(context, cfg, new Uri(address)));
            }
            else
            {
                x.UsingInMemory(ConfigureMemory);
            }
        });
        services.AddSingleton<IEventBus>(s => new MassTransitBus(s.GetRequiredService<IBus>(), settings.Rabbit is not null));
    }

    private static void ConfigureRabbit(IBusRegistrationContext context, IRabbitMqBusFactoryConfigurator cfg, Uri address)
    {
        cfg.Host(address);
        Shape(cfg);
        cfg.Publish<EventEnvelope>(p => p.ExchangeType = "topic");
        foreach (var subscription in context.GetServices<BusSubscription>())
        {
            cfg.ReceiveEndpoint(subscription.Queue, e =>
            {
                e.ConfigureConsumeTopology = false;
                e.SetQuorumQueue(1);
                foreach (var pattern in subscription.Patterns)
                {
                    e.Bind(IsCommand(pattern) ? CommandExchange : EventExchange, s =>
                    {
                        s.ExchangeType = "topic";
                        s.RoutingKey = pattern;
                    });
                }

                Handle(e, subscription);
            });
        }
    }

    private static void ConfigureMemory(IBusRegistrationContext context, IInMemoryBusFactoryConfigurator cfg)
    {
        Shape(cfg);
        foreach (var subscription in context.GetServices<BusSubscription>())
        {
            cfg.ReceiveEndpoint(subscription.Queue, e => Handle(e, subscription));
        }
    }

    private static void Shape(IBusFactoryConfigurator cfg)
    {
        cfg.ConfigureJsonSerializerOptions(options => Wire.Configure(options));
        // Any type: a message of another language carries none.
        cfg.UseRawJsonSerializer(RawSerializerOptions.AnyMessageType | RawSerializerOptions.AddTransportHeaders | RawSerializerOptions.CopyHeaders);
        cfg.Message<EventEnvelope>(m => m.SetEntityName(EventExchange));
        cfg.Send<EventEnvelope>(s => s.UseRoutingKeyFormatter(c => c.Message.Type));
    }

    private static void Handle(IReceiveEndpointConfigurator endpoint, BusSubscription subscription)
    {
        endpoint.UseRawJsonDeserializer(isDefault: true);
        endpoint.UseMessageRetry(r => r.Interval(RetriesBeforeErrorQueue, RetryInterval));
        endpoint.Handler<EventEnvelope>(c => Deliver(subscription, c.Message, c.CancellationToken));
    }

    // A queue in memory has no bindings by routing key, so the pattern decides here too.
    private static Task Deliver(BusSubscription subscription, EventEnvelope envelope, CancellationToken ct) =>
        subscription.Patterns.Any(p => Wants(p, envelope.Type)) ? subscription.Handle(envelope, ct) : Task.CompletedTask;

    // Commands have an exchange of their own: "call.#" is about events.
    private static bool Wants(string pattern, string type) => IsCommand(type) ? pattern == type : TopicPattern.Matches(pattern, type);

    private static bool IsCommand(string type) => type == BusCommands.TerminateCall;
}
