using System.Threading.Channels;
using Sentiric.EventStore.Proofs;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Audit;

/// <summary>The notary: what it signs, when, and that nothing makes it fork.</summary>
public sealed class NotaryTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly AuditKey Key = AuditKey.Create();

    private AuditTrail Trail => new(postgres.Source, postgres.Store, TimeProvider.System);

    public Task InitializeAsync() => ForgetAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_crash_between_any_two_statements_leaves_one_history()
    {
        string[] steps = ["read", "begun", "placed", "looked", "blocks", "streams", "pages", "progress", "committed", "anchored"];
        foreach (var step in steps)
        {
            await AppendAsync("crash", 3);
            var seen = false;
            var dying = Notary(atStep: at => at == step ? Die(ref seen) : ValueTask.CompletedTask);
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await dying.CatchUpAsync());
            Assert.True(seen, $"The notary never came to '{step}'.");
            // The same notary and a fresh one both go on from where the database stands.
            Assert.NotNull(await Notary().CatchUpAsync());
            await AssertSoundAsync();
        }
        var numbers = await postgres.LinesAsync("select number from sx_audit_block order by number");
        Assert.Equal(Enumerable.Range(1, numbers.Count).Select(n => n.ToString()), numbers);
    }

    [Fact]
    public async Task The_same_notary_goes_on_after_its_transaction_failed()
    {
        await AppendAsync("again", 3);
        var failures = 1;
        var notary = Notary(atStep: at => at == "pages" && failures-- > 0 ? throw new InvalidOperationException("once") : ValueTask.CompletedTask);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await notary.CatchUpAsync());
        Assert.NotNull(await notary.CatchUpAsync());
        await AssertSoundAsync();
    }

    [Fact]
    public async Task Of_two_hosts_one_is_the_notary_and_the_other_takes_over()
    {
        var reached = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        await AppendAsync("two", 2);
        var first = Notary(atStep: async at =>
        {
            if (at != "begun") return;
            reached.TrySetResult();
            await goOn.Task;
        });
        var signing = first.CatchUpAsync().AsTask();
        await reached.Task.WaitAsync(Patience);
        Assert.Null(await Notary().CatchUpAsync());
        goOn.SetResult();
        Assert.NotNull(await signing.WaitAsync(Patience));
        await AppendAsync("two", 2);
        Assert.NotNull(await Notary().CatchUpAsync());
        await AssertSoundAsync();
    }

    [Fact]
    public async Task Two_notaries_that_both_believe_to_own_the_lock_make_one_history()
    {
        await AppendAsync("both", 5);
        var other = 0;
        // While the first is about to write its block, a second writes the same one and commits; it came in without the lock.
        var first = Notary(atStep: async at =>
        {
            if (at != "looked" || other++ > 0) return;
            await postgres.ExecuteAsync("select pg_advisory_unlock_all()");
            await SealWithoutLockAsync();
        });
        await Assert.ThrowsAnyAsync<Exception>(async () => await first.CatchUpAsync());
        Assert.NotNull(await Notary().CatchUpAsync());
        Assert.Equal(["1"], await postgres.LinesAsync("select number from sx_audit_block"));
        await AssertSoundAsync();
    }

    [Fact]
    public async Task Blocks_hold_at_most_1024_events_and_follow_each_other_without_a_gap()
    {
        for (var i = 0; i < 3; i++) await postgres.Store.AppendToStreamAsync("acme", $"bulk-{i}", ExpectedVersion.Any, Facts.Raised(1_000, 1));
        Assert.NotNull(await Notary().CatchUpAsync());
        var checkpoints = await Trail.CheckpointsAsync().Select(c => c.Read()!).ToListAsync();
        Assert.Equal([1_024, 1_024, 952], checkpoints.Select(c => c.Events));
        Assert.Equal(checkpoints.Skip(1).Select(c => c.From), checkpoints.SkipLast(1).Select(c => c.To + 1));
        await AssertSoundAsync();
    }

    [Trait("Category", "Slow")]
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Blocks_that_are_handed_over_in_several_stretches_are_compared_to_the_last_event(int parallelism)
    {
        const int blocks = 2 * BlockStretch.MaxBlocks + 3;
        await ForgetAsync();
        for (var at = 0; at < blocks; at++)
        {
            await AppendAsync($"stretch-{at % 5}", 2);
            Assert.NotNull(await Notary().CatchUpAsync());
        }
        var options = new VerifyOptions([Key.Public]) { Parallelism = parallelism };
        var sound = await Trail.VerifyAsync(options);
        Assert.True(sound.IsSound, string.Join('\n', sound.Findings));
        Assert.Equal((blocks, 2 * blocks), ((int)sound.Blocks, (int)sound.Events));
        Assert.Equal(2 * 3, (await Trail.VerifyAsync(options with { AfterBlock = blocks - 3 })).Events);
        // The first and the last event of the log, and one at either side of the end of a stretch.
        var places = new[] { 0, 2 * BlockStretch.MaxBlocks - 1, 2 * BlockStretch.MaxBlocks, 2 * blocks - 1 };
        var positions = (await postgres.LinesAsync("select seq_id from mt_events order by seq_id")).Select(long.Parse).ToList();
        foreach (var place in places) await postgres.ExecuteAsync($"update mt_events set data = '{{\"By\": 77}}' where seq_id = {positions[place]}");
        var found = (await Trail.VerifyAsync(options)).Findings;
        Assert.Equal(places.Select(p => positions[p]), found.Select(f => f.Position ?? 0).Order());
        Assert.All(found, f => Assert.Equal(AuditFindingKind.EventChanged, f.Kind));
    }

    [Trait("Category", "Slow")]
    [Fact]
    public async Task The_directory_stays_right_over_many_pages_of_streams()
    {
        for (var round = 0; round < 3; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 700).Select(i => AppendAsync($"page-{i * (round + 1) % 900}", 1)));
            Assert.NotNull(await Notary().CatchUpAsync());
        }
        await AssertSoundAsync();
        Assert.Equal(["4"], await postgres.LinesAsync("select count(*) from sx_audit_page"));
    }

    [Fact]
    public async Task What_comes_late_is_signed_in_its_place_because_the_notary_waits_for_the_mark()
    {
        await using var slow = await SlowAppend.BeginAsync(postgres.Source, "slow-" + Guid.NewGuid().ToString("N"));
        await AppendAsync("fast", 1);
        Assert.True(await Notary().CatchUpAsync() < slow.Position);
        await slow.CommitAsync();
        Assert.NotNull(await Notary().CatchUpAsync());
        await AssertSoundAsync();
    }

    [Fact]
    public async Task A_running_notary_signs_what_comes_within_its_interval_and_stops_when_told()
    {
        using var stop = new CancellationTokenSource();
        var said = Channel.CreateUnbounded<NotaryStatus>();
        var notary = new AuditNotary(
            postgres.Source, postgres.Store, AuditKeys.Of(Key), new AuditOptions { Interval = TimeSpan.FromMilliseconds(1), PollInterval = TimeSpan.FromSeconds(1) }, TimeProvider.System)
        { Reported = status => said.Writer.TryWrite(status) };
        var running = Task.Run(() => notary.RunAsync(stop.Token));
        await SaysAsync(said.Reader, s => s.State == NotaryState.Running, "it runs");
        var position = await AppendAsync("live", 4);
        await SaysAsync(said.Reader, s => s.Position >= position, $"position {position} is signed");
        await stop.CancelAsync();
        await SaysAsync(said.Reader, s => s.State == NotaryState.Stopped, "it stopped");
        await running.WaitAsync(Patience);
        Assert.Equal(NotaryState.Stopped, notary.Status.State);
        await AssertSoundAsync();
    }

    [Theory]
    [InlineData("update sx_audit_stream set version = version + 1 where ordinal = 0")]
    [InlineData("update sx_audit_page set root = sha256(root) where page = 0")]
    [InlineData("update sx_audit_block set signature = sha256(signature) where number = 1")]
    [InlineData("update sx_audit_block set statement = statement || ' '")]
    [InlineData("delete from sx_audit_page")]
    [InlineData("delete from sx_audit_block")]
    public async Task It_signs_nothing_on_top_of_a_trail_that_was_changed(string change)
    {
        await AppendAsync("guarded", 2);
        Assert.NotNull(await Notary().CatchUpAsync());
        await postgres.ExecuteAsync(change);
        await AppendAsync("guarded", 1);
        await Assert.ThrowsAsync<AuditTamperedException>(async () => await Notary().CatchUpAsync());
    }

    [Theory]
    [InlineData("update sx_audit_removal set signature = sha256(signature)")]
    [InlineData("update sx_audit_removal set statement = statement || ' '")]
    public async Task No_removal_is_signed_on_top_of_a_changed_one(string change)
    {
        await AppendAsync("removed", 4);
        await TruncateAsync("removed", 2);
        Assert.NotNull(await Notary().CatchUpAsync());
        await postgres.ExecuteAsync(change);
        await TruncateAsync("removed", 3);
        await Assert.ThrowsAsync<AuditTamperedException>(async () => await Notary().CatchUpAsync());
    }

    [Fact]
    public async Task A_crash_before_removals_are_signed_leaves_them_to_the_next()
    {
        await AppendAsync("removed", 4);
        await TruncateAsync("removed", 3);
        var dying = Notary(atStep: at => at == "removals" ? throw new InvalidOperationException("The process died here.") : ValueTask.CompletedTask);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await dying.CatchUpAsync());
        Assert.NotNull(await Notary().CatchUpAsync());
        Assert.NotNull(await Notary().CatchUpAsync());
        Assert.Equal(["1"], await postgres.LinesAsync("select number from sx_audit_removal"));
        await AssertSoundAsync();
    }

    [Fact]
    public async Task Removals_that_the_former_key_signed_stay_verifiable()
    {
        await AppendAsync("removed", 4);
        await TruncateAsync("removed", 2);
        Assert.NotNull(await Notary().CatchUpAsync());
        using var next = AuditKey.Create();
        await TruncateAsync("removed", 3);
        await AppendAsync("removed", 1);
        Assert.NotNull(await Notary(keys: AuditKeys.Of(next, Key)).CatchUpAsync());
        foreach (var key in new[] { Key, next })
        {
            var report = await Trail.VerifyAsync(new VerifyOptions([key.Public]));
            Assert.True(report.IsSound, string.Join('\n', report.Findings));
            Assert.All(report.Removals, r => Assert.NotNull(r.SignedAt));
        }
    }

    [Fact]
    public async Task A_database_that_was_set_back_does_not_fit_the_anchor_file()
    {
        var folder = Directory.CreateTempSubdirectory("audit-anchor").FullName;
        var options = new AuditOptions { AnchorFile = Path.Combine(folder, "anchor") };
        await AppendAsync("anchored", 1);
        Assert.NotNull(await Notary(options: options).CatchUpAsync());
        var anchor = SignedCheckpoint.OfLine(await File.ReadAllTextAsync(options.AnchorFile))!;
        Assert.Equal(anchor.Statement, (await Trail.LastCheckpointAsync())!.Statement);
        await ForgetAsync();
        await Assert.ThrowsAsync<AuditTamperedException>(async () => await Notary(options: options).CatchUpAsync());
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_new_key_is_vouched_for_by_the_one_before_and_old_blocks_stay_verifiable()
    {
        await AppendAsync("rotated", 2);
        Assert.NotNull(await Notary().CatchUpAsync());
        using var next = AuditKey.Create();
        await AppendAsync("rotated", 2);
        Assert.NotNull(await Notary(keys: AuditKeys.Of(next, Key)).CatchUpAsync());
        Assert.True((await Trail.VerifyAsync(new VerifyOptions([Key.Public]))).IsSound);
        Assert.True((await Trail.VerifyAsync(new VerifyOptions([next.Public]))).IsSound);
        Assert.Equal(2, (await Trail.KeysAsync()).Count);
    }

    [Fact]
    public async Task A_new_key_that_nobody_vouches_for_is_told_to_those_who_trust_the_old_one()
    {
        await AppendAsync("lost", 2);
        Assert.NotNull(await Notary().CatchUpAsync());
        using var next = AuditKey.Create();
        await AppendAsync("lost", 2);
        Assert.NotNull(await Notary(keys: AuditKeys.Of(next)).CatchUpAsync());
        var found = Assert.Single((await Trail.VerifyAsync(new VerifyOptions([Key.Public]))).Findings);
        Assert.Equal(AuditFindingKind.SignatureWrong, found.Kind);
        Assert.True((await Trail.VerifyAsync(new VerifyOptions([next.Public]))).IsSound);
    }

    [Fact]
    public async Task Archiving_a_stream_changes_nothing_that_is_signed()
    {
        await AppendAsync("archived", 3);
        Assert.NotNull(await Notary().CatchUpAsync());
        await postgres.Store.ArchiveStreamAsync("acme", "archived");
        await AssertSoundAsync();
    }

    [Fact]
    public async Task Tombstones_and_endless_times_of_a_Marten_host_are_signed_as_they_are()
    {
        await postgres.ExecuteAsync("""
            insert into mt_streams (tenant_id, id, version) values ('*DEFAULT*', 'mt_tombstone', 0) on conflict do nothing;
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp)
            select n, gen_random_uuid(), 'mt_tombstone', n, '{}', 'tombstone', '-infinity' from nextval('mt_events_sequence') n
            """);
        Assert.NotNull(await Notary().CatchUpAsync());
        await AssertSoundAsync();
        await postgres.ExecuteAsync("update mt_events set timestamp = 'infinity' where stream_id = 'mt_tombstone'");
        Assert.Contains((await Trail.VerifyAsync(new VerifyOptions([Key.Public]))).Findings, f => f.Columns.Contains("timestamp"));
        await postgres.ExecuteAsync("update mt_events set timestamp = '-infinity' where stream_id = 'mt_tombstone'");
    }

    private static async Task SaysAsync(ChannelReader<NotaryStatus> said, Func<NotaryStatus, bool> wanted, string what)
    {
        using var patience = new CancellationTokenSource(Patience);
        NotaryStatus? last = null;
        try
        {
            while (last is null || !wanted(last)) last = await said.ReadAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"Waited until {what}; the notary last said {last}.");
        }
    }

    private static ValueTask Die(ref bool seen)
    {
        seen = true;
        throw new InvalidOperationException("The process died here.");
    }

    private AuditNotary Notary(Func<string, ValueTask>? atStep = null, AuditOptions? options = null, AuditKeys? keys = null) =>
        new(postgres.Source, postgres.Store, keys ?? AuditKeys.Of(Key), options ?? new AuditOptions(), TimeProvider.System) { AtStep = atStep };

    private async Task SealWithoutLockAsync()
    {
        var tables = AuditTables.Of(postgres.Store);
        var ledger = await NotaryLedger.OpenAsync(postgres.Source, tables, AuditKeys.Of(Key), new AuditOptions(), TimeProvider.System, default);
        await using var reading = await postgres.Source.OpenConnectionAsync();
        await using var tuples = await EventTuples.OpenAsync(reading, tables, "order by seq_id", default);
        await using var writing = await postgres.Source.OpenConnectionAsync();
        var batch = new HashBatch();
        while (await NotaryPage.ReadAsync(tuples, batch, default) is { } page) await ledger.SealAsync(writing, page, _ => ValueTask.CompletedTask, default);
    }

    private async Task<long> AppendAsync(string stream, int count) =>
        (await postgres.Store.AppendToStreamAsync("acme", stream, ExpectedVersion.Any, Facts.Raised(count, 1))).LastPosition;

    private async Task TruncateAsync(string stream, long before) =>
        await postgres.Store.TruncateStreamAsync("acme", stream, before, new TruncationReason("asked to", "officer", EvenUnread: true));

    private async Task AssertSoundAsync()
    {
        var report = await Trail.VerifyAsync(new VerifyOptions([Key.Public]));
        Assert.True(report.IsSound, string.Join('\n', report.Findings));
        Assert.Equal(0, report.Pending);
    }

    private Task ForgetAsync() => postgres.ExecuteAsync("truncate sx_audit_block, sx_audit_stream, sx_audit_page, sx_audit_key, sx_audit_removal, sx_stream_truncation, sx_archived_stream, sx_stream_move, mt_events, mt_streams cascade; delete from mt_high_water_skips where starting_sequence > 1; "
        + "insert into mt_high_water_skips (starting_sequence, ending_sequence) select 1, last_value from mt_events_sequence on conflict do nothing");
}
