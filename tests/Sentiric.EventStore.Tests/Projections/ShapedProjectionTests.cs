using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Projections;

/// <summary>Projections, rebuilds, parked events and snapshots on the other shapes of the tables.</summary>
public abstract class ShapedProjectionContract(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly string A = NamedStreams.IdOf("a");
    private static readonly string B = NamedStreams.IdOf("b");

    public Task InitializeAsync() => postgres.InitializeAsync();

    public Task DisposeAsync() => postgres.DisposeAsync();

    private ProjectionDaemon Daemon(params ITableProjection[] projections) => new(
        postgres.Source, postgres.Store, projections, TimeProvider.System,
        new ProjectionOptions { BatchSize = 3, RebuildBatchSize = 2, RetryDelay = TimeSpan.FromMilliseconds(1) });

    [Fact]
    public async Task Rows_and_documents_follow_survive_a_rebuild_and_a_deletion()
    {
        var store = postgres.Store;
        await store.AppendToStreamAsync("acme", A, ExpectedVersion.NoStream, [EventData.Of(new CounterOpened("çay")), Facts.Raised(3)]);
        await store.AppendToStreamAsync("other", A, ExpectedVersion.NoStream, [Facts.Raised(4)]);
        await store.AppendToStreamAsync("acme", B, ExpectedVersion.NoStream, [Facts.Raised(4)]);
        var daemon = Daemon(new CounterRows(), new CounterViews());
        await daemon.CatchUpAsync();
        await store.AppendToStreamAsync("acme", A, ExpectedVersion.Any, [Facts.Raised(5)]);
        await daemon.CatchUpAsync();
        var (rows, documents) = (await RowsAsync(), await DocumentsAsync());
        Assert.Equal(["acme | a | 8", "acme | b | 4", "other | a | 4"], rows);
        Assert.Equal(["acme | a | 8 | 3", "acme | b | 4 | 1", "other | a | 4 | 1"], documents);
        await daemon.RebuildAsync("CounterRows");
        await daemon.RebuildAsync("CounterView");
        await daemon.RebuildStreamAsync("CounterView", "acme", A);
        Assert.Equal(rows, await RowsAsync());
        Assert.Equal(documents, await DocumentsAsync());
        Assert.Equal([EventTables.Of(postgres.Options).StreamIdSqlType is "uuid" ? "uuid" : "character varying"], await postgres.LinesAsync(
            "select format_type(atttypid, null) from pg_attribute where attrelid = 'mt_doc_counterview'::regclass and attname = 'id'"));
    }

    [Fact]
    public async Task A_deleted_document_goes_and_poisonous_events_are_parked()
    {
        var store = postgres.Store;
        await store.AppendToStreamAsync("acme", A, ExpectedVersion.NoStream, [Facts.Raised(3), Facts.Raised(-100), Facts.Raised(1)]);
        await store.AppendToStreamAsync("acme", B, ExpectedVersion.NoStream, [Facts.Raised(1)]);
        var daemon = Daemon(new CounterRows(), new CounterViews());
        await daemon.CatchUpAsync();
        await store.AppendToStreamAsync("acme", B, ExpectedVersion.Any, [Facts.Raised(-1)]);
        await daemon.CatchUpAsync();

        // The table refuses amounts below zero, the document takes -1 as its deletion.
        Assert.Equal(["acme | a | 4", "acme | b | 1"], await RowsAsync());
        Assert.Equal(["acme | a | -96 | 3"], await DocumentsAsync());
        var parked = await new PostgresCheckpointStore(postgres.Source).ListParkedAsync(ShardName.Of("CounterRows"));
        Assert.Equal([(2L, "counter_raised"), (5L, "counter_raised")], parked.Select(p => (p.Position, p.EventType)));
    }

    private async Task<string> RowsOf(string sql) => string.Join('\n', await postgres.LinesAsync(sql));

    private async Task<string[]> RowsAsync() => Named(await RowsOf("select tenant_id, id, total from counter_row order by 1, id = '" + B + "'"));

    private async Task<string[]> DocumentsAsync() =>
        Named(await RowsOf("select tenant_id, id, data ->> 'Total', mt_version from mt_doc_counterview order by 1, id::text = '" + B + "'"));

    private static string[] Named(string lines) => lines.Replace(A, "a", StringComparison.Ordinal).Replace(B, "b", StringComparison.Ordinal).Split('\n');
}

public sealed class GuidProjectionTests() : ShapedProjectionContract(new GuidFixture());

public sealed class Marten8ProjectionTests() : ShapedProjectionContract(new Marten8Fixture());

public sealed class Marten8GuidProjectionTests() : ShapedProjectionContract(new Marten8GuidFixture());
