using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>The log is read off the connection while the caller works, and yet nobody keeps a connection by being slow.</summary>
public sealed class LogScanTests : IAsyncLifetime
{
    // Several pages, and more than the sockets hold.
    private const int Events = 600;
    private const string Reading = "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and query like '%order by seq_id limit%' and pid <> pg_backend_pid()";
    private static readonly string Long = new('x', 40_000);

    private readonly PostgresFixture _postgres = new();

    public async Task InitializeAsync()
    {
        await _postgres.InitializeAsync();
        for (var i = 0; i < Events; i += 50)
            await _postgres.Store.AppendToStreamAsync("acme", $"s-{i}", ExpectedVersion.NoStream, [.. Enumerable.Range(0, 50).Select(_ => EventData.Of(new NoteTaken(Long)))]);
    }

    public Task DisposeAsync() => _postgres.DisposeAsync();

    [Fact]
    public async Task A_caller_who_stays_away_loses_the_connection_and_misses_nothing()
    {
        var time = new ManualTime();
        await using var store = new PostgresEventStore(_postgres.Source, Facts.Serializer, time);
        var positions = new List<long>();
        await foreach (var recorded in store.ReadAllAsync(0, int.MaxValue))
        {
            positions.Add(recorded.Position);
            if (positions.Count is not (1 or 100)) continue;
            Assert.Equal(["1"], await _postgres.LinesAsync(Reading));
            time.Advance(LogScan.GuardInterval * 2);
            await UntilNobodyReadsAsync();
        }
        Assert.Equal(Enumerable.Range(1, Events).Select(n => (long)n), positions);
    }

    [Fact]
    public async Task Who_stops_half_way_leaves_no_read_behind()
    {
        Assert.Equal(7, await _postgres.Store.ReadAllAsync(0, int.MaxValue).Take(7).CountAsync());
        Assert.Equal(["0"], await _postgres.LinesAsync(Reading));
        Assert.Equal(Events, await _postgres.Store.ReadAllAsync(0, int.MaxValue).CountAsync());
    }

    [Fact]
    public async Task A_cancelled_read_ends_and_the_next_one_works()
    {
        using var stop = new CancellationTokenSource();
        var seen = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in _postgres.Store.ReadAllAsync(0, int.MaxValue).WithCancellation(stop.Token))
            {
                if (++seen == 100) await stop.CancelAsync();
            }
        });
        Assert.Equal(Events, await _postgres.Store.ReadAllAsync(0, int.MaxValue).CountAsync());
    }

    [Fact]
    public async Task Events_of_all_sizes_come_back_as_they_are()
    {
        var sizes = new[] { 900_000, 0, 1, 262_100, 262_144, 7, 600_000 };
        await _postgres.Store.AppendToStreamAsync("acme", "sizes", ExpectedVersion.NoStream, [.. sizes.Select(s => EventData.Of(new NoteTaken(new string('ş', s / 6))))]);
        var read = await _postgres.Store.ReadAllAsync(Events, int.MaxValue).ToListAsync();
        Assert.Equal(sizes.Select(s => s / 6), read.Select(r => ((NoteTaken)r.Data(Facts.Serializer)).Text.Length));
        Assert.All(read, r => Assert.DoesNotContain(((NoteTaken)r.Data(Facts.Serializer)).Text, c => c != 'ş'));
    }

    [Fact]
    public async Task A_page_that_the_server_ends_half_way_is_a_typed_error_and_the_next_read_works()
    {
        var seen = 0;
        await Assert.ThrowsAsync<EventStoreUnavailableException>(async () =>
        {
            await foreach (var _ in _postgres.Store.ReadAllAsync(0, int.MaxValue))
            {
                if (++seen == 5) await _postgres.ExecuteAsync(Reading.Replace("count(*)", "pg_cancel_backend(pid)", StringComparison.Ordinal));
            }
        });
        Assert.InRange(seen, 5, Events - 1);
        Assert.Equal(Events, await _postgres.Store.ReadAllAsync(0, int.MaxValue).CountAsync());
    }

    private async Task UntilNobodyReadsAsync()
    {
        for (var tries = 0; tries < 200; tries++)
        {
            if (await _postgres.LinesAsync(Reading) is ["0"]) return;
            // The database does the waiting.
            await _postgres.ExecuteAsync("select pg_sleep(0.02)");
        }
        throw new TimeoutException("The connection of a caller who stays away was not given back within 4 s.");
    }
}
