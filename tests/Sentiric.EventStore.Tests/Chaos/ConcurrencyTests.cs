using System.Globalization;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.Testing;

namespace Sentiric.EventStore.Tests.Chaos;

/// <summary>Several writers on few streams: afterwards there must be an order, one after the other, that explains every answer.</summary>
public sealed class ConcurrencyTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private const int Writers = 8, Streams = 3, Seed = 20_261_122;

    [Fact]
    public async Task In_memory_every_answer_of_concurrent_writers_is_explained_by_one_order()
    {
        var store = new InMemoryEventStore(Facts.Serializer, new ManualTime());
        await CheckAsync(store, callsPerWriter: 60, _ => store);
    }

    [Fact]
    public async Task On_PostgreSQL_every_answer_of_concurrent_writers_of_two_processes_is_explained_by_one_order()
    {
        await using var second = postgres.NewStore();
        await CheckAsync(postgres.Store, callsPerWriter: 60, writer => writer % 2 == 0 ? postgres.Store : second);
    }

    [Trait("Category", "Slow")]
    [Fact]
    public async Task With_connections_lost_every_answer_is_still_explained_by_one_order()
    {
        await using var stage = await PostgresStage.CreateAsync();
        await using var second = new PostgresEventStore(stage.Wired, Facts.Serializer, TimeProvider.System);
        var cutting = true;
        var dice = new Random(Seed);
        await CheckAsync(stage.Look, callsPerWriter: 20, writer =>
        {
            // Another break is laid whenever a writer begins a call.
            if (Volatile.Read(ref cutting)) lock (dice) stage.Wire.Arm(dice.Next(2) == 0, dice.Next(3, 60), dice.Next(5) == 0);
            return writer % 2 == 0 ? stage.Store : second;
        }, async () =>
        {
            Volatile.Write(ref cutting, false);
            await stage.QuietAsync();
        });
    }

    private static async Task CheckAsync(IEventStore look, int callsPerWriter, Func<int, IEventStore> storeOf, Func<Task>? settle = null)
    {
        var (tenant, history) = ("c-" + Guid.NewGuid().ToString("N"), new History());
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(history, tenant, writer, callsPerWriter, storeOf))));
        if (settle is not null) await settle();
        var stored = new Dictionary<string, List<RecordedEvent>>(StringComparer.Ordinal);
        for (var stream = 0; stream < Streams; stream++) stored[$"s{stream}"] = await look.ReadStreamAsync(tenant, $"s{stream}").ToListAsync();
        var complaints = HistoryCheck.Complaints(history.Calls, stored).Take(5).ToList();

        Assert.True(complaints.Count == 0, $"Seed {Seed} (the timing is the machine's own).\n{string.Join('\n', complaints)}");
        Assert.Contains(history.Calls, c => c.End == CallEnd.Refused);
        Assert.True(history.Calls.Count(c => c.End == CallEnd.Stored) > callsPerWriter, "Hardly an append got through: the test says nothing.");
    }

    private static async Task WriteAsync(History history, string tenant, int writer, int calls, Func<int, IEventStore> storeOf)
    {
        var dice = new Random(Seed + writer);
        var known = new long[Streams];
        for (var call = 0; call < calls; call++)
        {
            var stream = dice.Next(Streams);
            var expected = dice.Next(5) switch
            {
                0 => ExpectedVersion.Any,
                1 => ExpectedVersion.StreamExists,
                2 when call < 5 => ExpectedVersion.NoStream,
                _ => ExpectedVersion.Exact(known[stream]),
            };
            EventData[] events = Facts.Raised(dice.Next(1, 5), writer);
            var (isIdempotent, id) = (dice.Next(3) == 0, "s" + stream.ToString(CultureInfo.InvariantCulture));
            var heard = await history.RecordAsync(storeOf(writer), tenant, id, expected, events, isIdempotent);
            // Who heard nothing asks again with the same ids.
            if (heard.End == CallEnd.Unknown && isIdempotent) heard = await history.RecordAsync(storeOf(writer), tenant, id, expected, events, isIdempotent);
            known[stream] = heard.End == CallEnd.Refused ? heard.Actual : heard.End == CallEnd.Unknown ? known[stream] : heard.Version;
        }
    }
}
