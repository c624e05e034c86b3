using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Projections;

/// <summary>What is gathered over a batch must be what event by event would have given.</summary>
public sealed class RowBatchTests : IAsyncLifetime
{
    private const string Rows = "select id, version, name, moment, level, length from gathered order by 1, 2";
    private const int Kinds = 9;
    private readonly PostgresFixture _postgres = new();

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Any_order_of_inserts_sets_raises_and_deletes_gives_the_same_rows_in_batches_and_one_by_one(int seed)
    {
        var dice = new Random(seed);
        for (var i = 0; i < 25; i++)
        {
            await _postgres.Store.AppendToStreamAsync(
                "acme", $"s-{dice.Next(6)}", ExpectedVersion.Any, [.. Enumerable.Range(0, 12).Select(_ => Facts.Raised(dice.Next(Kinds * 10)))]);
        }
        var single = await ProjectAsync(1);
        Assert.NotEmpty(single);
        await _postgres.ExecuteAsync("drop table gathered; delete from mt_event_progression where name = 'Gathered:All'");
        Assert.Equal(single, await ProjectAsync(37));
        Assert.Empty(await _postgres.LinesAsync("select data from mt_doc_deadletterevent"));
    }

    private async Task<List<string>> ProjectAsync(int batch)
    {
        var options = new ProjectionOptions { BatchSize = batch, MaxBatchSize = batch, MaxAttempts = 1, RetryDelay = TimeSpan.Zero };
        await new ProjectionDaemon(_postgres.Source, _postgres.Store, [new Gathered()], TimeProvider.System, options).CatchUpAsync();
        return await _postgres.LinesAsync(Rows);
    }

    [Fact]
    public async Task Of_two_rows_with_one_key_in_an_upsert_the_later_counts_and_casts_are_kept()
    {
        await _postgres.Store.AppendToStreamAsync("acme", "s", ExpectedVersion.Any, [Facts.Raised(1)]);
        await new ProjectionDaemon(_postgres.Source, _postgres.Store, [new Upserted()], TimeProvider.System).CatchUpAsync();
        Assert.Equal(["1 | {\"a\": 2} | - | True", "2 | - | 1.5 | -"], await _postgres.LinesAsync("select id, data, amount, is_set from upserted order by 1"));
    }

    /// <summary>The last digit says what happens to the row, the rest with which value.</summary>
    private sealed class Gathered : EventProjection
    {
        private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override IReadOnlyList<string> Tables { get; } = ["gathered"];

        public override string SchemaSql(string suffix) => $"""
            create table if not exists gathered{suffix} (
                id text not null, version bigint not null, name text, moment timestamptz, level int not null default 0, length bigint,
                constraint pkey_gathered{suffix} primary key (id, version));
            """;

        public override void Apply(IProjectionWriter writer, RecordedEvent recorded, object @event)
        {
            if (@event is not CounterRaised { By: var by }) return;
            var (rows, value) = (writer.Rows("gathered", "id", "version"), by / Kinds);
            object[] key = [recorded.StreamId, (long)(value % 2)];
            switch (by % Kinds)
            {
                case 0:
                case 1:
                    rows.Insert(key, ("name", "n" + value));
                    break;
                case 2:
                    rows.Insert(key, ("level", value), ("moment", Start.AddDays(value)));
                    break;
                case 3:
                    rows.Set(key, ("name", value % 3 == 0 ? null : "s" + value));
                    break;
                case 4:
                    rows.Set(key, ("moment", value % 3 == 0 ? null : Start.AddDays(value)), ("length", value % 4 == 0 ? null : (long)value));
                    break;
                case 5:
                    rows.Set(key, ("level", value));
                    break;
                case 6:
                case 7:
                    rows.Raise(key, "level", value);
                    break;
                default:
                    rows.Delete(key);
                    break;
            }
        }
    }

    private sealed class Upserted : ITableProjection
    {
        public string Name => "Upserted";

        public int Version => 1;

        public IReadOnlyList<string> Tables { get; } = ["upserted"];

        public string SchemaSql(string suffix) =>
            $"create table if not exists upserted{suffix} (id int, data jsonb, amount numeric, is_set boolean, constraint pkey_upserted{suffix} primary key (id));";

        public ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
        {
            writer.BulkUpsert("upserted", ["id"], ["data::jsonb", "amount", "is_set"], [[1, "{\"a\": 1}", 7.5m, true], [2, null, 1.5m, null], [1, "{\"a\": 2}", null, true]]);
            return ValueTask.CompletedTask;
        }
    }
}
