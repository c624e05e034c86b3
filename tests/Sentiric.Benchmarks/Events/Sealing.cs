using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;
using Sentiric.Benchmarks.Kit;
using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>A fact with ten personal texts, as long as what people say on the phone.</summary>
public sealed record TenTexts(string A, string B, string C, string D, string E, string F, string G, string H, string I, string J);

/// <summary>A state with somebody's words in it.</summary>
public sealed record LastTexts(int Count, TenTexts? Last)
{
    public static LastTexts None { get; } = new(0, null);

    public static LastTexts Evolve(LastTexts state, object @event) => @event is TenTexts texts ? new LastTexts(state.Count + 1, texts) : state;
}

[JsonSerializable(typeof(TenTexts))]
[JsonSerializable(typeof(LastTexts))]
public sealed partial class TenTextsJson : JsonSerializerContext;

/// <summary>What the protection of personal data costs: the same events appended and read in clear and sealed, ten personal texts each.</summary>
public static class Sealing
{
    private const int Rounds = 5;
    private const int EventsPerAppend = 10;
    private const string Tenant = "bench";
    private static readonly PersonalDataMap Map = new(
        [new PersonalEvent("ten_texts", [.. "ABCDEFGHIJ".Select(c => new PersonalMember($"{c}"))])], (_, _, _) => null);

    public static async Task RunAsync(Bench bench)
    {
        await using var database = await Database.CreateAsync();
        if (database is null)
        {
            bench.Skip("events.sealed", Database.Missing);
            return;
        }
        var serializer = new EventTypeMap([EventTypeEntry.Of("ten_texts", TenTextsJson.Default.TenTexts)]);
        var protection = new PersonalDataProtection(
            Map, new PostgresSubjectVault(database.Source, MasterKeys.Parse(MasterKeys.NewKey("bench"))), TimeProvider.System);
        await using var clear = new PostgresEventStore(database.Source, serializer, TimeProvider.System);
        await using var sealing = new PostgresEventStore(database.Source, serializer, TimeProvider.System, new() { Protection = protection });
        await sealing.EnsureSchemaAsync(bench.Stop);
        var events = bench.Times(10_000);
        await CompareAsync(bench, database, "append", "appended", events, Appends(clear, sealing, events));
        await AppendAsync(clear, "clear", events);
        await AppendAsync(sealing, "sealed", events);
        await database.AnalyzeAsync();
        await CompareAsync(bench, database, "read", "read and decoded", events,
            (() => ReadAsync(clear, "clear"), () => ReadAsync(sealing, "sealed")));
        await FetchAsync(bench, clear, sealing);
    }

    /// <summary>A stream of a thousand events fetched from its snapshot, in clear and sealed, beside the whole fold that the snapshot spares.</summary>
    private static async Task FetchAsync(Bench bench, IEventStore clear, IEventStore sealing)
    {
        const int events = 1_000, warmUp = 20;
        await AppendAsync(clear, "fetch-clear", events);
        await AppendAsync(sealing, "fetch-sealed", events);
        bench.Say($"fetching {events} events");
        var (plain, kept, whole) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = 0; i < bench.Times(300) + warmUp; i++)
        {
            plain.Add(await TimeAsync(events, async () => (await clear.FetchForWritingAsync(Tenant, "fetch-clear", Kept)).State));
            kept.Add(await TimeAsync(events, async () => (await sealing.FetchForWritingAsync(Tenant, "fetch-sealed", Kept)).State));
            if (i % 10 == 0) whole.Add(await TimeAsync(events, async () => await sealing.AggregateStreamAsync(Tenant, "fetch-sealed", LastTexts.None, LastTexts.Evolve)));
        }
        bench.Add(new Row("events.sealed.fetch", $"fetch a stream of {events} events with 10 sealed texts from its snapshot", Samples.Percentile(kept.Skip(warmUp), 0.5), "ms p50")
        {
            Reference = ("snapshot in clear", Samples.Percentile(plain.Skip(warmUp), 0.5)),
            Target = Target.RatioAtMost(1.5),
            Detail = $"the whole fold takes {Figure.Of(Samples.Median(whole.Skip(2)))} ms",
        });
    }

    private static readonly Aggregate<LastTexts> Kept = new("last_texts", LastTexts.None, LastTexts.Evolve) { Snapshots = new Snapshots<LastTexts>(TenTextsJson.Default.LastTexts, 1) };

    private static async Task<double> TimeAsync(int events, Func<Task<LastTexts>> fetch)
    {
        var from = Stopwatch.GetTimestamp();
        var state = await fetch();
        var took = Stopwatch.GetElapsedTime(from);
        return state.Count == events ? took.TotalMilliseconds : throw new InvalidDataException($"{state.Count} of {events} events were folded.");
    }

    private static (Func<Task<int>>, Func<Task<int>>) Appends(IEventStore clear, IEventStore sealing, int events)
    {
        var round = 0;
        return (
            () => AppendAsync(clear, string.Create(CultureInfo.InvariantCulture, $"append-clear-{round++}"), events),
            () => AppendAsync(sealing, string.Create(CultureInfo.InvariantCulture, $"append-sealed-{round++}"), events));
    }

    private static async Task CompareAsync(Bench bench, Database database, string name, string what, int events, (Func<Task<int>> Clear, Func<Task<int>> Sealed) ways)
    {
        var paces = await Turns.RunAsync(bench, events, Rounds, await database.ServerCpuAsync(), ($"{name} in clear", ways.Clear), ($"{name} sealed", ways.Sealed));
        bench.Add(new Row($"events.sealed.{name}", $"{events} events with 10 sealed texts {what}: client CPU", paces[1].ClientCpu, "us/event")
        {
            Reference = ("in clear", paces[0].ClientCpu),
            Target = Target.RatioAtMost(5),
            Detail = $"sealed {Figure.Of(paces[1].EventsPerSecond)} events/s, {paces[1]}; in clear {Figure.Of(paces[0].EventsPerSecond)} events/s, {paces[0]}",
        });
    }

    private static async Task<int> AppendAsync(IEventStore store, string stream, int events)
    {
        for (var at = 0; at < events; at += EventsPerAppend)
        {
            await store.AppendToStreamAsync(Tenant, stream, ExpectedVersion.Any, [.. Enumerable.Range(at, EventsPerAppend).Select(i => EventData.Of(Fact(i)))]);
        }
        return events;
    }

    private static async Task<int> ReadAsync(IEventStore store, string stream)
    {
        var seen = 0;
        await foreach (var recorded in store.ReadStreamAsync(Tenant, stream))
        {
            if (store.Serializer.Deserialize(recorded) is TenTexts { A.Length: > 10 }) seen++;
        }
        return seen;
    }

    private static TenTexts Fact(int i)
    {
        string Text(char c) => string.Create(CultureInfo.InvariantCulture, $"{c} {i}: yarın öğleden sonra gelmek istiyorum");
        return new(Text('a'), Text('b'), Text('c'), Text('d'), Text('e'), Text('f'), Text('g'), Text('h'), Text('i'), Text('j'));
    }
}
