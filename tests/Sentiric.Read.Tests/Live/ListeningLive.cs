using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Sentiric.Contracts.Events;
using Sentiric.EventStore;
using Sentiric.Read.Live;
using Sentiric.Read.Tests.Kit;
using Sentiric.Testing.Loopback;

namespace Sentiric.Read.Tests.Live;

public sealed class ListeningLive
{
    private static readonly EventTypeMap Types = new(EventCatalog.All.Select(
        kind => new EventTypeEntry(kind.Type, StoredName.Of(kind.StoredName, kind.Version), EventCatalog.StoredJson(kind.Type))));

    private readonly InMemoryEventStore _store = new(Types, TimeProvider.System);

    [Fact]
    public async Task The_stream_says_hello_and_then_every_event_of_the_tenant()
    {
        await using var app = await StartAsync();
        using var stream = await OpenAsync(app, "demo", "/events/stream");
        Assert.Equal("event: hello", await stream.NextEventAsync());

        await AppendAsync("other", Streams.Call(Guid.NewGuid()), new CallRinging(DemoCall.Begin));
        var call = Guid.NewGuid();
        await AppendAsync("demo", Streams.Call(call), new CallRinging(DemoCall.Begin), new CallAnswered(DemoCall.Begin, 5));
        Assert.Equal("event: call.ringing", await stream.NextEventAsync());
        Assert.Contains(call.ToString(), stream.LastData);
        Assert.Contains("\"tenant\":\"demo\"", stream.LastData);
        Assert.Equal("event: call.answered", await stream.NextEventAsync());
        Assert.Contains("\"ring_ms\":5", stream.LastData);
    }

    [Fact]
    public async Task The_stream_of_one_call_is_silent_about_the_others()
    {
        await using var app = await StartAsync();
        var mine = Guid.NewGuid();
        using var stream = await OpenAsync(app, "demo", $"/events/stream?call_id={mine}");
        Assert.Equal("event: hello", await stream.NextEventAsync());
        await AppendAsync("demo", Streams.Call(Guid.NewGuid()), new CallRinging(DemoCall.Begin));
        await AppendAsync("demo", Streams.Call(mine), new CallHeld(DemoCall.Begin));
        Assert.Equal("event: call.held", await stream.NextEventAsync());
    }

    [Fact]
    public async Task A_slow_listener_is_cut_off_and_the_others_hear_everything()
    {
        var feed = new LiveFeed(_store);
        using var stop = new CancellationTokenSource();
        using var slow = feed.Listen("demo", null);
        using var quick = feed.Listen("demo", null);
        var running = feed.RunAsync(stop.Token);
        await using var heard = quick.EventsAsync(CancellationToken.None).GetAsyncEnumerator();

        for (var n = 0; n < LiveListener.MaxWaiting + 500; n += 500)
        {
            await AppendAsync("demo", Streams.Call(Guid.NewGuid()), [.. Enumerable.Range(0, 500).Select(_ => new CallRinging(DemoCall.Begin))]);
            // Part by part: a machine that is busy for a moment makes nobody slow who listens.
            await Soon.Within(HearAsync(heard, 500), "the quick listener to hear its part");
        }

        Assert.Equal(LiveListener.MaxWaiting, await Soon.Within(CountAsync(slow, int.MaxValue), "the slow listener to hear the end"));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static async Task<int> HearAsync<T>(IAsyncEnumerator<T> heard, int events)
    {
        for (var n = 0; n < events; n++)
        {
            Assert.True(await heard.MoveNextAsync(), $"cut off after {n} of {events}");
        }

        return events;
    }

    private static async Task<int> CountAsync(LiveListener listener, int atMost)
    {
        var count = 0;
        await foreach (var _ in listener.EventsAsync(CancellationToken.None))
        {
            if (++count == atMost)
            {
                break;
            }
        }

        return count;
    }

    private Task AppendAsync(string tenant, string stream, params object[] facts) =>
        _store.AppendToStreamAsync(tenant, stream, ExpectedVersion.Any, [.. facts.Select(f => EventData.Of(f))]).AsTask();

    private async Task<LoopbackApp> StartAsync()
    {
        var stop = new CancellationTokenSource();
        var app = await LoopbackApp.StartAsync(
            app =>
            {
                app.Use((http, next) =>
                {
                    http.Items["tenant"] = http.Request.Headers["X-Tenant"].FirstOrDefault();
                    return next(http);
                });
                EventStream.Map(app);
                app.Lifetime.ApplicationStopping.Register(stop.Cancel);
            },
            services => services.AddSingleton<IEventStore>(_store).AddSingleton<LiveFeed>());
        _ = app.Services.GetRequiredService<LiveFeed>().RunAsync(stop.Token);
        return app;
    }

    private static async Task<SseReader> OpenAsync(LoopbackApp app, string tenant, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-Tenant", tenant);
        var response = await app.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return new SseReader(new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    private sealed class SseReader(StreamReader lines) : IDisposable
    {
        public string LastData { get; private set; } = "";

        /// <summary>The next "event:" line; its data stands in <see cref="LastData"/>.</summary>
        public async Task<string> NextEventAsync()
        {
            var name = "";
            while (true)
            {
                var line = await Soon.Within(lines.ReadLineAsync(), "the next line of the event stream") ?? throw new EndOfStreamException("The event stream ended.");
                name = line.StartsWith("event: ", StringComparison.Ordinal) ? line : name;
                LastData = line.StartsWith("data: ", StringComparison.Ordinal) ? line : LastData;
                if (line.Length == 0 && name.Length > 0)
                {
                    return name;
                }
            }
        }

        public void Dispose() => lines.Dispose();
    }
}
