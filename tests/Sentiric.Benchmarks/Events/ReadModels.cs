using Sentiric.Benchmarks.Kit;
using Sentiric.Contracts.Events;
using Sentiric.EventStore;
using Sentiric.Read;

namespace Sentiric.Benchmarks.Events;

/// <summary>All read models of the product pass the events of answered calls, as the realtime roles tell them.</summary>
public static class ReadModels
{
    private const string Tenant = "bench";
    private const int WarmCalls = 600;
    private const int Calls = 2_000;
    private const int TurnsPerCall = 6;
    private const int Writers = 32;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly DateTimeOffset Begin = new(2026, 1, 5, 9, 0, 0, TimeSpan.Zero);

    public static async Task RunAsync(Bench bench)
    {
        await using var database = await Database.CreateAsync();
        if (database is null)
        {
            bench.Skip("events.read_models", Database.Missing);
            return;
        }
        var types = new EventTypeMap(EventCatalog.All.Select(k => new EventTypeEntry(k.Type, StoredName.Of(k.StoredName, k.Version), EventCatalog.StoredJson(k.Type))));
        await using var store = new PostgresEventStore(database.Source, types, TimeProvider.System);
        var daemon = new ProjectionDaemon(database.Source, store, ReadSide.Projections, TimeProvider.System);
        await Passing.UntilAsync(bench, daemon, await StoreAsync(bench, store, 0, WarmCalls), Patience);
        await Measure.CompilerSettlesAsync(bench.Stop);
        var before = await store.GetHighWaterMarkAsync(bench.Stop);
        var last = await StoreAsync(bench, store, WarmCalls, bench.Times(Calls));
        var (took, cpu) = await Passing.MeasureAsync(bench, database, daemon, last, Patience);
        var events = last - before;
        var share = cpu.Per(events);
        bench.Add(new Row("events.read_models", $"all {ReadSide.Projections.Count} read models of the product, {events} events of {bench.Times(Calls)} calls behind", events / took.TotalSeconds, "events/s")
        {
            Detail = share,
        });
    }

    private static async Task<long> StoreAsync(Bench bench, PostgresEventStore store, int first, int calls)
    {
        bench.Say($"storing {calls} calls");
        var next = first - 1;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var call && call < first + calls)
            {
                var at = Begin.AddSeconds(call);
                var stream = Streams.Call(Guid.CreateVersion7(at));
                foreach (var part in Call(call, at).Chunk(8))
                    await store.AppendToStreamAsync(Tenant, stream, ExpectedVersion.Any, [.. part.Select(f => EventData.Of(f, new EventMetadata(Actor: "bench", OccurredAt: f.At)))], ct: bench.Stop);
            }
        }));
        return await store.GetHighWaterMarkAsync(bench.Stop);
    }

    private static IEnumerable<IFact> Call(int number, DateTimeOffset at)
    {
        var from = $"+90532{number:D7}";
        const string to = "+902121234567";
        var resolution = new DialplanResolution(Tenant, "ai", 3, DialplanAction.StartAiConversation, new("demo-agent"), to, null, "tr", "normal", ["route", "plan ai"], null, null);
        yield return new CallReceived(at, $"a84b4c76e66710-{number}@pbx", from, "Ayşe", to, CallDirection.Inbound, "udp", "127.0.0.1:5090");
        yield return new SipMessageLogged(at, true, "udp", "127.0.0.1:5090", "INVITE sip:902121234567@127.0.0.1", 620);
        yield return new UserIdentifiedForCall(at, Guid.CreateVersion7(at), "Ayşe Yılmaz", UserType.Caller, "tr", from);
        yield return new CallRouteResolved(at, resolution);
        yield return new MediaStarted(at, "01930000000070008000000000000001", "127.0.0.1:30000", "127.0.0.1:4000", "PCMA");
        yield return new CallRinging(at);
        yield return new CallAnswered(at, 120);
        yield return new AgentTookOver(at, "built-in", "sentiric-ctc-tr-8k", "espeak-ng");
        for (var turn = 1; turn <= TurnsPerCall; turn++)
        {
            yield return new SpeechStarted(at, turn * 8_000);
            yield return new SpeechEnded(at, turn * 8_000 + 2_000, 2_000);
            yield return new TranscriptFinal(at, turn, Speaker.Caller, "yarın saat on dörtte randevu istiyorum", 0.91, turn * 8_000, 2_300, null, null);
            yield return new PlaybackStarted(at, $"p-{turn}", UtteranceKind.Answer, "Randevunuz yarın 14.00 için alındı.");
            yield return new TranscriptFinal(at, turn, Speaker.Agent, "Randevunuz yarın", 1, turn * 8_000 + 2_900, 1_200, UtteranceKind.Answer, "Randevunuz yarın 14.00 için alındı.");
            yield return new PlaybackFinished(at, $"p-{turn}", 1_200);
            yield return new DialogTurnCompleted(at, turn, "yarın saat on dörtte randevu istiyorum", "Randevunuz yarın 14.00 için alındı.", 0.91, new(320, 90, 40, 60, 510));
        }
        yield return new MediaQualityMeasured(at, false, "PCMA", 7, 400, 398, 2, 0, 0, 1.2, 0, 4.1, 40);
        yield return new CallEnded(at, CallEndReason.Normal, HungUpBy.Caller, 200, 16, true, 120, 30_000, 30_000);
        yield return new MediaQualityMeasured(at, true, "PCMA", 7, 1_500, 1_490, 10, 1, 0, 2.5, 0, 4.2, 60);
        yield return new RecordingAvailable(at, $"demo/{number}.wav", "wav", 30_000, 960_044, new string('a', 64));
    }
}
