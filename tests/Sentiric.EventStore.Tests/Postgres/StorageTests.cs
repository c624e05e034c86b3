using Sentiric.EventStore.Tests.Contract;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>What the rows look like to somebody else who opens the same database.</summary>
public sealed class StorageTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task A_row_carries_what_a_Marten_host_reads()
    {
        var metadata = new EventMetadata("corr", "cause", "ayşe", null, new Dictionary<string, string> { ["k"] = "v" });
        await postgres.Store.AppendToStreamAsync("acme", "row", ExpectedVersion.NoStream, [EventData.Of(new NoteTaken("ı"), metadata)], new AppendOptions(AggregateType: "note"));

        Assert.Equal(
            ["""row | 1 | {"Text": "ı"} | - | note_taken | acme | Sentiric.EventStore.Tests.Contract.NoteTaken, Sentiric.EventStore.Tests | corr | cause | {"k": "v"} | ayşe | False"""],
            await postgres.LinesAsync("""
                select stream_id, version, data::text, bdata, type, tenant_id, mt_dotnet_type, correlation_id, causation_id, headers::text, user_name, is_archived
                from mt_events where stream_id = 'row'
                """));
        Assert.Equal(["acme | row | note | 1 | False"], await postgres.LinesAsync("select tenant_id, id, type, version, is_archived from mt_streams where id = 'row'"));
    }

    [Fact]
    public async Task A_refused_append_draws_no_number()
    {
        await postgres.Store.AppendToStreamAsync("acme", "refused", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        var before = await postgres.LinesAsync("select last_value from mt_events_sequence");
        await Assert.ThrowsAsync<WrongExpectedVersionException>(async () =>
            await postgres.Store.AppendToStreamAsync("acme", "refused", ExpectedVersion.NoStream, [Facts.Raised(1)]));
        await Assert.ThrowsAsync<WrongExpectedVersionException>(async () => await postgres.Store.AppendToStreamsAsync("acme",
        [
            new StreamAppend(null, "fine", ExpectedVersion.NoStream, [Facts.Raised(1)]),
            new StreamAppend(null, "refused", ExpectedVersion.Exact(7), [Facts.Raised(1)]),
        ]));

        Assert.Equal(before, await postgres.LinesAsync("select last_value from mt_events_sequence"));
    }

    [Fact]
    public async Task A_tombstone_of_a_Marten_host_is_not_an_event()
    {
        var mark = await postgres.Store.GetHighWaterMarkAsync();
        await postgres.ExecuteAsync("""
            insert into mt_streams (tenant_id, id, version) values ('*DEFAULT*', 'mt_tombstone', 0);
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp)
            select n, gen_random_uuid(), 'mt_tombstone', n, '{}', 'tombstone', '-infinity' from nextval('mt_events_sequence') n
            """);
        var appended = await postgres.Store.AppendToStreamAsync("acme", "after-tombstone", ExpectedVersion.Any, [Facts.Raised(1)]);

        Assert.Equal([appended.LastPosition], await postgres.Store.ReadAllAsync(mark, 10).Select(e => e.Position).ToListAsync());
    }

    [Fact]
    public async Task An_event_of_another_writer_is_read()
    {
        await postgres.ExecuteAsync("""
            insert into mt_streams (tenant_id, id, type, version) values ('acme', 'foreign', 'counter', 1);
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, headers)
            values (nextval('mt_events_sequence'), gen_random_uuid(), 'foreign', 1, '{"By": 4}', 'counter_raised', '2026-01-02T03:04:05Z', 'acme', '{"n": 5}')
            """);
        var handle = await postgres.Store.FetchForWritingAsync("acme", "foreign", 0, Facts.Sum);
        await handle.AppendAsync([Facts.Raised(3)]);
        var read = await postgres.Store.ReadStreamAsync("acme", "foreign").ToListAsync();

        Assert.Equal(4, handle.State);
        Assert.Equal("5", read[0].Metadata.Headers?["n"]);
        Assert.Equal(7, await postgres.Store.AggregateStreamAsync("acme", "foreign", 0, Facts.Sum));
    }

    [Fact]
    public async Task Another_process_is_woken_without_polling()
    {
        await using var other = postgres.NewStore(new PostgresEventStoreOptions { PollInterval = TimeSpan.FromMinutes(10) });
        var mark = await other.GetHighWaterMarkAsync();
        var waiting = other.WaitForChangeAsync(mark, TimeSpan.FromMinutes(10)).AsTask();
        await postgres.Store.AppendToStreamAsync("acme", "wake", ExpectedVersion.Any, [Facts.Raised(1)]);

        await waiting.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.True(await other.GetHighWaterMarkAsync() > mark);
    }

    [Fact]
    public async Task Many_appends_at_once_share_commits_and_all_get_their_own_answer()
    {
        const int appends = 300;
        var results = await Task.WhenAll(Enumerable.Range(0, appends).Select(async i =>
            await postgres.Store.AppendToStreamAsync("acme", $"group-{i % 30}", ExpectedVersion.Any, Facts.Raised(2, i))));

        Assert.Equal(appends * 2, results.SelectMany(r => r.Positions).Distinct().Count());
        foreach (var stream in results.GroupBy(r => r.StreamId))
        {
            var read = await postgres.Store.ReadStreamAsync("acme", stream.Key).ToListAsync();
            Assert.Equal(Enumerable.Range(1, 20).Select(v => (long)v), read.Select(e => e.Version));
            Assert.All(stream, r => Assert.Equal(r.Positions, read.Where(e => e.Version > r.Version - 2 && e.Version <= r.Version).Select(e => e.Position)));
        }
    }

    [Fact]
    public async Task One_poisonous_append_does_not_spoil_its_neighbours()
    {
        // Somebody keeps the same version busy behind the back of the stream row.
        await postgres.Store.AppendToStreamAsync("acme", "spoilt", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await postgres.ExecuteAsync("update mt_streams set version = 0 where id = 'spoilt'");
        var good = Enumerable.Range(0, 20).Select(i => postgres.Store.AppendToStreamAsync("acme", $"neighbour-{i}", ExpectedVersion.NoStream, [Facts.Raised(1)]).AsTask()).ToList();
        var bad = postgres.Store.AppendToStreamAsync("acme", "spoilt", ExpectedVersion.Any, [Facts.Raised(1)]).AsTask();

        await Assert.ThrowsAnyAsync<Exception>(() => bad);
        Assert.All(await Task.WhenAll(good), r => Assert.Equal(1, r.Version));
    }
}
