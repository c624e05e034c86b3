using System.Collections.Concurrent;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Sentiric.Contracts.Events;

namespace Sentiric.Scenarios.Kit;

/// <summary>A consumer of the platform's event exchange that knows nothing of MassTransit: what it hears is what any other program would.</summary>
internal sealed class BrokerEar : IAsyncDisposable
{
    private const string Exchange = "sentiric_events";
    private readonly ConcurrentQueue<EventEnvelope> heard = new();
    private readonly IConnection connection;
    private readonly IChannel channel;

    private BrokerEar(IConnection connection, IChannel channel) => (this.connection, this.channel) = (connection, channel);

    public IReadOnlyList<EventEnvelope> Heard => [.. heard];

    public static async Task<BrokerEar> ListenAsync(string address)
    {
        var connection = await new ConnectionFactory { Uri = new Uri(address) }.CreateConnectionAsync();
        var ear = new BrokerEar(connection, await connection.CreateChannelAsync());
        await ear.channel.ExchangeDeclareAsync(Exchange, "topic", durable: true);
        var queue = await ear.channel.QueueDeclareAsync(exclusive: true);
        await ear.channel.QueueBindAsync(queue.QueueName, Exchange, "#");
        var consumer = new AsyncEventingBasicConsumer(ear.channel);
        consumer.ReceivedAsync += (_, message) =>
        {
            if (JsonSerializer.Deserialize(message.Body.Span, EnvelopeJson.Default.EventEnvelope) is { } envelope)
            {
                ear.heard.Enqueue(envelope);
            }

            return Task.CompletedTask;
        };
        await ear.channel.BasicConsumeAsync(queue.QueueName, autoAck: true, consumer);
        return ear;
    }

    /// <summary>Publishes an envelope as it came, again.</summary>
    public async Task SayAgainAsync(EventEnvelope envelope) => await channel.BasicPublishAsync(
        Exchange, envelope.Type, mandatory: false, new BasicProperties { MessageId = envelope.Id.ToString(), ContentType = "application/json" },
        JsonSerializer.SerializeToUtf8Bytes(envelope, EnvelopeJson.Default.EventEnvelope));

    public async ValueTask DisposeAsync()
    {
        await channel.DisposeAsync();
        await connection.DisposeAsync();
    }
}
