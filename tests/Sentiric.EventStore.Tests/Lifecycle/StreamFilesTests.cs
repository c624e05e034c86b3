using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Lifecycle;

/// <summary>Ended streams move into files and back; a crash anywhere loses nothing.</summary>
public abstract class StreamFilesContract(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Everything = """
        select seq_id, id, stream_id::text, version, data::text, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, headers::text, user_name, is_archived
        from mt_events order by seq_id
        """;

    private static readonly FileArchivePolicy Policy = new(TimeSpan.Zero) { EndingEventTypes = ["note_taken"], StreamsPerFile = 2 };
    private readonly string _folder = Directory.CreateTempSubdirectory("sentiric-files-").FullName;

    public Task InitializeAsync() => postgres.InitializeAsync();

    public async Task DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        await postgres.DisposeAsync();
    }

    private StreamFiles Files(Func<string, ValueTask>? step = null) =>
        new(postgres.Source, _folder, TimeProvider.System, postgres.Options) { Step = step ?? (_ => ValueTask.CompletedTask) };

    private static string Id(string name) => NamedStreams.IdOf(name);

    private async Task FillAsync()
    {
        var metadata = new EventMetadata("corr", "cause", "ayşe", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), new Dictionary<string, string> { ["k"] = "çay\n\"" });
        foreach (var name in new[] { "ended-1", "ended-2", "ended-3" })
            await postgres.Store.AppendToStreamAsync("acme", Id(name), ExpectedVersion.NoStream, [Facts.Raised(1), EventData.Of(new NoteTaken("son\u2028\n"), metadata)]);
        await postgres.Store.AppendToStreamAsync("acme", Id("closed"), ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await postgres.Store.ArchiveStreamAsync("acme", Id("closed"));
        await postgres.Store.AppendToStreamAsync("acme", Id("living"), ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await postgres.Store.AppendToStreamAsync("other", Id("ended-1"), ExpectedVersion.NoStream, [Facts.Raised(1)]);
    }

    [Fact]
    public async Task Streams_go_into_files_and_come_back_as_they_were()
    {
        await FillAsync();
        var before = await postgres.LinesAsync(Everything);
        var heard = new List<FileArchiveProgress>();
        var moved = await Files().ArchiveAsync(Policy, new Heard(heard));
        Assert.Equal((4L, 7L), (moved.Streams, moved.Events));
        Assert.Equal([2L, 4L], heard.Select(h => h.Streams));
        Assert.Equal(["2"], await postgres.LinesAsync("select count(*) from mt_events"));
        Assert.Equal(2, await Files().VerifyAsync());

        var back = await Files().RestoreAsync();
        Assert.Equal((4L, 7L), (back.Streams, back.Events));
        Assert.Equal(before.Select(WithoutFlag), (await postgres.LinesAsync(Everything)).Select(WithoutFlag));
        Assert.Empty(await postgres.LinesAsync("select 1 from sx_archived_stream"));
        Assert.Equal(2, (await Files().UnusedFilesAsync()).Count);

        Assert.True(await postgres.Store.UnarchiveStreamAsync("acme", Id("ended-1")));
        Assert.Equal(3, (await postgres.Store.AppendToStreamAsync("acme", Id("ended-1"), ExpectedVersion.Exact(2), [Facts.Raised(1)])).Version);
    }

    // A stream that was in a file is closed afterwards.
    private static string WithoutFlag(string line) => line[..line.LastIndexOf('|')];

    [Fact]
    public async Task A_stream_in_a_file_says_where_it_is_and_takes_no_events()
    {
        await FillAsync();
        await Files().ArchiveAsync(Policy);
        var store = postgres.Store;
        var state = await store.GetStreamStateAsync("acme", Id("ended-1"));
        Assert.True(state!.IsArchived);
        var told = await Assert.ThrowsAsync<StreamInFileException>(async () => await store.ReadStreamAsync("acme", Id("ended-1")).ToListAsync());
        Assert.Equal(state.File, told.File);
        Assert.True(File.Exists(Path.Combine(_folder, told.File)));
        await Assert.ThrowsAsync<StreamInFileException>(async () => await store.AggregateStreamAsync("acme", Id("ended-1"), 0, Facts.Sum));
        await Assert.ThrowsAsync<StreamInFileException>(async () => await store.UnarchiveStreamAsync("acme", Id("ended-1")));
        await Assert.ThrowsAsync<StreamArchivedException>(async () => await store.AppendToStreamAsync("acme", Id("ended-1"), ExpectedVersion.Any, [Facts.Raised(1)]));
        Assert.Empty(await store.ReadStreamAsync("acme", Id("no-such")).ToListAsync());
        Assert.Single(await store.ReadStreamAsync("other", Id("ended-1")).ToListAsync());
    }

    [Fact]
    public async Task A_store_that_knows_the_folder_reads_through_it()
    {
        await FillAsync();
        var before = await postgres.Store.ReadStreamAsync("acme", Id("ended-2")).ToListAsync();
        await Files().ArchiveAsync(Policy);
        await using var store = postgres.NewStore(postgres.Options with { ArchiveFolder = _folder });

        Assert.Equal(before, await store.ReadStreamAsync("acme", Id("ended-2")).ToListAsync(), SameEvents);
        Assert.Equal([2L], await store.ReadStreamAsync("acme", Id("ended-2"), fromVersion: 2).Select(e => e.Version).ToListAsync());
        Assert.Equal([1L], await store.ReadStreamAsync("acme", Id("ended-2"), maxCount: 1).Select(e => e.Version).ToListAsync());
        Assert.Equal(1, await store.AggregateStreamAsync("acme", Id("ended-2"), 0, Facts.Sum));
    }

    [Fact]
    public async Task A_shortened_stream_in_a_file_is_not_folded_from_nothing()
    {
        await FillAsync();
        await postgres.Store.TruncateStreamAsync("acme", Id("ended-2"), 2, new TruncationReason("retention"));
        await Files().ArchiveAsync(Policy);
        await using var store = postgres.NewStore(postgres.Options with { ArchiveFolder = _folder });
        foreach (var bound in new[] { null, new FoldBound(Version: 1), new FoldBound(Version: 2), new FoldBound(RecordedUpTo: DateTimeOffset.MaxValue) })
            await Assert.ThrowsAsync<StreamTruncatedException>(async () => await store.AggregateStreamAsync("acme", Id("ended-2"), 0, Facts.Sum, bound));
        Assert.Equal(0, await store.AggregateStreamAsync("acme", Id("ended-2"), 0, Facts.Sum, new FoldBound(FromTruncation: true)));
    }

    private static bool SameEvents(RecordedEvent a, RecordedEvent b) =>
        (a.Position, a.Tenant, a.StreamId, a.Version, a.EventId, a.EventType, a.RecordedAt, a.OccurredAt, a.Metadata.Actor, a.Metadata.Headers?.GetValueOrDefault("k"))
            == (b.Position, b.Tenant, b.StreamId, b.Version, b.EventId, b.EventType, b.RecordedAt, b.OccurredAt, b.Metadata.Actor, b.Metadata.Headers?.GetValueOrDefault("k"))
        && a.Json.Span.SequenceEqual(b.Json.Span);

    [Theory]
    [InlineData("manifest")]
    [InlineData("deleted")]
    public async Task A_crash_leaves_the_events_in_the_tables_and_the_next_run_moves_them(string at)
    {
        await FillAsync();
        var before = await postgres.LinesAsync(Everything);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Files(step => step == at ? throw new InvalidOperationException("the process died") : ValueTask.CompletedTask).ArchiveAsync(Policy));
        Assert.Equal(before, await postgres.LinesAsync(Everything));
        Assert.Empty(await postgres.LinesAsync("select 1 from sx_archived_stream"));

        Assert.Equal(4, (await Files().ArchiveAsync(Policy)).Streams);
        Assert.Single(await Files().UnusedFilesAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Files(step => step == "copied" ? throw new InvalidOperationException("the process died") : ValueTask.CompletedTask).RestoreAsync());
        Assert.Equal(["2 | 4"], await postgres.LinesAsync("select (select count(*) from mt_events), (select count(*) from sx_archived_stream)"));
        Assert.Equal(7, (await Files().RestoreAsync()).Events);
    }

    [Fact]
    public async Task A_file_that_a_crash_cut_is_swept_and_one_in_use_is_not()
    {
        await FillAsync();
        await Files().ArchiveAsync(Policy with { MaxStreams = 2 });
        var used = Assert.Single(Directory.GetFiles(_folder, "*.gz"));
        File.Delete(used + ".manifest.json");
        await File.WriteAllTextAsync(Path.Combine(_folder, "streams-x.ndjson.gz.partial"), "half");
        await File.WriteAllTextAsync(Path.Combine(_folder, "streams-y.ndjson.gz"), "whole, but nothing points to it");
        await Files().ArchiveAsync(Policy);

        Assert.True(File.Exists(used));
        Assert.Empty(Directory.GetFiles(_folder, "*.partial"));
        Assert.False(File.Exists(Path.Combine(_folder, "streams-y.ndjson.gz")));
    }

    [Fact]
    public async Task What_is_written_while_the_file_is_made_stays_in_the_tables()
    {
        await FillAsync();
        var moved = await Files(async step =>
        {
            if (step == "manifest") await postgres.Store.AppendToStreamAsync("acme", Id("ended-1"), ExpectedVersion.Any, [Facts.Raised(7)]);
        }).ArchiveAsync(Policy with { StreamsPerFile = 100 });

        Assert.Equal(3, moved.Streams);
        Assert.Equal(3, await postgres.Store.ReadStreamAsync("acme", Id("ended-1")).CountAsync());
    }

    [Fact]
    public async Task Streams_that_are_young_or_unread_stay()
    {
        await FillAsync();
        Assert.Equal(0, (await Files().ArchiveAsync(Policy with { OlderThan = TimeSpan.FromDays(30) })).Streams);
        await postgres.ExecuteAsync("insert into mt_event_progression (name, last_seq_id) values ('Slow:All', 3)");
        Assert.Equal(1, (await Files().ArchiveAsync(Policy)).Streams);
        Assert.Equal(3, (await Files().ArchiveAsync(Policy with { IgnoredShards = ["Slow:All"] })).Streams);
    }

    [Fact]
    public async Task A_changed_file_is_not_restored()
    {
        await FillAsync();
        await Files().ArchiveAsync(Policy with { StreamsPerFile = 100 });
        var file = Assert.Single(Directory.GetFiles(_folder, "*.gz"));
        var bytes = await File.ReadAllBytesAsync(file);
        foreach (var broken in new[] { Changed(bytes), bytes[..^20], [] })
        {
            await File.WriteAllBytesAsync(file, broken);
            await Assert.ThrowsAsync<ArchiveFileException>(async () => await Files().RestoreAsync());
            await Assert.ThrowsAsync<ArchiveFileException>(async () => await Files().VerifyAsync());
        }
        File.Delete(file);
        await Assert.ThrowsAsync<ArchiveFileException>(async () => await Files().RestoreAsync());
        Assert.Equal(["2"], await postgres.LinesAsync("select count(*) from mt_events"));

        await File.WriteAllBytesAsync(file, bytes);
        Assert.Equal(2, (await Files().RestoreAsync("acme", Id("ended-3"))).Events);
        Assert.Equal(2, await postgres.Store.ReadStreamAsync("acme", Id("ended-3")).CountAsync());
    }

    [Fact]
    public async Task Two_files_that_were_swapped_with_their_manifests_are_not_restored_and_nothing_is_lost()
    {
        await FillAsync();
        await Files().ArchiveAsync(Policy);
        var files = Directory.GetFiles(_folder, "*.gz").Order(StringComparer.Ordinal).ToList();
        Assert.Equal(2, files.Count);
        var kept = await Task.WhenAll(files.Select(async f => (Bytes: await File.ReadAllBytesAsync(f), Manifest: await File.ReadAllTextAsync(f + ".manifest.json"))));
        for (var i = 0; i < 2; i++)
        {
            await File.WriteAllBytesAsync(files[i], kept[1 - i].Bytes);
            await File.WriteAllTextAsync(
                files[i] + ".manifest.json", kept[1 - i].Manifest.Replace(Path.GetFileName(files[1 - i]), Path.GetFileName(files[i]), StringComparison.Ordinal));
        }
        await Assert.ThrowsAsync<ArchiveFileException>(async () => await Files().VerifyAsync());
        await Assert.ThrowsAsync<ArchiveFileException>(async () => await Files().RestoreAsync());
        Assert.Equal(["4"], await postgres.LinesAsync("select count(*) from sx_archived_stream"));
        await using var store = postgres.NewStore(postgres.Options with { ArchiveFolder = _folder });
        await Assert.ThrowsAsync<ArchiveFileException>(async () => await store.ReadStreamAsync("acme", Id("ended-2")).ToListAsync());
        await Assert.ThrowsAsync<ArchiveFileException>(async () => await store.AggregateStreamAsync("acme", Id("ended-2"), 0, Facts.Sum));
    }

    private static byte[] Changed(byte[] bytes)
    {
        var changed = bytes.ToArray();
        changed[bytes.Length / 2] ^= 1;
        return changed;
    }

    private sealed class Heard(List<FileArchiveProgress> heard) : IProgress<FileArchiveProgress>
    {
        public void Report(FileArchiveProgress value) => heard.Add(value);
    }
}

public sealed class StreamFilesTests() : StreamFilesContract(new PostgresFixture());

public sealed class Marten8GuidStreamFilesTests() : StreamFilesContract(new Marten8GuidFixture());

[Trait("Category", "Slow")]
public sealed class PartitionedStreamFilesTests() : StreamFilesContract(new PartitionedFixture());
