using System.Text;
using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.Testing.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Export;

public sealed class ExportTests : IAsyncLifetime
{
    private const string Tenant = "t";
    private readonly PostgresFixture _from = new();
    private readonly PostgresFixture _to = new();

    public async Task InitializeAsync() => await Task.WhenAll(_from.InitializeAsync(), _to.InitializeAsync());

    public async Task DisposeAsync() => await Task.WhenAll(_from.DisposeAsync(), _to.DisposeAsync());

    [Fact]
    public async Task An_export_that_was_imported_exports_to_the_same_bytes()
    {
        await FillAsync();
        var first = await ExportAsync(_from);
        await ImportAsync(_to, first);
        Assert.Equal(Encoding.UTF8.GetString(first), Encoding.UTF8.GetString(await ExportAsync(_to)));
        Assert.True((await _to.Store.GetStreamStateAsync(Tenant, "closed"))?.IsArchived);
        Assert.Equal("counter", (await _to.Store.GetStreamStateAsync(Tenant, "a"))?.AggregateType);
    }

    [Fact]
    public async Task An_import_that_is_repeated_stores_nothing()
    {
        await FillAsync();
        var file = await ExportAsync(_from);
        var once = await ImportAsync(_to, file);
        var twice = await ImportAsync(_to, file);
        Assert.Equal((once.Read, 0L, once.Read), (twice.Read, twice.Stored, twice.AlreadyStored));
        Assert.Equal(file, await ExportAsync(_to));
    }

    [Fact]
    public async Task A_store_takes_in_what_another_one_had_beside_its_own()
    {
        await FillAsync();
        await _to.Store.AppendToStreamAsync("own", "x", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await ImportAsync(_to, await ExportAsync(_from));
        Assert.Equal(await ExportAsync(_from, new ExportScope(Tenant)), await ExportAsync(_to, new ExportScope(Tenant)));
        Assert.Equal(1, (await _to.Store.GetStreamStateAsync("own", "x"))?.Version);
    }

    [Fact]
    public async Task A_scope_leaves_out_what_is_outside_of_it()
    {
        await FillAsync();
        var lines = Lines(await ExportAsync(_from, new ExportScope(Tenant, "a")));
        Assert.Equal(6, lines.Length); // header, four events, trailer
        Assert.All(lines[1..^1], l => Assert.Contains("\"stream\":\"a\"", l, StringComparison.Ordinal));
        var events = await _from.Store.ReadAllAsync(0, 100).ToListAsync();
        var (since, until) = (events[2].RecordedAt, events[^1].RecordedAt);
        var some = Lines(await ExportAsync(_from, new ExportScope(null, null, since, until)));
        Assert.Equal(events.Where(e => e.RecordedAt >= since && e.RecordedAt < until).Select(e => e.EventId.ToString()), some[1..^1].Select(IdOf));
    }

    [Fact]
    public async Task What_was_cut_off_goes_on_behind_the_last_event_that_arrived()
    {
        await FillAsync();
        var whole = Lines(await ExportAsync(_from));
        var events = await _from.Store.ReadAllAsync(0, 100).ToListAsync();
        var last = events[3];
        var rest = Lines(await ExportAsync(_from, null, new ExportPlace(last.Tenant, last.StreamId, last.Version)));
        Assert.Equal(whole[5..^1], rest[..^1]);
        Assert.Contains($"\"events\":{events.Count - 4}", rest[^1], StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => ExportAsync(_from, null, new ExportPlace(Tenant, "a", 99)));
    }

    [Fact]
    public async Task A_file_that_is_not_what_was_written_is_refused_by_name()
    {
        await FillAsync();
        var file = Encoding.UTF8.GetString(await ExportAsync(_from));
        var lines = file.TrimEnd('\n').Split('\n');
        Assert.Equal("not_an_export", await RefusedAsync(""));
        Assert.Equal("not_an_export", await RefusedAsync("id,name\n1,x\n"));
        Assert.Equal("version_unknown", await RefusedAsync(file.Replace("\"version\":1", "\"version\":9", StringComparison.Ordinal)));
        Assert.Equal("incomplete", await RefusedAsync(string.Join('\n', lines[..^1]) + "\n"));
        Assert.Equal("incomplete", await RefusedAsync(file[..^20]));
        Assert.Equal("damaged", await RefusedAsync(string.Join('\n', lines.Where((_, n) => n != 4)) + "\n"));
        Assert.Equal("damaged", await RefusedAsync(file.Replace("\"By\": 7", "\"By\": 8", StringComparison.Ordinal)));
        Assert.Equal("damaged", await RefusedAsync(file + lines[1] + "\n"));
        Assert.Equal("line_unreadable", await RefusedAsync(lines[0] + "\n{\"tenant\":\"t\"}\n"));
    }

    [Fact]
    public async Task An_event_that_came_by_import_says_so_and_its_export_does_not()
    {
        await _from.Store.AppendToStreamAsync(
            Tenant, "a", ExpectedVersion.NoStream,
            [EventData.Of(new CounterRaised(1), new EventMetadata(Headers: new Dictionary<string, string> { [ExportFile.ImportedHeader] = "2026", ["k"] = "v" }))]);
        var line = Lines(await ExportAsync(_from))[1];
        Assert.Contains("\"headers\":{\"k\":\"v\"}", line, StringComparison.Ordinal);
        Assert.DoesNotContain("imported", line, StringComparison.Ordinal);
    }

    private async Task FillAsync()
    {
        var meta = new EventMetadata("corr", "cause", "ayşe", new DateTimeOffset(2024, 2, 29, 1, 2, 3, TimeSpan.FromHours(3)), new Dictionary<string, string> { ["z"] = "1", ["a"] = "İ\"\n" });
        await _from.Store.AppendToStreamAsync(Tenant, "a", ExpectedVersion.NoStream, [EventData.Of(new CounterRaised(7), meta), Facts.Raised(2)], new AppendOptions(AggregateType: "counter"));
        await _from.ExecuteAsync("select nextval('mt_events_sequence') from generate_series(1, 5)"); // a hole
        await _from.Store.AppendToStreamAsync("other", "a", ExpectedVersion.NoStream, [EventData.Of(new NoteTaken("söz, \u2028 ve \"tırnak\""))]);
        await _from.Store.AppendToStreamAsync(Tenant, "a", ExpectedVersion.Exact(2), Facts.Raised(2, 3));
        await _from.Store.AppendToStreamAsync(Tenant, "closed", ExpectedVersion.NoStream, Facts.Raised(2, 1));
        await _from.Store.ArchiveStreamAsync(Tenant, "closed");
        await _from.Store.AppendToStreamAsync(Tenant, "b", ExpectedVersion.NoStream, [EventData.Of(new CounterOpened("b"))]);
    }

    private static async Task<byte[]> ExportAsync(PostgresFixture store, ExportScope? scope = null, ExportPlace? behind = null)
    {
        using var file = new MemoryStream();
        await new LogExport(store.Source, store.Store).WriteAsync(file, scope ?? ExportScope.Everything, behind);
        return file.ToArray();
    }

    private static async Task<ImportTotals> ImportAsync(PostgresFixture store, byte[] file)
    {
        var lines = await ExportReader.ReadAsync(new MemoryStream(file)).ToListAsync();
        var totals = await store.Store.ImportAsync(lines.Select(l => l.Event).ToAsyncEnumerable());
        foreach (var line in lines.Where(l => l.ArchivesStream)) await store.Store.ArchiveStreamAsync(line.Event.Tenant, line.Event.StreamId);
        return totals;
    }

    private static async Task<string> RefusedAsync(string file) =>
        (await Assert.ThrowsAsync<ExportFileException>(async () => await ExportReader.ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(file))).ToListAsync())).Code;

    private static string[] Lines(byte[] file) => Encoding.UTF8.GetString(file).TrimEnd('\n').Split('\n');

    private static string IdOf(string line) => line.Split("\"id\":\"")[1][..36];
}
