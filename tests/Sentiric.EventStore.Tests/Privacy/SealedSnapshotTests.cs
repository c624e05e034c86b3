using System.Text;
using Sentiric.Testing.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Privacy;

/// <summary>Snapshots of states with somebody's words in them. Each test works in a database of its own.</summary>
public sealed class SealedSnapshotTests : IAsyncLifetime
{
    private const string Tenant = "t", Room = "room";
    private readonly PrivacyDatabase _database = new();
    private readonly List<PostgresEventStore> _stores = [];
    private int _folded;

    public Task InitializeAsync() => _database.InitializeAsync();

    public async Task DisposeAsync()
    {
        foreach (var store in _stores) await store.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_fetch_folds_only_the_events_behind_the_snapshot()
    {
        var (store, _) = await FilledAsync();
        Assert.Equal((Whole, 4), await FetchAsync(store));
        Assert.Equal(["room | visitors | 1 | 4 | 2"], await _database.LinesAsync("select stream_id, name, shape, version, cardinality(key_ids) from sx_sealed_snapshot"));
        Assert.Empty(await _database.LinesAsync("select 1 from sx_snapshot"));
        Assert.Equal((Whole, 0), await FetchAsync(store));
        await store.AppendToStreamAsync(Tenant, Room, ExpectedVersion.Exact(4), [EventData.Of(new LineSaid("tamam", ""))]);
        Assert.Equal((Whole + "tamam;", 1), await FetchAsync(store));
        // Another process, which remembers no key.
        var (other, _) = await ProcessAsync();
        Assert.Equal((Whole + "tamam;", 0), await FetchAsync(other));
    }

    [Fact]
    public async Task A_stream_of_many_pages_is_folded_whole_and_kept()
    {
        const int events = 2_345;
        var (store, _) = await ProcessAsync();
        for (var i = 0; i < events; i += 335)
            await store.AppendToStreamAsync(Tenant, Room, ExpectedVersion.Exact(i), [.. Enumerable.Range(i, 335).Select(n => EventData.Of(n == 0 ? People.Seen("1", "Ayşe") : new LineSaid($"{n}", "")))]);
        var whole = "Ayşe;" + string.Concat(Enumerable.Range(1, events - 1).Select(n => $"{n};"));
        Assert.Equal((whole, events), await FetchAsync(store));
        Assert.Equal((whole, 0), await FetchAsync(store));
        Assert.Equal(string.Concat(whole.Split(';').Take(1_200).Select(w => w + ";")), (await store.AggregateStreamAsync(Tenant, Room, Visitors.None, Visitors.Evolve, new FoldBound(Version: 1_200))).Text);
        var exclusive = await store.FetchForExclusiveWritingAsync(Tenant, Room, Visitors.None, Visitors.Evolve);
        Assert.Equal((whole, (long)events), (exclusive.State.Text, exclusive.Version));
        await exclusive.DisposeAsync();
    }

    [Fact]
    public async Task No_word_of_anybody_lies_in_clear_in_a_snapshot_table_or_file()
    {
        var (store, _) = await FilledAsync();
        await FetchAsync(store);
        Assert.Single(await _database.LinesAsync("select 1 from sx_sealed_snapshot"));
        await _database.LinesAsync("analyze");
        var search = new DatabaseSearch(_database.LinesAsync);
        Assert.Empty(await search.TablesWithAsync([.. People.Texts, "gizli söz", "Ali Can"]));
        Assert.Empty(await search.FilesWithAsync(Encoding.UTF8.GetBytes("gizli söz")));
    }

    [Fact]
    public async Task After_an_erasure_nothing_of_the_person_is_found_and_the_state_reads_blank()
    {
        var (store, protection) = await FilledAsync();
        await FetchAsync(store);
        var steps = PostgresErasureSteps.All(_database.Source, People.Map, [], TimeProvider.System);
        var erased = await new Eraser(store, protection, new PostgresErasureRecords(_database.Source), new MasterKeySigner(_database.Master), TimeProvider.System, steps)
            .ForgetSubjectAsync(new ErasureRequest(Guid.NewGuid(), Tenant, ["person:1"], [], "asked", "test", ["Ayşe Yılmaz", "gizli söz"]));
        Assert.Contains("\"snapshots\":1", erased.Receipt?.Receipt, StringComparison.Ordinal);
        Assert.Contains("\"findings\":[]", erased.Receipt?.Receipt, StringComparison.Ordinal);
        Assert.Equal((Blank, 4), await FetchAsync(store));
        Assert.Equal((Blank, 0), await FetchAsync(store));
        Assert.Empty(await new DatabaseSearch(_database.LinesAsync).TablesWithAsync(["Ayşe", "gizli söz", "ağrısı"]));
        Assert.Equal(["1"], await _database.LinesAsync("select cardinality(key_ids) from sx_sealed_snapshot"));
    }

    [Fact]
    public async Task A_snapshot_whose_key_was_destroyed_is_thrown_away_and_made_anew_without_the_person()
    {
        var (store, protection) = await FilledAsync();
        await FetchAsync(store);
        var before = await _database.LinesAsync("select encode(data, 'hex') from sx_sealed_snapshot");
        // The key alone: no step that clears tables.
        await ForgetAsync(protection, "person:1");
        Assert.Equal(before, await _database.LinesAsync("select encode(data, 'hex') from sx_sealed_snapshot"));
        Assert.Equal((Blank, 4), await FetchAsync(store));
        Assert.NotEqual(before, await _database.LinesAsync("select encode(data, 'hex') from sx_sealed_snapshot"));
        Assert.Equal((Blank, 0), await FetchAsync(store));
    }

    [Fact]
    public async Task What_a_process_saves_that_has_not_heard_of_the_erasure_is_read_by_nobody()
    {
        var (store, protection) = await FilledAsync();
        var (late, _) = await ProcessAsync(delay: TimeSpan.FromHours(1));
        Assert.Equal(Whole, (await late.AggregateStreamAsync(Tenant, Room, Visitors.None, Visitors.Evolve)).Text);
        await ForgetAsync(protection, "person:1");
        Assert.Equal((Whole, 4), await FetchAsync(late)); // it remembers the key, as long as it is allowed to
        Assert.Equal(["2"], await _database.LinesAsync("select cardinality(key_ids) from sx_sealed_snapshot"));
        Assert.Equal((Blank, 4), await FetchAsync(store));
        Assert.Equal((Blank, 0), await FetchAsync(store));
    }

    [Fact]
    public async Task A_rotation_of_the_master_keys_leaves_snapshots_readable()
    {
        var (store, _) = await FilledAsync();
        await FetchAsync(store);
        var second = MasterKeys.NewKey("second");
        var (rotating, protection) = await ProcessAsync(MasterKeys.Parse(second + "\n" + _database.Line));
        await new Eraser(rotating, protection, new PostgresErasureRecords(_database.Source), new MasterKeySigner(_database.Master), TimeProvider.System, []).RotateMasterKeyAsync();
        var (after, _) = await ProcessAsync(MasterKeys.Parse(second));
        Assert.Equal((Whole, 0), await FetchAsync(after));
    }

    [Theory]
    [InlineData("update sx_sealed_snapshot set key_ids = array['AAAAAAAAAAAAAAAA']")]
    [InlineData("update sx_sealed_snapshot set key_ids = array[]::varchar[]")]
    [InlineData("update sx_sealed_snapshot set key_ids = key_ids[1:1]")]
    [InlineData("update sx_sealed_snapshot set data = set_byte(data, 30, 255 - get_byte(data, 30))")]
    [InlineData("update sx_sealed_snapshot set data = ''")]
    [InlineData("update sx_sealed_snapshot set version = 3")]
    [InlineData("update sx_sealed_snapshot set version = 9")]
    [InlineData("update sx_sealed_snapshot set stream_id = 'other' where stream_id = 'room'; update sx_sealed_snapshot set stream_id = 'room', version = 4 where stream_id = 'twin'")]
    public async Task A_snapshot_that_cannot_be_opened_is_none_and_is_made_anew(string change)
    {
        var (store, _) = await FilledAsync();
        await store.AppendToStreamAsync(Tenant, "twin", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1", "Yabancı")), EventData.Of(new LineSaid("başka", ""))]);
        await FetchAsync(store, "twin");
        await FetchAsync(store);
        foreach (var statement in change.Split(';')) await _database.LinesAsync(statement);
        Assert.Equal((Whole, 4), await FetchAsync(store));
        Assert.Equal((Whole, 0), await FetchAsync(store));
    }

    [Fact]
    public async Task A_state_of_too_many_persons_is_not_stored_and_reads_right_all_the_same()
    {
        var (store, _) = await ProcessAsync();
        var many = PersonalDataProtection.MaxPersonsPerSnapshot + 1;
        await store.AppendToStreamAsync(Tenant, Room, ExpectedVersion.NoStream, [.. Enumerable.Range(1, many - 1).Select(i => EventData.Of(People.Seen($"{i}", $"n{i}")))]);
        Assert.Equal(many - 1, (await FetchAsync(store)).Folded);
        Assert.Equal(0, (await FetchAsync(store)).Folded);
        await store.AppendToStreamAsync(Tenant, Room, ExpectedVersion.Any, [EventData.Of(People.Seen($"{many}", "last"))]);
        for (var fetch = 0; fetch < 2; fetch++)
        {
            var (text, folded) = await FetchAsync(store);
            Assert.EndsWith($"n{many - 1};last;", text, StringComparison.Ordinal);
            Assert.Equal(1, folded);
        }
        Assert.Equal([$"{many - 1}"], await _database.LinesAsync("select version from sx_sealed_snapshot"));
    }

    [Fact]
    public async Task Snapshots_in_clear_from_before_the_protection_go_when_it_is_switched_on()
    {
        var plain = new PostgresEventStore(_database.Source, People.Serializer, TimeProvider.System);
        _stores.Add(plain);
        await plain.EnsureSchemaAsync();
        await plain.AppendToStreamAsync(Tenant, Room, ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))]);
        Assert.Equal(("Ayşe Yılmaz;", 1), await FetchAsync(plain));
        Assert.Single(await _database.LinesAsync("select 1 from sx_snapshot where data::text like '%Ayşe%'"));
        var (store, _) = await ProcessAsync();
        Assert.Empty(await _database.LinesAsync("select 1 from sx_snapshot"));
        Assert.Equal(("Ayşe Yılmaz;", 1), await FetchAsync(store));
        Assert.Equal(("Ayşe Yılmaz;", 0), await FetchAsync(store));
    }

    [Fact]
    public async Task A_stream_named_after_a_person_keeps_its_snapshot_under_the_hash()
    {
        var (store, _) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "number-+905321234567", ExpectedVersion.NoStream, [EventData.Of(new NumberTaken("1", "+905321234567")), EventData.Of(new LineSaid("selam", ""))]);
        Assert.Equal(("selam;", 2), await FetchAsync(store, "number-+905321234567"));
        Assert.Equal(("selam;", 0), await FetchAsync(store, "number-+905321234567"));
        Assert.Empty(await new DatabaseSearch(_database.LinesAsync).TablesWithAsync(["5321234567"]));
        await store.DeleteSnapshotsAsync(Tenant, "number-+905321234567");
        Assert.Equal(("selam;", 2), await FetchAsync(store, "number-+905321234567"));
    }

    [Fact]
    public async Task A_truncated_stream_is_refused_as_ever_and_its_snapshot_still_leads_on()
    {
        var (store, _) = await FilledAsync();
        await FetchAsync(store);
        await store.TruncateStreamAsync(Tenant, Room, 3, new TruncationReason("short", "test"));
        Assert.Equal((Whole, 0), await FetchAsync(store));
        await store.DeleteSnapshotsAsync(Tenant, Room);
        await Assert.ThrowsAsync<StreamTruncatedException>(async () => await FetchAsync(store));
    }

    [Fact]
    public async Task A_stream_in_a_file_is_opened_too_and_blank_when_its_person_is_forgotten()
    {
        var folder = Directory.CreateTempSubdirectory("sentiric-files-").FullName;
        var (store, protection) = await FilledAsync(folder);
        await store.ArchiveStreamAsync(Tenant, Room);
        var files = new StreamFiles(_database.Source, folder, TimeProvider.System, new PostgresEventStoreOptions());
        Assert.Equal(1, (await files.ArchiveAsync(new FileArchivePolicy(TimeSpan.Zero))).Streams);
        Assert.Equal(["0"], await _database.LinesAsync("select count(*) from mt_events"));
        var aggregate = new Aggregate<Visitors>("visitors", Visitors.None, Visitors.Evolve) { Cache = new StateCache<Visitors>() };
        foreach (var text in new[] { Whole, Whole, Blank, Blank })
        {
            if (text == Blank) await ForgetAsync(protection, "person:1");
            Assert.Equal(text, (await store.FetchForWritingAsync(Tenant, Room, aggregate)).State.Text);
            Assert.Equal(text, (await FetchAsync(store)).Text);
            Assert.Equal(text.Split(';')[0], ((PersonSeen)store.Serializer.Deserialize(await store.ReadStreamAsync(Tenant, Room).FirstAsync())).Name);
        }
        Assert.Empty(await _database.LinesAsync("select 1 from sx_sealed_snapshot"));
        Directory.Delete(folder, recursive: true);
    }

    private const string Whole = "Ayşe Yılmaz;gizli söz;Ali Can;onun sözü;";
    private const string Blank = "[erased];[erased];Ali Can;onun sözü;";

    private async Task<(PostgresEventStore Store, PersonalDataProtection Protection)> FilledAsync(string? files = null)
    {
        var (store, protection) = await ProcessAsync(files: files);
        await store.AppendToStreamAsync(Tenant, Room, ExpectedVersion.NoStream, [EventData.Of(People.Seen("1")), EventData.Of(new LineSaid("gizli söz", ""))]);
        await store.AppendToStreamAsync(Tenant, Room, ExpectedVersion.Exact(2), [EventData.Of(People.Seen("2", "Ali Can")), EventData.Of(new LineSaid("onun sözü", ""))]);
        return (store, protection);
    }

    /// <summary>The state, and how many events had to be folded for it.</summary>
    private async Task<(string Text, int Folded)> FetchAsync(IEventStore store, string stream = Room)
    {
        _folded = 0;
        var aggregate = Visitors.Kept(everyEvents: 1, evolve: (state, @event) =>
        {
            _folded++;
            return Visitors.Evolve(state, @event);
        });
        var handle = await store.FetchForWritingAsync(Tenant, stream, aggregate);
        return (handle.State.Text, _folded);
    }

    private async Task<(PostgresEventStore Store, PersonalDataProtection Protection)> ProcessAsync(MasterKeys? master = null, TimeSpan? delay = null, string? files = null)
    {
        var options = new PersonalDataOptions { DestructionDelay = delay ?? new PersonalDataOptions().DestructionDelay };
        var protection = new PersonalDataProtection(People.Map, new PostgresSubjectVault(_database.Source, master ?? _database.Master), TimeProvider.System, options);
        var store = new PostgresEventStore(_database.Source, People.Serializer, TimeProvider.System, new() { Protection = protection, ArchiveFolder = files });
        _stores.Add(store);
        await store.EnsureSchemaAsync();
        await new PostgresErasureRecords(_database.Source).StartAsync();
        return (store, protection);
    }

    private static async Task ForgetAsync(PersonalDataProtection protection, string subject)
    {
        await protection.Vault.DestroyAsync([new SubjectId(Tenant, subject)], default);
        await protection.RefreshAsync(default);
    }
}
