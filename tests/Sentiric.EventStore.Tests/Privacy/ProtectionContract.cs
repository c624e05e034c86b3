using System.Text.Json;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Privacy;

/// <summary>What protection means, whatever store it stands before. Each test works in a tenant of its own.</summary>
public abstract class ProtectionContract
{
    protected string Tenant { get; } = "t-" + Guid.NewGuid().ToString("N")[..8];

    protected ManualTime Clock { get; } = new();

    /// <summary>Another process over the same store and vault.</summary>
    protected abstract ValueTask<(IEventStore Store, PersonalDataProtection Protection)> ProcessAsync();

    /// <summary>What lies in the store, unopened.</summary>
    protected abstract ValueTask<IReadOnlyList<(string Stream, Guid Id, string Json)>> StoredAsync();

    /// <summary>The store after somebody wrote the payload of one event over that of another.</summary>
    protected abstract ValueTask<IEventStore> WithMovedPayloadAsync(IEventStore store, PersonalDataProtection protection, Guid fromEvent, Guid toEvent);

    [Fact]
    public async Task What_was_sealed_is_read_back_as_it_was_and_lies_sealed_in_the_store()
    {
        var (store, _) = await ProcessAsync();
        var seen = People.Seen("1");
        await store.AppendToStreamAsync(Tenant, "visit-1", ExpectedVersion.NoStream, [EventData.Of(seen), EventData.Of(new LineSaid("bir daha merhaba", "open"))]);
        var read = await ReadAsync(store, "visit-1");
        Assert.Equivalent(seen, read[0], strict: true);
        Assert.Equal(new LineSaid("bir daha merhaba", "open"), read[1]);

        var stored = string.Join('\n', (await StoredAsync()).Select(s => s.Json));
        Assert.DoesNotContain(People.Texts, text => stored.Contains(text, StringComparison.Ordinal));
        Assert.Contains("\"open\"", stored, StringComparison.Ordinal);
        Assert.Contains("41", stored, StringComparison.Ordinal);
        Assert.Contains("§1.", stored, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Texts_and_names_that_JSON_must_escape_come_back_as_they_were()
    {
        var (store, _) = await ProcessAsync();
        string[] said = ["", "\"", "\\", "a\nb\tc\u0001", "</script>&'+", "😀 ğüşİı \u2028", new string('ş', 20_000), "§1.x", "§0.y"];
        var form = new Dictionary<string, string> { ["a\"b"] = "1", ["a.b"] = "2", ["ğ\n"] = "3", ["😀"] = "4", ["§"] = "5", [""] = "6" };
        var seen = People.Seen("1") with { Said = said, Form = form };
        await store.AppendToStreamAsync(Tenant, "visit-1", ExpectedVersion.NoStream, [EventData.Of(seen), EventData.Of(new LineSaid("kısa", "\"§\n"))]);
        Assert.Equivalent(seen, (await ReadAsync(store, "visit-1"))[0], strict: true);
        Assert.Equal(new LineSaid("kısa", "\"§\n"), (await ReadAsync(store, "visit-1"))[1]);
        var stored = string.Join('\n', (await StoredAsync()).Select(s => s.Json));
        Assert.DoesNotContain("şşş", stored, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_forgotten_person_is_blank_and_the_others_of_the_same_stream_stay()
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1")), EventData.Of(new LineSaid("benim", "a"))]);
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.Any, [EventData.Of(People.Seen("2", "Ali")), EventData.Of(new LineSaid("seninki", "b"))]);
        await ForgetAsync(protection, "person:1");

        var read = await ReadAsync(store, "room");
        var blank = Assert.IsType<PersonSeen>(read[0]);
        Assert.Equal(("[erased]", null, null, 41), (blank.Name, blank.Number, blank.Visit?.Note, blank.Age));
        Assert.Equal(["[erased]", "[erased]"], blank.Said);
        Assert.Equal("[erased]", blank.Form["adres"]);
        Assert.Equal("7", blank.Visit?.Room);
        Assert.Equal(new LineSaid("[erased]", "a"), read[1]);
        Assert.Equivalent(People.Seen("2", "Ali"), read[2], strict: true);
        Assert.Equal(new LineSaid("seninki", "b"), read[3]);
    }

    [Fact]
    public async Task The_key_of_an_attachment_opens_under_its_name_until_the_person_is_forgotten()
    {
        var (store, protection) = await ProcessAsync();
        var (_, elsewhere) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))]);
        var (here, there) = (new AttachmentKeys(protection), new AttachmentKeys(elsewhere));
        var one = await here.IssueAsync(Tenant, "room", "a.wav", new SubjectNaming("person:1"));
        var other = await here.IssueAsync(Tenant, "room", "b.wav", new SubjectNaming("person:2"));
        var owners = await here.IssueAsync(Tenant, "visit", "c.wav", new SubjectNaming(null, Aliases: ["+1"]));
        Assert.Equal(32, one.Key.Length);
        Assert.NotEqual(one.Key, other.Key);
        Assert.Equal(one.Key, await there.OpenAsync(Tenant, "room", "a.wav", one.Envelope));
        await Assert.ThrowsAsync<PersonalDataTamperedException>(async () => await there.OpenAsync(Tenant, "room", "b.wav", one.Envelope));
        await Assert.ThrowsAsync<PersonalDataTamperedException>(async () => await there.OpenAsync(Tenant, "visit", "a.wav", one.Envelope));
        await Assert.ThrowsAsync<PersonalDataTamperedException>(async () => await there.OpenAsync(Tenant, "room", "a.wav", "no envelope"));

        await ForgetAsync(protection, "person:1");
        await protection.RefreshAsync(default);
        Clock.Advance(new PersonalDataOptions().DestructionDelay);
        Assert.Null(await here.OpenAsync(Tenant, "room", "a.wav", one.Envelope));
        Assert.Null(await there.OpenAsync(Tenant, "room", "a.wav", one.Envelope));
        Assert.Equal(other.Key, await there.OpenAsync(Tenant, "room", "b.wav", other.Envelope));
        Assert.Equal(owners.Key, await there.OpenAsync(Tenant, "visit", "c.wav", owners.Envelope));
    }

    [Fact]
    public async Task Another_process_forgets_within_the_delay()
    {
        var (store, _) = await ProcessAsync();
        var (_, elsewhere) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "visit-1", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))]);
        Assert.Equal("Ayşe Yılmaz", ((PersonSeen)(await ReadAsync(store, "visit-1"))[0]).Name);
        await ForgetAsync(elsewhere, "person:1");

        Clock.Advance(new PersonalDataOptions().DestructionDelay);
        Assert.Equal("[erased]", ((PersonSeen)(await ReadAsync(store, "visit-1"))[0]).Name);
    }

    [Fact]
    public async Task Who_comes_back_after_being_forgotten_begins_anew()
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "visit-1", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))]);
        await ForgetAsync(protection, "person:1");
        await protection.RefreshAsync(default);
        await store.AppendToStreamAsync(Tenant, "visit-2", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1", "Yeni"))]);

        Assert.Equal("[erased]", ((PersonSeen)(await ReadAsync(store, "visit-1"))[0]).Name);
        Assert.Equal("Yeni", ((PersonSeen)(await ReadAsync(store, "visit-2"))[0]).Name);
    }

    [Fact]
    public async Task A_number_means_its_owner_and_before_that_itself()
    {
        var (store, protection) = await ProcessAsync();
        var guest = new PersonSeen(null, "+1", "Guest", null, [], new Dictionary<string, string>(), 0);
        await store.AppendToStreamAsync(Tenant, "before", ExpectedVersion.NoStream, [EventData.Of(guest)]);
        await store.AppendToStreamAsync(Tenant, "number-+1", ExpectedVersion.NoStream, [EventData.Of(new NumberTaken("1", "+1"))]);
        await store.AppendToStreamAsync(Tenant, "during", ExpectedVersion.NoStream, [EventData.Of(guest)]);
        await store.AppendToStreamAsync(Tenant, "number-+1", ExpectedVersion.Any, [EventData.Of(new NumberGiven("1", "+1")), EventData.Of(new NumberTaken("2", "+1"))]);
        await store.AppendToStreamAsync(Tenant, "after", ExpectedVersion.NoStream, [EventData.Of(guest)]);
        await ForgetAsync(protection, "person:1");
        await protection.RefreshAsync(default);

        var names = new List<string>();
        foreach (var stream in new[] { "before", "during", "after" }) names.Add(((PersonSeen)(await ReadAsync(store, stream))[0]).Name);
        Assert.Equal(["[erased]", "[erased]", "Guest"], names);
        Assert.Equal(["[erased]", "[erased]", "+1"], (await ReadAsync(store, "number-+1")).Select(f => f is NumberTaken t ? t.Number : ((NumberGiven)f).Number));
    }

    [Fact]
    public async Task A_stream_named_after_a_person_is_stored_under_a_hash_and_found_under_both_names()
    {
        var (store, protection) = await ProcessAsync();
        var result = await store.AppendToStreamAsync(Tenant, "number-+905321234567", ExpectedVersion.NoStream, [EventData.Of(new NumberTaken("1", "+905321234567"))]);
        Assert.DoesNotContain("5321234567", result.StreamId, StringComparison.Ordinal);
        Assert.Equal(result.StreamId, protection.StoredStream(Tenant, result.StreamId));
        Assert.Single(await ReadAsync(store, "number-+905321234567"));
        Assert.Single(await ReadAsync(store, result.StreamId));
        Assert.Equal(1, (await store.GetStreamStateAsync(Tenant, "number-+905321234567"))?.Version);
        await Assert.ThrowsAsync<WrongExpectedVersionException>(
            async () => await store.AppendToStreamAsync(Tenant, "number-+905321234567", ExpectedVersion.NoStream, [EventData.Of(new NumberTaken("2", "+905321234567"))]));
        Assert.True(await store.ArchiveStreamAsync(Tenant, "number-+905321234567"));
    }

    [Fact]
    public async Task A_sealed_text_that_was_moved_to_another_event_is_detected_and_only_that_event_cannot_be_read()
    {
        var (store, protection) = await ProcessAsync();
        EventData[] lines = [EventData.Of(People.Seen("1")), EventData.Of(new LineSaid("evet", "")), EventData.Of(new LineSaid("hayır", ""))];
        await store.AppendToStreamAsync(Tenant, "visit-1", ExpectedVersion.NoStream, lines);
        store = await WithMovedPayloadAsync(store, protection, lines[1].EventId, lines[2].EventId);

        var read = await store.ReadStreamAsync(Tenant, "visit-1").ToListAsync();
        Assert.Equal(new LineSaid("evet", ""), store.Serializer.Deserialize(read[1]));
        var moved = Assert.Throws<PersonalDataTamperedException>(() => store.Serializer.Deserialize(read[2]));
        Assert.Equal((lines[2].EventId, "Text"), (moved.EventId, moved.Member));
    }

    [Theory]
    [InlineData("§1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("§0.x")]
    [InlineData("§")]
    public async Task A_text_that_looks_like_a_sealed_one_is_just_a_text(string text)
    {
        var (store, _) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "visit-1", ExpectedVersion.NoStream, [EventData.Of(new LineSaid(text, text))]);
        Assert.Equal([new LineSaid(text, text)], await ReadAsync(store, "visit-1"));
    }

    [Fact]
    public async Task The_same_text_is_never_sealed_twice_alike()
    {
        var (store, _) = await ProcessAsync();
        await store.AppendToStreamAsync(
            Tenant, "visit-1", ExpectedVersion.NoStream, [.. Enumerable.Range(0, 500).Select(_ => EventData.Of(new LineSaid("aynı", "")))]);
        // The nonce is the first 16 of the base64 behind the id of the key.
        var nonces = (await StoredAsync()).Select(s => s.Json[(s.Json.IndexOf("§1.", StringComparison.Ordinal) + 20)..][..16]).ToList();
        Assert.Equal(500, nonces.Distinct().Count());
    }

    [Fact]
    public async Task All_streams_of_one_append_are_protected()
    {
        var (store, _) = await ProcessAsync();
        await store.AppendToStreamsAsync(Tenant,
        [
            new(null, "visit-1", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))]),
            new(null, "number-+905321234567", ExpectedVersion.NoStream, [EventData.Of(new NumberTaken("1", "+905321234567"))]),
        ]);
        var stored = string.Join('\n', (await StoredAsync()).Select(s => s.Stream + s.Json));
        Assert.DoesNotContain(People.Texts, text => stored.Contains(text, StringComparison.Ordinal));
        var all = await store.ReadAllAsync(0, 1_000).Where(e => e.Tenant == Tenant).ToListAsync();
        Assert.Equivalent(People.Seen("1"), store.Serializer.Deserialize(all.Single(e => e.EventType == "person_seen")), strict: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task However_a_state_is_kept_fetching_gives_the_whole_fold_though_people_are_forgotten_meanwhile(int seed)
    {
        const int rounds = 60, people = 4;
        var random = new Random(seed);
        var (one, forgetting) = await ProcessAsync();
        var (two, _) = await ProcessAsync();
        Aggregate<Visitors>[] ways =
        [
            Visitors.Kept(everyEvents: 1), Visitors.Kept(everyEvents: 4), Visitors.Kept(everyEvents: 3, new StateCache<Visitors>(2)),
            new("visitors", Visitors.None, Visitors.Evolve) { Cache = new StateCache<Visitors>(3) },
        ];
        for (var round = 0; round < rounds; round++)
        {
            var (store, stream) = (random.Next(2) == 0 ? one : two, $"room-{random.Next(3)}");
            if (random.Next(8) == 0)
            {
                await ForgetAsync(forgetting, $"person:{random.Next(people)}");
                Clock.Advance(new PersonalDataOptions().DestructionDelay);
            }
            var handle = await store.FetchForWritingAsync(Tenant, stream, ways[random.Next(ways.Length)]);
            var whole = await EventByEventAsync(store, stream);
            Assert.True(whole.Text == handle.State.Text, $"seed {seed}, round {round}, {stream}:\n{whole.Text}\n{handle.State.Text}");
            Assert.Equal((await store.GetStreamStateAsync(Tenant, stream))?.Version ?? 0, handle.Version);
            Assert.Equal(whole.Text, (await store.AggregateStreamAsync(Tenant, stream, Visitors.None, Visitors.Evolve)).Text);
            if (random.Next(3) == 0) continue;
            var who = random.Next(people);
            await handle.AppendAsync([EventData.Of(People.Seen($"{who}", $"Name {who}")), EventData.Of(new LineSaid($"line of round {round}", ""))]);
        }
    }

    [Fact]
    public async Task A_state_kept_in_the_process_is_not_used_any_more_when_somebody_in_it_is_forgotten()
    {
        var (store, _) = await ProcessAsync();
        var (_, elsewhere) = await ProcessAsync();
        var aggregate = new Aggregate<Visitors>("visitors", Visitors.None, Visitors.Evolve) { Cache = new StateCache<Visitors>() };
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1", "Ayşe")), EventData.Of(People.Seen("2", "Ali"))]);
        for (var fetch = 0; fetch < 2; fetch++) Assert.Equal("Ayşe;Ali;", (await store.FetchForWritingAsync(Tenant, "room", aggregate)).State.Text);
        await ForgetAsync(elsewhere, "person:1");
        Clock.Advance(new PersonalDataOptions().DestructionDelay);
        Assert.Equal("[erased];Ali;", (await store.FetchForWritingAsync(Tenant, "room", aggregate)).State.Text);
    }

    [Fact]
    public async Task What_is_imported_is_sealed_as_by_an_append_and_goes_with_the_person()
    {
        var (store, protection) = await ProcessAsync();
        ImportedEvent[] history =
        [
            Old("room", 1, "person_seen", JsonSerializer.Serialize(People.Seen("1"), PeopleJson.Default.PersonSeen)), Old("room", 2, "line_said", """{"Text": "merhaba", "Tag": ""}"""),
            Old("number-+905321234567", 1, "number_taken", """{"Who": "1", "Number": "+905321234567"}"""), Old("room", 3, "from_elsewhere", """{"Any": "§1.x"}"""),
        ];
        var importer = (IEventImporter)store;
        Assert.Equal((4, 0), Stored(await importer.ImportAsync(history.ToAsyncEnumerable())));
        Assert.Equal((0, 4), Stored(await importer.ImportAsync(history.ToAsyncEnumerable())));
        var stored = string.Join('\n', (await StoredAsync()).Select(s => s.Stream + s.Json));
        Assert.DoesNotContain(People.Texts, text => stored.Contains(text, StringComparison.Ordinal));
        var room = await store.ReadStreamAsync(Tenant, "room").ToListAsync();
        Assert.Equal(new LineSaid("merhaba", ""), store.Serializer.Deserialize(room[1]));
        Assert.Contains("\"§1.x\"", System.Text.Encoding.UTF8.GetString(room[2].Json.Span), StringComparison.Ordinal);

        await ForgetAsync(protection, "person:1");
        room = await store.ReadStreamAsync(Tenant, "room").ToListAsync();
        Assert.Equal(("[erased]", new LineSaid("[erased]", "")), (((PersonSeen)store.Serializer.Deserialize(room[0])).Name, store.Serializer.Deserialize(room[1])));
        Assert.Equal("[erased]", Assert.IsType<NumberTaken>(Assert.Single(await ReadAsync(store, "number-+905321234567"))).Number);

        ImportedEvent Old(string stream, long version, string type, string json) => new(
            Tenant, stream, version, Guid.NewGuid(), type, DateTimeOffset.UnixEpoch.AddYears(50), System.Text.Encoding.UTF8.GetBytes(json), EventMetadata.None);

        static (long, long) Stored(ImportTotals totals) => (totals.Stored, totals.AlreadyStored);
    }

    /// <summary>Names of streams are hashed, and say whose their events are.</summary>
    protected static PersonalDataMap Owners { get; } = new([new("line_said", [new("Text")])], (_, stream, _) => new SubjectNaming("owner of " + stream), ["number-"]);

    protected static async Task AppendInEveryWayAsync<TStore>(TStore store, ISubjectVault vault, string tenant) where TStore : IExclusiveStreams, IEventImporter
    {
        EventData said() => EventData.Of(new LineSaid("merhaba", ""));
        await store.AppendToStreamAsync(tenant, "number-appended", ExpectedVersion.NoStream, [said()]);
        await store.AppendToStreamsAsync(tenant, [new(null, "number-together", ExpectedVersion.NoStream, [said()])]);
        await using (var kept = await store.LockStreamAsync(tenant, "number-kept")) await kept.AppendAsync([said()]);
        await store.ImportAsync(new[]
        {
            new ImportedEvent(tenant, "number-imported", 1, Guid.NewGuid(), "line_said", DateTimeOffset.UnixEpoch, """{"Text": "merhaba", "Tag": ""}"""u8.ToArray(), EventMetadata.None),
        }.ToAsyncEnumerable());
        foreach (var way in new[] { "appended", "together", "kept", "imported" })
            Assert.True((await vault.LookUpAsync([new SubjectId(tenant, "owner of number-" + way)], [], default)).LivingKeys == 1, way);
    }

    private async Task<Visitors> EventByEventAsync(IEventStore store, string stream) => (await ReadAsync(store, stream)).Aggregate(Visitors.None, Visitors.Evolve);

    protected static async ValueTask ForgetAsync(PersonalDataProtection protection, string subject, string? tenant = null, IReadOnlyList<string>? aliases = null)
    {
        ArgumentNullException.ThrowIfNull(protection);
        await protection.StartAsync();
        var record = await protection.Vault.LookUpAsync([new SubjectId(tenant ?? "", subject)], aliases ?? [], default);
        await protection.Vault.DestroyAsync(record.Subjects, default);
        await protection.RefreshAsync(default);
    }

    private ValueTask ForgetAsync(PersonalDataProtection protection, string subject) => ForgetAsync(protection, subject, Tenant);

    protected async ValueTask<List<object>> ReadAsync(IEventStore store, string stream)
    {
        ArgumentNullException.ThrowIfNull(store);
        return [.. (await store.ReadStreamAsync(Tenant, stream).ToListAsync()).Select(store.Serializer.Deserialize)];
    }
}
