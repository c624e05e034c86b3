using System.Text.Json;
using RabbitMQ.Client;
using Sentiric.Contracts.Events;
using Sentiric.Host.Bus;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Bus;

/// <summary>The same contract over the broker that SENTIRIC_TEST_RABBIT names, and what a consumer in another language sees.</summary>
public sealed class BusOverRabbit : BusContract
{
    private const string Variable = "SENTIRIC_TEST_RABBIT";
    private readonly List<string> _queues = [];

    protected override string? Rabbit => Environment.GetEnvironmentVariable(Variable);

    [RabbitFact]
    public Task The_envelope_arrives_as_it_was_published() => WithAsync(["a"], A_handler_gets_the_envelope_that_was_published);

    [RabbitFact]
    public Task A_queue_hears_what_its_patterns_choose() => WithAsync(["calls", "ends"], Patterns_choose_what_a_queue_hears);

    [RabbitFact]
    public Task Commands_reach_command_subscriptions_only() => WithAsync(["commands", "events"], A_command_reaches_its_handlers_with_everything_and_nobody_else);

    [RabbitFact]
    public Task A_handler_that_fails_twice_and_then_succeeds_is_retried() => WithAsync(["flaky"], A_handler_that_fails_twice_is_asked_again);

    [RabbitFact]
    public Task Every_queue_hears_every_event_once() => WithAsync(["one", "two"], Two_queues_each_hear_every_event_once);

    [RabbitFact]
    public async Task A_plain_AMQP_consumer_reads_bare_snake_case_JSON_and_the_event_id_is_the_message_id()
    {
        var bus = await StartAsync();
        // Only the first publish makes the exchange.
        await bus.PublishAsync(Event(new CallRinging(DateTimeOffset.UnixEpoch)), CancellationToken.None);
        await using var connection = await ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        var queue = await channel.QueueDeclareAsync();
        await channel.QueueBindAsync(queue.QueueName, MassTransitBus.EventExchange, "call.#");

        var sent = Event(Ended());
        await bus.PublishAsync(Event(new UserEnabled(DateTimeOffset.UnixEpoch, Guid.Empty)), CancellationToken.None);
        await bus.PublishAsync(sent, CancellationToken.None);
        var got = await NextAsync(channel, queue.QueueName);

        Assert.Equal(("call.ended", sent.Id.ToString()), (got.RoutingKey, got.BasicProperties.MessageId));
        using var json = JsonDocument.Parse(got.Body);
        var root = json.RootElement;
        Assert.Equal((sent.Id, "call.ended", 42L, "demo", sent.CallId), (
            root.GetProperty("id").GetGuid(), root.GetProperty("type").GetString(), root.GetProperty("sequence").GetInt64(),
            root.GetProperty("tenant").GetString(), root.GetProperty("call_id").GetGuid()));
        Assert.Equal((2_000, "normal"), (root.GetProperty("data").GetProperty("talk_ms").GetInt32(), root.GetProperty("data").GetProperty("reason").GetString()));
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        if (_queues.Count == 0)
        {
            return;
        }

        await using var connection = await ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        foreach (var queue in _queues)
        {
            await channel.QueueDeleteAsync(queue);
            await channel.ExchangeDeleteAsync(queue);
        }
    }

    private async Task WithAsync(string[] queues, Func<Task> test)
    {
        _queues.AddRange(queues.Select(Queue));
        await test();
    }

    private static Task<IConnection> ConnectAsync() =>
        new ConnectionFactory { Uri = new Uri(Environment.GetEnvironmentVariable(Variable)!) }.CreateConnectionAsync();

    private static async Task<BasicGetResult> NextAsync(IChannel channel, string queue)
    {
        using var limit = new CancellationTokenSource(Soon.Patience);
        while (true)
        {
            limit.Token.ThrowIfCancellationRequested();
            if (await channel.BasicGetAsync(queue, autoAck: true) is { } got)
            {
                return got;
            }
        }
    }

    private sealed class RabbitFactAttribute : FactAttribute
    {
        public RabbitFactAttribute() => Skip = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } ? null : $"{Variable} names no broker.";
    }
}
