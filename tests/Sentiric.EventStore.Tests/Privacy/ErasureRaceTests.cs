using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Privacy;

/// <summary>An erasure meets what is under way: rebuilds, parked events, pages that were read ahead, keys that are on their way, and its own crash.</summary>
public sealed class ErasureRaceTests : IAsyncLifetime
{
    private const string Tenant = "t";
    private const string Rows = "select said from said_line order by tenant, stream, version";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly ProjectionOptions Options = new()
    {
        BatchSize = 100, RebuildBatchSize = 1, MaxAttempts = 1, RetryDelay = TimeSpan.FromMilliseconds(1),
        OwnershipInterval = TimeSpan.FromMilliseconds(30), PollInterval = TimeSpan.FromMilliseconds(200),
    };

    private readonly PrivacyDatabase _database = new();
    private readonly List<PostgresEventStore> _stores = [];

    public Task InitializeAsync() => _database.InitializeAsync();

    public async Task DisposeAsync()
    {
        foreach (var store in _stores) await store.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_rebuild_under_way_blanks_what_it_had_filled_before_the_erasure()
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1")), Said("benim"), EventData.Of(People.Seen("2")), Said("onun")]);
        var daemon = Daemon(store, protection, new ToldLines());
        await daemon.CatchUpAsync();
        using var crash = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await daemon.RebuildAsync("SaidLines", new RebuildOptions(), new Until(2, crash), crash.Token));
        Assert.Equal(["benim"], await _database.LinesAsync("select said from said_line__sx1"));

        await Eraser(store, protection).ForgetSubjectAsync(Request("person:1"));
        await daemon.CatchUpAsync();
        await daemon.RebuildAsync("SaidLines");
        Assert.Equal(["[erased]", "onun"], await _database.LinesAsync(Rows));
    }

    [Fact]
    public async Task An_event_that_is_parked_does_not_keep_the_others_of_its_stream_from_becoming_blank()
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1")), Said("benim"), Said("other", "poison")]);
        var daemon = Daemon(store, protection, new MoodyLines { Poison = "poison" });
        await daemon.CatchUpAsync();
        Assert.Equal(["benim"], await _database.LinesAsync(Rows));

        await Eraser(store, protection).ForgetSubjectAsync(Request("person:1"));
        await daemon.CatchUpAsync();
        Assert.Equal(["[erased]"], await _database.LinesAsync(Rows));
        Assert.Equal(["line_said"], await _database.LinesAsync("select data ->> 'EventType' from mt_doc_deadletterevent"));
    }

    [Fact]
    public async Task What_an_operator_had_left_out_does_not_come_into_the_rows_by_an_erasure()
    {
        var (store, protection) = await ProcessAsync();
        var manager = new ProjectionManager(_database.Source, store, TimeProvider.System);
        var daemon = Daemon(store, protection, new ToldLines());
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1")), Said("benim")]);
        await daemon.CatchUpAsync();
        var doubled = (await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.Any, [Said("benim")])).LastPosition;
        await manager.SkipAsync("SaidLines", doubled, "doubled");
        await daemon.CatchUpAsync();
        Assert.True(await manager.DiscardParkedAsync("SaidLines", doubled));

        await Eraser(store, protection).ForgetSubjectAsync(Request("person:1"));
        await daemon.CatchUpAsync();
        Assert.Equal(["[erased]"], await _database.LinesAsync(Rows));
    }

    [Fact]
    public async Task An_erasure_that_was_parked_blanks_the_rows_when_it_is_tried_again()
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1")), Said("benim", "mood")]);
        var lines = new MoodyLines();
        var daemon = Daemon(store, protection, lines);
        await daemon.CatchUpAsync();
        lines.Poison = "mood";
        await Eraser(store, protection).ForgetSubjectAsync(Request("person:1"));
        await daemon.CatchUpAsync();
        Assert.Equal(["benim"], await _database.LinesAsync(Rows));

        var manager = new ProjectionManager(_database.Source, store, TimeProvider.System);
        var parked = Assert.Single(await manager.ListParkedAsync("SaidLines"));
        Assert.Equal("person_erased", parked.EventType);
        lines.Poison = "";
        using var stop = new CancellationTokenSource();
        var running = daemon.RunAsync(stop.Token);
        Assert.Equal(RetryOutcome.Applied, (await manager.RetryParkedAsync("SaidLines", parked.Position, Patience)).Outcome);
        await stop.CancelAsync();
        await running.WaitAsync(Patience);
        Assert.Equal(["[erased]"], await _database.LinesAsync(Rows));
    }

    [Fact]
    public async Task What_was_said_right_behind_an_erasure_stays_out_of_the_rows_though_its_page_was_read_before()
    {
        // Both know the key and will not ask for an hour which were destroyed.
        var (store, protection) = await ProcessAsync(TimeSpan.FromHours(1));
        var (late, _) = await ProcessAsync(TimeSpan.FromHours(1));
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1")), Said("benim")]);
        await late.AppendToStreamAsync(Tenant, "room", ExpectedVersion.Any, [EventData.Of(People.Seen("1")), Said("yine benim")]);
        var daemon = Daemon(store, protection, new MoodyLines { Poison = "poison" });
        await daemon.CatchUpAsync();

        var (other, elsewhere) = await ProcessAsync();
        await Eraser(other, elsewhere).ForgetSubjectAsync(Request("person:1"));
        await late.AppendToStreamAsync(Tenant, "room", ExpectedVersion.Any, [Said("gizli"), Said("başka", "poison")]);
        await daemon.CatchUpAsync();
        Assert.Equal(["[erased]", "[erased]", "[erased]"], await _database.LinesAsync(Rows));
    }

    [Fact]
    public async Task Where_the_person_was_between_the_request_and_a_restart_is_told_as_well()
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))]);
        var (eraser, request) = (Eraser(store, protection), Request("person:1"));
        var preview = await eraser.PreviewAsync(request);
        await new PostgresErasureRecords(_database.Source).SaveAsync(new ErasureRecord(
            request.Id, Tenant, preview.SubjectHash, request.Reason, request.Actor, DateTimeOffset.UnixEpoch, ErasureState.Begun, preview.Subjects, preview.Streams));
        // The lights went out here; until the restart the person goes on.
        await store.AppendToStreamAsync(Tenant, "garden", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1")), Said("benim")]);
        var daemon = Daemon(store, protection, new ToldLines());
        await daemon.CatchUpAsync();

        Assert.Equal(1, await eraser.ResumeAsync());
        await daemon.CatchUpAsync();
        Assert.Equal(["[erased]"], await _database.LinesAsync(Rows));
        var told = await store.ReadStreamAsync(Tenant, Sentiric.EventStore.Eraser.StreamOf(request.Id)).SingleAsync();
        Assert.Equal(["garden", "room"], Assert.IsType<PersonErased>(store.Serializer.Deserialize(told)).Streams.Select(s => s.Stream).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_was_said_of_an_event_that_was_tried_again_in_vain_is_blank_as_well()
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1")), Said("benim", "poison")]);
        var daemon = Daemon(store, protection, new MoodyLines { Poison = "poison" });
        using var stop = new CancellationTokenSource();
        var running = daemon.RunAsync(stop.Token);
        await daemon.WaitForAsync("SaidLines", 2, Patience);
        Assert.Equal(new RetryResult(RetryOutcome.FailedAgain, "No mood for 'benim'."), await new ProjectionManager(_database.Source, store, TimeProvider.System).RetryParkedAsync("SaidLines", 2, Patience));
        await stop.CancelAsync();
        await running.WaitAsync(Patience);

        await Eraser(store, protection).ForgetSubjectAsync(Request("person:1"));
        Assert.Equal(["[erased]"], await _database.LinesAsync("select error from sx_shard_order"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Messages_of_parked_events_that_left_the_tables_are_blank_as_well(bool truncated)
    {
        var (store, protection) = await ProcessAsync();
        await store.AppendToStreamAsync(Tenant, "other", ExpectedVersion.NoStream, [EventData.Of(People.Seen("2")), Said("onun", "poison")]);
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1")), Said("benim", "poison"), Said("son")]);
        await Daemon(store, protection, new MoodyLines { Poison = "poison" }).CatchUpAsync();
        const string messages = "select data ->> 'ExceptionMessage' from mt_doc_deadletterevent order by (data ->> 'EventSequence')::bigint";
        Assert.Equal(["No mood for 'onun'.", "No mood for 'benim'."], await _database.LinesAsync(messages));
        if (truncated)
        {
            Assert.NotNull(await store.TruncateStreamAsync(Tenant, "room", 3, new TruncationReason("too old")));
        }
        else
        {
            Assert.True(await store.ArchiveStreamAsync(Tenant, "room"));
            var files = new StreamFiles(_database.Source, Directory.CreateTempSubdirectory("sentiric-files-").FullName, TimeProvider.System);
            Assert.Equal(1, (await files.ArchiveAsync(new FileArchivePolicy(TimeSpan.Zero))).Streams);
        }

        await Eraser(store, protection).ForgetSubjectAsync(Request("person:1"));
        Assert.Equal(["No mood for 'onun'.", "[erased]"], await _database.LinesAsync(messages));
    }

    [Fact]
    public async Task A_key_that_was_on_its_way_when_it_was_destroyed_is_not_remembered()
    {
        var (clock, inner) = (new ManualTime(), new InMemorySubjectVault(TimeProvider.System));
        var writing = new PersonalDataProtection(People.Map, inner, clock);
        var store = new InMemoryEventStore(People.Serializer, clock, writing);
        await store.AppendToStreamAsync(Tenant, "room", ExpectedVersion.NoStream, [EventData.Of(People.Seen("1"))]);
        var slow = new SlowVault(inner);
        var reading = new PersonalDataProtection(People.Map, slow, clock);
        await reading.StartAsync();
        slow.OnTheWay = async () =>
        {
            await ((ISubjectVault)inner).DestroyAsync([new SubjectId(Tenant, "person:1")], default);
            await reading.RefreshAsync(default);
        };
        List<RecordedEvent> page = [.. store.Stored];
        await reading.OpenAsync(page);
        Assert.Equal("Ayşe Yılmaz", Assert.IsType<PersonSeen>(store.Serializer.Deserialize(page[0])).Name);

        page = [.. store.Stored];
        await reading.OpenAsync(page);
        Assert.Equal("[erased]", Assert.IsType<PersonSeen>(store.Serializer.Deserialize(page[0])).Name);
    }

    private static EventData Said(string text, string tag = "") => EventData.Of(new LineSaid(text, tag));

    private static ErasureRequest Request(string subject) => new(Guid.NewGuid(), Tenant, [subject], [], "asked", "test");

    private async Task<(PostgresEventStore Store, PersonalDataProtection Protection)> ProcessAsync(TimeSpan? delay = null)
    {
        var options = delay is { } wait ? new PersonalDataOptions { DestructionDelay = wait } : new PersonalDataOptions();
        var protection = new PersonalDataProtection(People.Map, new PostgresSubjectVault(_database.Source, _database.Master), TimeProvider.System, options);
        var store = new PostgresEventStore(_database.Source, People.Serializer, TimeProvider.System, new() { Protection = protection });
        _stores.Add(store);
        await store.EnsureSchemaAsync();
        await new PostgresErasureRecords(_database.Source).StartAsync();
        return (store, protection);
    }

    private ProjectionDaemon Daemon(IEventStore store, PersonalDataProtection protection, ITableProjection projection) =>
        new(_database.Source, store, [projection], TimeProvider.System, Options with { Erasure = new ErasureReplay(store, protection) });

    // No daemon of the test runs while it erases, so nobody waits for the read models.
    private Eraser Eraser(IEventStore store, PersonalDataProtection protection) => new(
        store, protection, new PostgresErasureRecords(_database.Source), new MasterKeySigner(_database.Master), TimeProvider.System,
        [.. PostgresErasureSteps.All(_database.Source, People.Map, [new SaidLines()], TimeProvider.System).Where(s => s.Name != "read_models")]);

    private sealed class Until(long position, CancellationTokenSource crash) : IProgress<RebuildProgress>
    {
        public void Report(RebuildProgress value)
        {
            if (value.Position >= position) crash.Cancel();
        }
    }

    /// <summary>The same rows, and it says what it looks at, as the read models of the platform do.</summary>
    private class ToldLines : ITableProjection, IStreamRows
    {
        private readonly SaidLines _lines = new();

        public string Name => _lines.Name;

        public int Version => _lines.Version;

        public IReadOnlyList<string> Tables => _lines.Tables;

        public IReadOnlyCollection<string> EventTypes { get; } = ["line_said"];

        public string SchemaSql(string suffix) => _lines.SchemaSql(suffix);

        public virtual ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct) => _lines.ApplyAsync(writer, batch, ct);

        public void DeleteStream(IProjectionWriter writer, string tenant, string streamId) => _lines.DeleteStream(writer, tenant, streamId);
    }

    /// <summary>Throws at lines with a tag, and quotes them.</summary>
    private sealed class MoodyLines : ToldLines
    {
        public string Poison { get; set; } = "";

        public override ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
        {
            foreach (var recorded in batch)
            {
                if (writer.Serializer.Deserialize(recorded) is LineSaid { Tag.Length: > 0 } line && line.Tag == Poison) throw new FormatException($"No mood for '{line.Text}'.");
            }
            return base.ApplyAsync(writer, batch, ct);
        }
    }

    /// <summary>Keys come from it a moment late.</summary>
    private sealed class SlowVault(ISubjectVault inner) : ISubjectVault
    {
        public Func<Task> OnTheWay { get; set; } = () => Task.CompletedTask;

        ValueTask<byte[]> ISubjectVault.StartAsync(CancellationToken ct) => inner.StartAsync(ct);

        ValueTask<IReadOnlyList<SubjectKey>> ISubjectVault.AcquireAsync(StreamAddress stream, IReadOnlyList<SubjectWish> wishes, CancellationToken ct) => inner.AcquireAsync(stream, wishes, ct);

        async ValueTask<IReadOnlyList<SubjectKey>> ISubjectVault.FindAsync(IReadOnlyCollection<string> keyIds, CancellationToken ct)
        {
            var found = await inner.FindAsync(keyIds, ct);
            await OnTheWay();
            return found;
        }

        ValueTask<(IReadOnlyList<string> KeyIds, DateTimeOffset Now)> ISubjectVault.DestroyedSinceAsync(DateTimeOffset? since, CancellationToken ct) => inner.DestroyedSinceAsync(since, ct);

        ValueTask<IReadOnlyList<StreamAddress>> ISubjectVault.PlainStreamsAsync(IReadOnlyList<string> beginnings, CancellationToken ct) => inner.PlainStreamsAsync(beginnings, ct);

        ValueTask<SubjectRecord> ISubjectVault.LookUpAsync(IReadOnlyList<SubjectId> subjects, IReadOnlyList<string> aliases, CancellationToken ct) => inner.LookUpAsync(subjects, aliases, ct);

        ValueTask<int> ISubjectVault.DestroyAsync(IReadOnlyList<SubjectId> subjects, CancellationToken ct) => inner.DestroyAsync(subjects, ct);

        ValueTask ISubjectVault.ShredAsync(CancellationToken ct) => inner.ShredAsync(ct);

        ValueTask<long> ISubjectVault.RewrapAsync(int count, CancellationToken ct) => inner.RewrapAsync(count, ct);
    }
}
