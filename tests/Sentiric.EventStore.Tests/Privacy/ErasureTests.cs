using Sentiric.EventStore.Proofs;
using Sentiric.Testing;
using Sentiric.Testing.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Privacy;

/// <summary>Erasure over PostgreSQL: keys, projections, receipts, master keys. Each test works in a database of its own.</summary>
public sealed class ErasureTests : IAsyncLifetime
{
    private const string Tenant = "t";
    private readonly PrivacyDatabase _database = new();
    private readonly List<PostgresEventStore> _stores = [];
    private bool _isDriven;

    public Task InitializeAsync() => _database.InitializeAsync();

    public async Task DisposeAsync()
    {
        foreach (var store in _stores) await store.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Rows_of_a_forgotten_person_are_blank_and_those_that_a_rebuild_gives()
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1")), Said("benim"), EventData.Of(People.Seen("2")), Said("onun")]);
        var daemon = Daemon(store, protection);
        await daemon.CatchUpAsync();
        Assert.Equal(["benim", "onun"], await _database.LinesAsync("select said from said_line order by version"));

        // Somebody else's process forgets; this one hears of it from the log alone.
        var (other, elsewhere) = await ProcessAsync();
        var erased = await Eraser(other, elsewhere).ForgetSubjectAsync(Request("person:1"));
        Assert.Equal((ErasureState.Done, 1), (erased.State, erased.KeysDestroyed));
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.Any, [Said("sonra")]);
        await daemon.CatchUpAsync();
        Assert.Empty(await _database.LinesAsync("select data::text from mt_doc_deadletterevent"));
        var live = await _database.LinesAsync("select said from said_line order by version");
        Assert.Equal(["[erased]", "onun", "sonra"], live);
        await daemon.RebuildAsync("SaidLines");
        Assert.Equal(live, await _database.LinesAsync("select said from said_line order by version"));
    }

    [Fact]
    public async Task Tables_put_aside_by_a_rebuild_go_with_the_person()
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1")), Said("benim")]);
        var daemon = Daemon(store, protection);
        await daemon.CatchUpAsync();
        await daemon.RebuildAsync("SaidLines");
        Assert.Equal(["1"], await _database.LinesAsync("select count(*) from said_line__sx_prev where said = 'benim'"));
        using var running = new CancellationTokenSource();
        var loop = daemon.RunAsync(running.Token);
        _isDriven = true;
        var erased = await Eraser(store, protection).ForgetSubjectAsync(Request("person:1") with { Identifiers = ["benim"] });
        await running.CancelAsync();
        await loop;
        Assert.Equal(["-"], await _database.LinesAsync("select to_regclass('said_line__sx_prev')::text"));
        Assert.Contains("\"findings\":[]", erased.Receipt?.Receipt, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tables_that_a_rebuild_filled_and_did_not_switch_to_go_with_the_person()
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1")), Said("benim")]);
        var daemon = Daemon(store, protection);
        await daemon.CatchUpAsync();
        await _database.LinesAsync("insert into said_line select (jsonb_populate_record(l, '{\"version\":9}')).* from said_line l returning said");
        await Assert.ThrowsAsync<RebuildDiffersException>(async () => await daemon.RebuildAsync("SaidLines"));
        Assert.Equal(["1"], await _database.LinesAsync("select count(*) from said_line__sx1 where said = 'benim'"));
        using var running = new CancellationTokenSource();
        var loop = daemon.RunAsync(running.Token);
        _isDriven = true;
        await Eraser(store, protection).ForgetSubjectAsync(Request("person:1") with { Identifiers = ["benim"] });
        await running.CancelAsync();
        await loop;
        Assert.Equal(["-"], await _database.LinesAsync("select to_regclass('said_line__sx1')::text"));
        Assert.Equal(RebuildState.Cancelled, (await daemon.RebuildStatusAsync("SaidLines")).State);
    }

    [Fact]
    public async Task What_a_crash_left_half_done_is_finished_and_the_receipt_still_tells_the_keys()
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))]);
        var request = Request("person:1");
        await Assert.ThrowsAsync<IOException>(async () => await Eraser(store, protection, new Crash()).ForgetSubjectAsync(request));
        var eraser = Eraser(store, protection);
        Assert.Equal(1, await eraser.ResumeAsync());
        var done = await eraser.ForgetSubjectAsync(request);
        Assert.Equal((ErasureState.Done, 1), (done.State, done.KeysDestroyed));
        Assert.Single(await store.ReadStreamAsync(Tenant, Sentiric.EventStore.Eraser.StreamOf(request.Id)).ToListAsync());
        Assert.Equal(0, await eraser.ResumeAsync());
    }

    [Fact]
    public async Task A_receipt_is_genuine_until_somebody_touches_it()
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))]);
        var receipt = (await Eraser(store, protection).ForgetSubjectAsync(Request("person:1"))).Receipt;
        Assert.NotNull(receipt);
        var signer = new MasterKeySigner(_database.Master);
        Assert.True(signer.IsGenuine(receipt));
        Assert.False(signer.IsGenuine(receipt with { Receipt = receipt.Receipt.Replace("\"keys_destroyed\":1", "\"keys_destroyed\":2", StringComparison.Ordinal) }));
        Assert.False(new MasterKeySigner(MasterKeys.Parse(MasterKeys.NewKey("first"))).IsGenuine(receipt));
    }

    [Fact]
    public async Task With_an_audit_key_an_outsider_can_check_a_receipt()
    {
        using var key = AuditKey.Create();
        using var next = AuditKey.Create();
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))]);
        var eraser = new Eraser(store, protection, new PostgresErasureRecords(_database.Source), new MasterKeySigner(_database.Master, key), TimeProvider.System, []);
        var request = Request("person:1");
        await eraser.ForgetSubjectAsync(request);
        // As it comes back out of the table.
        var receipt = (await new PostgresErasureRecords(_database.Source).FindAsync(request.Id))?.Receipt;
        Assert.NotNull(receipt);
        Assert.True(receipt.IsWitnessed(new KeyTrust([], [key.Public])));
        Assert.True(new MasterKeySigner(_database.Master).IsGenuine(receipt), "The operator's own signature stands as well.");
        Assert.False(receipt.IsWitnessed(new KeyTrust([], [next.Public])));
        Assert.True(receipt.IsWitnessed(new KeyTrust([KeyRecord.Endorse(key.Public, next, DateTimeOffset.UnixEpoch)], [next.Public])), "A key that a counting key vouches for counts.");
        Assert.False((receipt with { Receipt = receipt.Receipt.Replace("\"keys_destroyed\":1", "\"keys_destroyed\":2", StringComparison.Ordinal) }).IsWitnessed(new KeyTrust([], [key.Public])));
        Assert.False((receipt with { Audit = new AuditSignature(key.Id, "no base64") }).IsWitnessed(new KeyTrust([], [key.Public])));
    }

    [Fact]
    public async Task A_receipt_from_before_there_was_an_audit_key_stays_genuine()
    {
        var signer = new MasterKeySigner(_database.Master);
        var old = signer.Signed(new ErasureReceipt(Guid.NewGuid(), Tenant, "hash", "why", "who", default, default, default, 1, 1, new Dictionary<string, long>(), []));
        var records = new PostgresErasureRecords(_database.Source);
        await records.StartAsync();
        var record = new ErasureRecord(Guid.NewGuid(), Tenant, "hash", "why", "who", default, ErasureState.Done, [], [], Receipt: old);
        await records.SaveAsync(record);
        await using var forget = _database.Source.CreateCommand($"update sx_erasure set data = (data::jsonb #- '{{receipt,audit}}')::text where id = '{record.Id}'");
        Assert.Equal(1, await forget.ExecuteNonQueryAsync());
        var read = (await records.FindAsync(record.Id))?.Receipt;
        Assert.NotNull(read);
        Assert.Null(read.Audit);
        Assert.True(new MasterKeySigner(_database.Master, AuditKey.Create()).IsGenuine(read));
        Assert.False(read.IsWitnessed(new KeyTrust([], [AuditKey.Create().Public])));
    }

    [Fact]
    public async Task The_log_of_erasures_is_kept_as_long_as_asked()
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))]);
        var erased = await Eraser(store, protection).ForgetSubjectAsync(Request("person:1"));
        var records = new PostgresErasureRecords(_database.Source);
        Assert.Equal(0, await records.PurgeAsync(erased.RequestedAt));
        Assert.Single(await records.ListAsync(Tenant, 10));
        Assert.Equal(1, await records.PurgeAsync(erased.RequestedAt.AddSeconds(1)));
        Assert.Null(await records.FindAsync(erased.Id));
    }

    [Fact]
    public async Task A_destroyed_key_leaves_the_files_though_an_older_snapshot_is_open_and_statistics_were_made()
    {
        const int Enough = 60; // ANALYZE keeps values of a column from a few dozen on
        var (store, protection) = await ProcessAsync();
        for (var i = 0; i < Enough; i++) await store.AppendToStreamAsync(Tenant, $"room-{i}", ExpectedVersion.NoStream, [EventData.Of(People.Seen($"{i}"))]);
        await _database.LinesAsync("analyze");
        var wrapped = await _database.LinesAsync("select encode(wrapped_dek, 'hex') from sx_subject_key where subject_id = 'person:7'");
        Assert.NotEmpty(await FilesWithAsync(Convert.FromHexString(Assert.Single(wrapped))));

        await using var reader = await _database.Source.OpenConnectionAsync();
        await using var open = await reader.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using (var snapshot = new Npgsql.NpgsqlCommand("select 1", reader, open)) await snapshot.ExecuteScalarAsync();
        Assert.Equal(ErasureState.Done, (await Eraser(store, protection).ForgetSubjectAsync(Request("person:7"))).State);
        Assert.Empty(await FilesWithAsync(Convert.FromHexString(wrapped[0])));
        Assert.Equal([$"{Enough}"], await _database.LinesAsync("select count(*) from sx_subject_key where wrapped_dek is not null")); // the others, and the key of the names
    }

    [Fact]
    public async Task After_a_rotation_only_the_new_master_key_is_needed()
    {
        var (store, _) = await ProcessAsync();
        for (var i = 0; i < 20; i++) await store.AppendToStreamAsync(Tenant, $"room-{i}", ExpectedVersion.NoStream, [EventData.Of(People.Seen($"{i}"))]);
        var second = MasterKeys.NewKey("second");
        var both = MasterKeys.Parse(second + "\n" + _database.Line);
        var (rotating, protection) = await ProcessAsync(both);
        // Broken off in the middle, then run again.
        Assert.Equal(16, await protection.Vault.RewrapAsync(5, default));
        await Eraser(rotating, protection).RotateMasterKeyAsync();
        Assert.Equal(["second"], await _database.LinesAsync("select distinct kek_id from sx_subject_key"));

        var (after, _) = await ProcessAsync(MasterKeys.Parse(second));
        Assert.Equal("Ayşe Yılmaz", Assert.IsType<PersonSeen>(after.Serializer.Deserialize(await after.ReadStreamAsync(Tenant, "room-7").FirstAsync())).Name);
    }

    [Fact]
    public async Task A_wrong_or_missing_master_key_stops_the_start_and_says_which()
    {
        var (store, _) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))]);
        Assert.True(await PostgresSubjectVault.HoldsKeysAsync(_database.Source));
        var missing = await Assert.ThrowsAsync<MasterKeyException>(async () => await ProcessAsync(MasterKeys.Parse(MasterKeys.NewKey("another"))));
        Assert.Contains("'first' is missing", missing.Message, StringComparison.Ordinal);
        var wrong = await Assert.ThrowsAsync<MasterKeyException>(async () => await ProcessAsync(MasterKeys.Parse(MasterKeys.NewKey("first"))));
        Assert.Contains("'first' is not the one", wrong.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("first")]
    [InlineData("first:short")]
    [InlineData("a b:AAAA")]
    public void A_line_that_is_no_master_key_is_refused(string text) => Assert.Throws<MasterKeyException>(() => MasterKeys.Parse(text));

    [Fact]
    public async Task Events_from_before_the_protection_stay_readable_and_their_streams_keep_their_names()
    {
        var plain = new PostgresEventStore(_database.Source, People.Serializer, TimeProvider.System);
        _stores.Add(plain);
        await plain.EnsureSchemaAsync();
        await plain.AppendToStreamAsync(Tenant, "number-+1", ExpectedVersion.NoStream, [EventData.Of(new NumberTaken("1", "+1"))]);
        await plain.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))]);

        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "number-+1", ExpectedVersion.Exact(1), [EventData.Of(new NumberGiven("1", "+1"))]);
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.Exact(1), [EventData.Of(People.Seen("1"))]);
        Assert.Equal(["number-+1", "number-+1"], (await store.ReadStreamAsync(Tenant, "number-+1").ToListAsync()).Select(e => e.StreamId));
        var erased = await Eraser(store, protection).ForgetSubjectAsync(Request("person:1"));
        Assert.Contains("2 events of these streams were stored in clear", erased.Receipt?.Receipt, StringComparison.Ordinal);
        var names = (await store.ReadStreamAsync(Tenant, "room").ToListAsync()).Select(e => ((PersonSeen)store.Serializer.Deserialize(e)).Name);
        Assert.Equal(["Ayşe Yılmaz", "[erased]"], names);
    }

    [Fact]
    public async Task Writers_that_meet_a_new_person_at_once_share_one_key()
    {
        var (one, _) = await ProcessAsync();
        var (two, _) = await ProcessAsync();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
            await (i % 2 == 0 ? one : two).AppendToStreamAsync(Tenant, $"room-{i}", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))])));
        Assert.Equal(["1"], await _database.LinesAsync("select count(*) from sx_subject_key where subject_id = 'person:1'"));
        Assert.Equal(["40"], await _database.LinesAsync("select count(*) from sx_subject_stream where subject_id = 'person:1'"));
        var seen = await two.ReadAllAsync(0, 100).ToListAsync();
        Assert.All(seen, e => Assert.Equal("Ayşe Yılmaz", ((PersonSeen)two.Serializer.Deserialize(e)).Name));
    }

    private Task<IReadOnlyList<string>> FilesWithAsync(byte[] bytes) => new DatabaseSearch(_database.LinesAsync).FilesWithAsync(bytes);

    private static EventData Said(string text) => EventData.Of(new LineSaid(text, ""));

    private static ErasureRequest Request(string subject) => new(Guid.NewGuid(), Tenant, [subject], [], "asked", "test");

    private async Task<(PostgresEventStore Store, PersonalDataProtection Protection)> ProcessAsync(MasterKeys? master = null)
    {
        var protection = new PersonalDataProtection(People.Map, new PostgresSubjectVault(_database.Source, master ?? _database.Master), TimeProvider.System);
        var store = new PostgresEventStore(_database.Source, People.Serializer, TimeProvider.System, new() { Protection = protection });
        _stores.Add(store);
        await store.EnsureSchemaAsync();
        await new PostgresErasureRecords(_database.Source).StartAsync();
        return (store, protection);
    }

    private ProjectionDaemon Daemon(IEventStore store, PersonalDataProtection protection) =>
        new(_database.Source, store, [new SaidLines()], TimeProvider.System, new ProjectionOptions { Erasure = new ErasureReplay(store, protection) });

    // The steps do not wait for read models that no daemon of the test drives.
    private Eraser Eraser(IEventStore store, PersonalDataProtection protection, params IErasureStep[] more) => new(
        store, protection, new PostgresErasureRecords(_database.Source), new MasterKeySigner(_database.Master), TimeProvider.System,
        [.. PostgresErasureSteps.All(_database.Source, People.Map, [new SaidLines()], TimeProvider.System).Where(s => s.Name != "read_models" || _isDriven), .. more]);

    private sealed class Crash : IErasureStep
    {
        public string Name => "crash";

        public ValueTask<ErasureOutcome> EraseAsync(ErasureContext context, CancellationToken ct) => throw new IOException("The lights went out.");
    }
}
