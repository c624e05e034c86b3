using System.Text.Json;
using System.Threading.Channels;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Host.Settings;
using Sentiric.Host.Tests.Kit;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Bus;

/// <summary>What every bus keeps, whatever carries it.</summary>
public abstract class BusContract : IAsyncLifetime
{
    private readonly List<IHost> _hosts = [];
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private readonly DateTimeOffset _now = new(2026, 11, 17, 7, 0, 0, TimeSpan.Zero);

    /// <summary>ConnectionStrings:Rabbit; null: in memory.</summary>
    protected abstract string? Rabbit { get; }

    public Task InitializeAsync() => Task.CompletedTask;

    public virtual async Task DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.StopAsync();
            host.Dispose();
        }
    }

    protected async Task A_handler_gets_the_envelope_that_was_published()
    {
        var heard = new Ear();
        var bus = await StartAsync(heard.On(Queue("a"), "call.#"));
        var sent = Event(new CallStarted(
            _now, "+90532", "1001", CallDirection.Inbound,
            new("demo", "ai", 1, DialplanAction.StartAiConversation, new("asistan"), "1001", null, "tr", "normal", ["çağrı"], null, null), "Ayşe Yılmaz",
            new("s", "127.0.0.1:1", "127.0.0.1:2", "PCMA")));
        await bus.PublishAsync(sent, CancellationToken.None);
        var got = await heard.NextAsync();
        Assert.Equal(Text(sent), Text(got));
        Assert.Equal("Ayşe Yılmaz", Assert.IsType<CallStarted>(got.Decode()).CallerName);
    }

    protected async Task Patterns_choose_what_a_queue_hears()
    {
        var calls = new Ear();
        var ends = new Ear();
        var bus = await StartAsync(calls.On(Queue("calls"), "call.*"), ends.On(Queue("ends"), "call.ended", "user.*"));
        foreach (var fact in new object[] { new CallRinging(_now), new UserEnabled(_now, Guid.Empty), new MediaStarted(_now, "s", "l", "r", "PCMA"), Ended() })
        {
            await bus.PublishAsync(Event(fact), CancellationToken.None);
        }

        Assert.Equal(["call.ended", "call.ringing"], (await calls.NextAsync(2)).Order());
        Assert.Equal(["call.ended", "user.enabled"], (await ends.NextAsync(2)).Order());
        Assert.Equal((0, 0), (calls.Waiting, ends.Waiting));
    }

    protected async Task A_command_reaches_its_handlers_with_everything_and_nobody_else()
    {
        var commands = new Ear();
        var events = new Ear();
        var bus = await StartAsync(commands.On(Queue("commands"), BusCommands.TerminateCall), events.On(Queue("events"), "call.#"));
        var call = Guid.NewGuid();
        var command = new EventEnvelope(
            Guid.NewGuid(), BusCommands.TerminateCall, 1, Streams.Call(call), 0, _now, "demo", call, null, null, "key:admin",
            JsonSerializer.SerializeToElement(new TerminateCall(call, CallEndReason.Terminated, HungUpBy.System), Wire.Json));
        await bus.PublishAsync(command, CancellationToken.None);
        await bus.PublishAsync(Event(Ended()), CancellationToken.None);
        Assert.Equal(Text(command), Text(await commands.NextAsync()));
        Assert.Equal("call.ended", (await events.NextAsync()).Type);
        Assert.Equal((0, 0), (commands.Waiting, events.Waiting));
    }

    protected async Task A_handler_that_fails_twice_is_asked_again()
    {
        var tries = 0;
        var done = new TaskCompletionSource<EventEnvelope>();
        var bus = await StartAsync(new BusSubscription(Queue("flaky"), ["call.ended"], (envelope, _) =>
        {
            if (++tries < 3)
            {
                throw new InvalidOperationException("not yet");
            }

            done.TrySetResult(envelope);
            return Task.CompletedTask;
        }));
        var sent = Event(Ended());
        await bus.PublishAsync(sent, CancellationToken.None);
        Assert.Equal(sent.Id, (await Soon.Within(done.Task, "the third try")).Id);
        Assert.Equal(3, tries);
    }

    protected async Task Two_queues_each_hear_every_event_once()
    {
        var one = new Ear();
        var two = new Ear();
        var bus = await StartAsync(one.On(Queue("one"), "#"), two.On(Queue("two"), "#"));
        var sent = Enumerable.Range(0, 20).Select(_ => Event(new CallRinging(_now))).ToList();
        foreach (var envelope in sent)
        {
            await bus.PublishAsync(envelope, CancellationToken.None);
        }

        foreach (var ear in new[] { one, two })
        {
            var ids = new List<Guid>();
            for (var n = 0; n < sent.Count; n++)
            {
                ids.Add((await ear.NextAsync()).Id);
            }

            Assert.Equal(sent.Select(e => e.Id).Order(), ids.Order());
        }
    }

    protected string Queue(string name) => $"test.{_run}.{name}";

    protected async Task<IEventBus> StartAsync(params BusSubscription[] subscriptions)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        foreach (var subscription in subscriptions)
        {
            builder.Services.AddSingleton(subscription);
        }

        Sentiric.Host.Bus.MassTransitBus.Add(builder.Services, Given.Settings("all", ("ConnectionStrings:Rabbit", Rabbit)));
        var host = builder.Build();
        _hosts.Add(host);
        await Soon.Within(host.StartAsync(), "the bus to start");
        // The start does not wait for the broker; what is published before the queues are bound is for nobody.
        var health = await host.Services.GetRequiredService<IBusControl>().WaitForHealthStatus(BusHealthStatus.Healthy, Soon.Patience);
        Assert.Equal(BusHealthStatus.Healthy, health);
        return host.Services.GetRequiredService<IEventBus>();
    }

    protected EventEnvelope Event(object fact) =>
        EventEnvelope.Of(fact, Guid.CreateVersion7(), Streams.Call(Guid.NewGuid()), 42, _now, "demo", "corr", "cause", "test");

    protected CallEnded Ended() => new(_now, CallEndReason.Normal, HungUpBy.Caller, 200, 16, true, 100, 2_000, 2_000);

    private static string Text(EventEnvelope envelope) => JsonSerializer.Serialize(envelope, EnvelopeJson.Default.EventEnvelope);

    private sealed class Ear
    {
        private readonly Channel<EventEnvelope> _heard = Channel.CreateUnbounded<EventEnvelope>();

        public int Waiting => _heard.Reader.Count;

        public BusSubscription On(string queue, params string[] patterns) => new(queue, patterns, (envelope, ct) => _heard.Writer.WriteAsync(envelope, ct).AsTask());

        public Task<EventEnvelope> NextAsync() => Soon.Within(_heard.Reader.ReadAsync().AsTask(), "the next message");

        public async Task<string[]> NextAsync(int count)
        {
            var types = new string[count];
            for (var n = 0; n < count; n++)
            {
                types[n] = (await NextAsync()).Type;
            }

            return types;
        }
    }
}
