using Sentiric.EventStore.Tests.Contract;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

public sealed class PostgresImportTests(PostgresFixture postgres) : ImportContract, IClassFixture<PostgresFixture>
{
    protected override ValueTask<(IEventStore Store, IEventImporter Importer)> OpenAsync() =>
        ValueTask.FromResult<(IEventStore, IEventImporter)>((postgres.Store, postgres.Store));

    [Fact]
    public async Task A_refused_import_draws_no_number()
    {
        await postgres.Store.AppendToStreamAsync(Tenant, "a", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        var before = await postgres.LinesAsync("select last_value from mt_events_sequence");
        var wrong = new ImportedEvent(Tenant, "a", 3, Guid.CreateVersion7(), "counter_raised", DateTimeOffset.UnixEpoch, "{}"u8.ToArray(), EventMetadata.None);
        await Assert.ThrowsAsync<ImportRefusedException>(async () => await postgres.Store.ImportAsync(new[] { wrong }.ToAsyncEnumerable()));

        Assert.Equal(before, await postgres.LinesAsync("select last_value from mt_events_sequence"));
    }
}
