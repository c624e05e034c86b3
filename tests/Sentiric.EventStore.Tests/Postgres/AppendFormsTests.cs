using Sentiric.EventStore.Tests.Contract;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>The forms of the append store the same rows, keep the same promises and refuse the same.</summary>
public sealed class AppendFormsTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly AppendOptions Idempotent = new(Idempotent: true, AggregateType: "counter");
    private readonly string _tenant = "f-" + Guid.NewGuid().ToString("N")[..8];

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(3, false)]
    [InlineData(3, true)]
    public async Task Every_form_stores_the_same_rows(int events, bool idempotent)
    {
        var metadata = new EventMetadata("corr", "cause", "ayşe", new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero), new Dictionary<string, string> { ["k"] = "ı" });
        EventData[] Batch() => [.. Enumerable.Range(0, events).Select(i => EventData.Of(new NoteTaken($"{i}"), i == 1 ? EventMetadata.None : metadata))];
        var options = new AppendOptions(idempotent, "note");
        var alone = await postgres.Store.AppendToStreamAsync(_tenant, "alone", ExpectedVersion.NoStream, Batch(), options);
        var grouped = await GroupedAsync(async store =>
        {
            var companion = store.AppendToStreamAsync(_tenant, "companion", ExpectedVersion.Any, [Facts.Raised(1)], options);
            var result = await store.AppendToStreamAsync(_tenant, "grouped", ExpectedVersion.Any, Batch(), options);
            await companion;
            return result;
        });
        var together = (await postgres.Store.AppendToStreamsAsync(_tenant, [new StreamAppend(null, "together", ExpectedVersion.NoStream, Batch(), "note")]))[0];

        Assert.Equal([events, events, events], new[] { alone, grouped, together }.Select(r => r.Version));
        var rows = new List<List<string>>();
        foreach (var stream in new[] { "alone", "grouped", "together" })
        {
            rows.Add(await postgres.LinesAsync($"""
                select e.version, e.data::text, e.type, e.mt_dotnet_type, e.correlation_id, e.causation_id, e.headers::text, e.user_name, e.is_archived,
                       s.version, s.type, s.is_archived, s.timestamp = e.timestamp, s.created = s.timestamp
                from mt_events e join mt_streams s on s.tenant_id = e.tenant_id and s.id = e.stream_id
                where e.tenant_id = '{_tenant}' and e.stream_id = '{stream}' order by e.seq_id
                """));
        }
        Assert.Equal(events, rows[0].Count);
        Assert.All(rows, r => Assert.Equal(rows[0], r));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task In_a_group_a_refused_stream_draws_no_number(int events)
    {
        await postgres.Store.AppendToStreamAsync(_tenant, "there", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await postgres.Store.AppendToStreamAsync(_tenant, "archived", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await postgres.Store.ArchiveStreamAsync(_tenant, "archived");
        async Task<bool> IsRefused<T>(ValueTask<AppendResult> append) where T : EventStoreException
        {
            await Assert.ThrowsAsync<T>(async () => await append);
            return true;
        }
        var before = long.Parse(Assert.Single(await postgres.LinesAsync("select last_value from mt_events_sequence")));
        await GroupedAsync(async store =>
        {
            var wrong = IsRefused<WrongExpectedVersionException>(store.AppendToStreamAsync(_tenant, "there", ExpectedVersion.NoStream, Facts.Raised(events, 1)));
            var closed = IsRefused<StreamArchivedException>(store.AppendToStreamAsync(_tenant, "archived", ExpectedVersion.Any, Facts.Raised(events, 1)));
            var missing = IsRefused<WrongExpectedVersionException>(store.AppendToStreamAsync(_tenant, "missing", ExpectedVersion.StreamExists, Facts.Raised(events, 1)));
            var result = await store.AppendToStreamAsync(_tenant, "there", ExpectedVersion.Exact(1), Facts.Raised(events, 1));
            Assert.True(await wrong && await closed && await missing);
            return result;
        });

        // One for the append that blocked the lane, the others for those that were stored.
        Assert.Equal([$"{before + 1 + events}"], await postgres.LinesAsync("select last_value from mt_events_sequence"));
    }

    [Fact]
    public async Task Single_events_of_many_streams_that_share_a_statement_come_to_lie_under_their_own_names()
    {
        const int streams = 30;
        for (var i = 0; i < streams; i += 3) await postgres.Store.AppendToStreamAsync(_tenant, $"m-{i}", ExpectedVersion.NoStream, Facts.Raised(i + 1, 1));
        // Every third goes on, every third starts, every third either; each fifth believes what is not so.
        ExpectedVersion Believed(int i) => i % 3 == 0 ? ExpectedVersion.Exact(i + (i % 5 == 0 ? 2 : 1)) : i % 3 == 2 ? ExpectedVersion.Any : i % 5 == 0 ? ExpectedVersion.Exact(9) : ExpectedVersion.NoStream;
        var results = Array.Empty<AppendResult?>();
        await GroupedAsync(async store =>
        {
            results = await Task.WhenAll(Enumerable.Range(0, streams).Select(async i =>
            {
                try
                {
                    return await store.AppendToStreamAsync(_tenant, $"m-{i}", Believed(i), [EventData.Of(new NoteTaken($"note {i}"))]);
                }
                catch (WrongExpectedVersionException)
                {
                    return null;
                }
            }));
            return await store.AppendToStreamAsync(_tenant, "after", ExpectedVersion.Any, [Facts.Raised(1)]);
        });

        for (var i = 0; i < streams; i++)
        {
            var last = await postgres.Store.ReadStreamAsync(_tenant, $"m-{i}").LastOrDefaultAsync();
            if (i % 5 == 0 && i % 3 != 2)
            {
                Assert.Null(results[i]);
                Assert.IsNotType<NoteTaken>(last?.Data(Facts.Serializer));
                continue;
            }
            Assert.Equal((i % 3 == 0 ? i + 2 : 1, last!.Position), (results[i]!.Version, Assert.Single(results[i]!.Positions)));
            Assert.Equal(new NoteTaken($"note {i}"), last.Data(Facts.Serializer));
        }
        Assert.Equal(["1"], await postgres.LinesAsync($"select count(distinct xmin::text) from mt_events where tenant_id = '{_tenant}' and type = 'note_taken'"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Alone_a_refused_append_draws_no_number(int events)
    {
        await postgres.Store.AppendToStreamAsync(_tenant, "there", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await postgres.Store.AppendToStreamAsync(_tenant, "archived", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await postgres.Store.ArchiveStreamAsync(_tenant, "archived");
        var known = Facts.Raised(events, 1);
        await postgres.Store.AppendToStreamAsync(_tenant, "known", ExpectedVersion.NoStream, known, Idempotent);
        Task RefusedAsync(string stream, ExpectedVersion expected) => Assert.ThrowsAnyAsync<EventStoreException>(
            async () => await postgres.Store.AppendToStreamAsync(_tenant, stream, expected, Facts.Raised(events, 1)));
        var before = await postgres.LinesAsync("select last_value from mt_events_sequence");

        await RefusedAsync("there", ExpectedVersion.NoStream);
        await RefusedAsync("there", ExpectedVersion.Exact(7));
        await RefusedAsync("missing", ExpectedVersion.StreamExists);
        await RefusedAsync("archived", ExpectedVersion.Any);
        await RefusedAsync("archived", ExpectedVersion.Exact(1));
        Assert.True((await postgres.Store.AppendToStreamAsync(_tenant, "known", ExpectedVersion.Any, known, Idempotent)).AlreadyStored);

        Assert.Equal(before, await postgres.LinesAsync("select last_value from mt_events_sequence"));
    }

    [Fact]
    public async Task Appends_of_one_stream_that_share_a_statement_get_their_own_numbers()
    {
        var results = Array.Empty<AppendResult>();
        await GroupedAsync(async store =>
        {
            results = await Task.WhenAll(
                store.AppendToStreamAsync(_tenant, "shared", ExpectedVersion.NoStream, Facts.Raised(2, 1)).AsTask(),
                store.AppendToStreamAsync(_tenant, "shared", ExpectedVersion.Any, [Facts.Raised(1)]).AsTask(),
                store.AppendToStreamAsync(_tenant, "shared", ExpectedVersion.StreamExists, Facts.Raised(3, 1)).AsTask());
            return results[0];
        });

        Assert.Equal([2L, 3L, 6L], results.Select(r => r.Version));
        Assert.Equal(results.SelectMany(r => r.Positions), await postgres.Store.ReadStreamAsync(_tenant, "shared").Select(e => e.Position).ToListAsync());
        Assert.Equal(["1"], await postgres.LinesAsync($"select count(distinct xmin::text) from mt_events where tenant_id = '{_tenant}' and stream_id = 'shared'"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_repeated_batch_is_known_in_every_form(int events)
    {
        var (a, b) = (Facts.Raised(events, 1), Facts.Raised(events, 1));
        var first = await postgres.Store.AppendToStreamAsync(_tenant, "a", ExpectedVersion.NoStream, a, Idempotent);
        var again = await postgres.Store.AppendToStreamAsync(_tenant, "a", ExpectedVersion.NoStream, a, Idempotent);
        var results = Array.Empty<AppendResult>();
        await GroupedAsync(async store =>
        {
            results = await Task.WhenAll(
                store.AppendToStreamAsync(_tenant, "a", ExpectedVersion.Any, a, Idempotent).AsTask(),
                store.AppendToStreamAsync(_tenant, "b", ExpectedVersion.Any, b, Idempotent).AsTask(),
                store.AppendToStreamAsync(_tenant, "b", ExpectedVersion.Any, b, Idempotent).AsTask());
            return results[0];
        });

        Assert.True(again.AlreadyStored && results[0].AlreadyStored);
        Assert.Equal([first.Positions, first.Positions], new[] { again.Positions, results[0].Positions });
        Assert.Equal(results[1].Positions, results[2].Positions);
        Assert.Equal([$"a | {events}", $"b | {events}"], await postgres.LinesAsync(
            $"select stream_id, count(*) from mt_events where tenant_id = '{_tenant}' and stream_id in ('a', 'b') group by 1 order by 1"));
    }

    [Fact]
    public async Task One_statement_holds_streams_of_one_name_in_two_tenants()
    {
        var other = _tenant + "-other";
        var results = await postgres.Store.AppendToStreamsAsync(_tenant,
        [
            new StreamAppend(null, "same", ExpectedVersion.NoStream, Facts.Raised(2, 1)),
            new StreamAppend(other, "same", ExpectedVersion.Any, Facts.Raised(3, 1)),
        ]);
        Assert.Equal([2L, 3L], results.Select(r => r.Version));
        Assert.Equal(results[1].Positions, await postgres.Store.ReadStreamAsync(other, "same").Select(e => e.Position).ToListAsync());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task The_time_of_a_stream_never_runs_backwards(int events)
    {
        var now = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
        await using var right = new PostgresEventStore(postgres.Source, Facts.Serializer, new ManualTime(now));
        await using var slow = new PostgresEventStore(postgres.Source, Facts.Serializer, new ManualTime(now.AddMinutes(-5)));
        await right.AppendToStreamAsync(_tenant, "s", ExpectedVersion.NoStream, Facts.Raised(events, 1));
        await slow.AppendToStreamAsync(_tenant, "s", ExpectedVersion.Any, Facts.Raised(events, 1));
        await slow.AppendToStreamAsync(_tenant, "s", ExpectedVersion.Exact(2 * events), Facts.Raised(events, 1));
        await slow.AppendToStreamsAsync(_tenant, [new StreamAppend(null, "s", ExpectedVersion.Any, Facts.Raised(events, 1))]);

        Assert.All(await right.ReadStreamAsync(_tenant, "s").ToListAsync(), e => Assert.Equal(now, e.RecordedAt));
        Assert.Equal(now, (await right.GetStreamStateAsync(_tenant, "s"))?.LastChanged);
    }

    /// <summary>Runs the append while the lane is busy, so that it shares a statement with others.</summary>
    private async Task<AppendResult> GroupedAsync(Func<PostgresEventStore, Task<AppendResult>> append)
    {
        await using var store = postgres.NewStore(new PostgresEventStoreOptions { AppendLockTimeout = TimeSpan.FromSeconds(30), MaxAppendLanes = 1 });
        await using var row = await RowLock.TakeAsync(postgres, _tenant, "blocked");
        var blocked = store.AppendToStreamAsync(_tenant, "blocked", ExpectedVersion.Any, [Facts.Raised(1)]).AsTask();
        await row.IsWaitedForAsync(postgres);
        var mine = append(store);
        await row.DisposeAsync();
        await blocked.WaitAsync(Patience);
        return await mine.WaitAsync(Patience);
    }
}
