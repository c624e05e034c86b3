using Sentiric.EventStore.Proofs;
using Xunit;

namespace Sentiric.EventStore.Tests.Audit;

/// <summary>What somebody with the password of the database might try, from one row to the whole history.</summary>
public sealed class TamperTests(AuditedStore store) : IClassFixture<AuditedStore>, IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => store.RestoreAsync();

    [Fact]
    public async Task Two_events_that_swapped_their_contents_are_named()
    {
        await store.AsSuperuserAsync("""
            update mt_events e set data = o.data, type = o.type from mt_events o
            where (e.seq_id, o.seq_id) in ((2, 3), (3, 2))
            """);
        var report = await store.VerifyAsync();
        Assert.Equal([2L, 3L], report.Findings.Select(f => f.Position));
        Assert.All(report.Findings, f => Assert.Equal(AuditFindingKind.EventChanged, f.Kind));
    }

    [Fact]
    public async Task Two_events_that_swapped_their_places_are_named()
    {
        await store.AsSuperuserAsync("update mt_events set seq_id = -2 where seq_id = 2; update mt_events set seq_id = 2 where seq_id = 5; update mt_events set seq_id = 5 where seq_id = -2");
        var report = await store.VerifyAsync();
        Assert.Equal([2L, 5L], report.Findings.Where(f => f.Kind == AuditFindingKind.EventChanged).Select(f => f.Position));
    }

    [Fact]
    public async Task An_event_slipped_into_an_unused_number_is_named()
    {
        var hole = (await store.Postgres.LinesAsync("select ending_sequence from mt_high_water_skips"))[0];
        await store.AsSuperuserAsync($"""
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id)
            select {hole}, gen_random_uuid(), stream_id, version + 100, data, type, timestamp, tenant_id from mt_events where seq_id = 1
            """);
        var found = Assert.Single((await store.VerifyAsync()).Findings, f => f.Kind == AuditFindingKind.EventInserted);
        Assert.Equal((long.Parse(hole), "acme", "call-0"), (found.Position, found.Tenant, found.StreamId));
    }

    [Fact]
    public async Task A_number_that_was_never_used_needs_a_record()
    {
        var hole = (await store.Postgres.LinesAsync("select ending_sequence from mt_high_water_skips"))[0];
        await store.AsSuperuserAsync("delete from mt_high_water_skips");
        var found = Assert.Single((await store.VerifyAsync()).Findings);
        Assert.Equal((AuditFindingKind.HoleNotRecorded, long.Parse(hole)), (found.Kind, found.Position));
    }

    [Fact]
    public async Task A_removed_event_is_named_even_when_the_log_of_skipped_numbers_was_mended()
    {
        await store.AsSuperuserAsync("delete from mt_events where seq_id = 7; insert into mt_high_water_skips (starting_sequence, ending_sequence) values (7, 7)");
        var found = Assert.Single((await store.VerifyAsync()).Findings);
        Assert.Equal((AuditFindingKind.EventRemoved, 7L, "acme", "call-6"), (found.Kind, found.Position, found.Tenant, found.StreamId));
    }

    [Fact]
    public async Task Renumbering_a_stream_is_found()
    {
        await store.AsSuperuserAsync("update mt_events set version = version + 10 where tenant_id = 'acme' and stream_id = 'call-0'");
        var report = await store.VerifyAsync();
        Assert.Equal(2, report.Findings.Count(f => f.Kind == AuditFindingKind.EventChanged && f.Columns.Contains("version")));
    }

    [Fact]
    public async Task A_whole_stream_that_was_removed_from_every_table_is_found()
    {
        await store.AsSuperuserAsync("""
            delete from mt_events where tenant_id = 'acme' and stream_id = 'call-3';
            delete from mt_streams where tenant_id = 'acme' and id = 'call-3';
            delete from sx_audit_stream where tenant_id = 'acme' and stream_id = 'call-3'
            """);
        var report = await store.VerifyAsync();
        Assert.Equal(2, report.Findings.Count(f => f.Kind == AuditFindingKind.EventRemoved));
        Assert.Contains(report.Findings, f => f is { Kind: AuditFindingKind.TrailRemoved, Table: "sx_audit_stream" });
    }

    [Theory]
    [InlineData("")]
    [InlineData("delete from sx_audit_page")]
    public async Task A_whole_stream_that_was_removed_or_given_away_is_missed_where_only_it_or_its_tenant_is_verified(string besides)
    {
        foreach (var away in new[] { "delete from sx_audit_stream", "update sx_audit_stream set tenant_id = 'elsewhere'" })
        {
            // All that a tenant ever had.
            await store.AsSuperuserAsync($"""
                delete from mt_events where tenant_id = 'ünlü'; delete from mt_streams where tenant_id = 'ünlü'; {away} where tenant_id = 'ünlü'; {besides}
                """);
            foreach (var options in new[] { store.Trusting with { Tenant = "ünlü", StreamId = "call-2" }, store.Trusting with { Tenant = "ünlü" } })
                Assert.Contains((await store.VerifyAsync(options)).Findings, f => f is { Kind: AuditFindingKind.TrailChanged, Table: "sx_audit_stream" or "sx_audit_page" });
            await store.RestoreAsync();
        }
        Assert.True((await store.VerifyAsync(store.Trusting with { Tenant = "nobody" })).IsSound);
        Assert.True((await store.VerifyAsync(store.Trusting with { Tenant = "ünlü" })).IsSound);
    }

    [Fact]
    public async Task Events_taken_off_the_end_of_the_log_are_found()
    {
        await store.AsSuperuserAsync("delete from mt_events where seq_id > 40");
        // Three turns, the event that a truncation left of each stream behind them, and the two that came back from a file; the rest is gone by right.
        Assert.Equal(3 + AuditedStore.Truncated + 2, (await store.VerifyAsync()).Findings.Count(f => f.Kind == AuditFindingKind.EventRemoved));
    }

    [Fact]
    public async Task Setting_the_whole_database_back_is_found_by_an_anchor_and_by_nothing_else()
    {
        var anchor = (await store.Trail.LastCheckpointAsync())!;
        await using var earlier = new Earlier();
        await earlier.Store.InitializeAsync();
        await earlier.SetBackAsync();
        Assert.True((await earlier.Store.VerifyAsync()).IsSound, "Without an anchor an earlier state is a sound state.");
        var found = Assert.Single((await earlier.Store.VerifyAsync(earlier.Store.Trusting with { Anchors = [earlier.Anchor!] })).Findings);
        Assert.Equal((AuditFindingKind.AnchorMissing, 7L), (found.Kind, found.Block));
        Assert.True((await store.VerifyAsync(store.Trusting with { Anchors = [anchor] })).IsSound);
    }

    [Fact]
    public async Task A_history_that_was_rewritten_with_another_key_is_found()
    {
        using var thief = AuditKey.Create();
        await RewriteAsync(thief);
        var report = await store.VerifyAsync();
        Assert.Contains(report.Findings, f => f.Kind == AuditFindingKind.SignatureWrong);
        Assert.True((await store.VerifyAsync(new VerifyOptions([thief.Public]))).IsSound, "Whoever believes the thief's key sees a sound history.");
    }

    [Fact]
    public async Task A_history_that_was_rewritten_with_the_stolen_key_is_found_by_an_anchor_and_by_nothing_else()
    {
        var anchor = (await store.Trail.LastCheckpointAsync())!;
        await RewriteAsync(store.Key);
        Assert.True((await store.VerifyAsync()).IsSound, "The key is stolen and nobody kept a checkpoint: this cannot be seen, and the documents say so.");
        var found = (await store.VerifyAsync(store.Trusting with { Anchors = [anchor] })).Findings;
        Assert.Contains(found, f => f.Kind == AuditFindingKind.AnchorMissing);
    }

    [Fact]
    public async Task A_forged_signature_and_a_forged_anchor_are_told()
    {
        using var stranger = AuditKey.Create();
        var last = (await store.Trail.LastCheckpointAsync())!;
        await store.AsSuperuserAsync($"update sx_audit_block set signature = '\\x{Convert.ToHexString(stranger.Sign(last.Statement))}' where number = 5");
        var found = Assert.Single((await store.VerifyAsync()).Findings);
        Assert.Equal((AuditFindingKind.SignatureWrong, 5L), (found.Kind, found.Block));
        await store.RestoreAsync();
        var forged = last with { Signature = stranger.Sign(last.Statement) };
        Assert.Equal(AuditFindingKind.AnchorMissing, Assert.Single((await store.VerifyAsync(store.Trusting with { Anchors = [forged] })).Findings).Kind);
    }

    [Fact]
    public async Task An_event_that_was_changed_before_it_was_signed_cannot_be_told()
    {
        await store.Postgres.Store.AppendToStreamAsync("acme", "young", ExpectedVersion.Any, [Contract.Facts.Raised(1)]);
        await store.AsSuperuserAsync("update mt_events set data = '{\"By\": 2}' where stream_id = 'young'");
        var report = await store.VerifyAsync();
        Assert.True(report.IsSound);
        Assert.Equal(1, report.Pending);
        await store.AsSuperuserAsync("delete from mt_events where stream_id = 'young'; delete from mt_streams where id = 'young'");
    }

    [Fact]
    public async Task A_row_of_a_stream_without_events_is_told()
    {
        await store.AsSuperuserAsync("insert into mt_streams (tenant_id, id, version) values ('acme', 'ghost', 3)");
        var found = Assert.Single((await store.VerifyAsync()).Findings);
        Assert.Equal((AuditFindingKind.StreamInserted, "ghost"), (found.Kind, found.StreamId));
    }

    [Fact]
    public async Task Rows_that_the_notary_did_not_write_are_told()
    {
        using var stranger = AuditKey.Create();
        var record = KeyRecord.Endorse(stranger.Public, store.Key, DateTimeOffset.UnixEpoch) with { Endorsement = stranger.Sign("x") };
        string[] insertions =
        [
            "insert into sx_audit_block select 7, first_position, 999, statement, signature, entries from sx_audit_block where number = 6",
            "insert into sx_audit_block select 0, 0, 0, statement, signature, entries from sx_audit_block where number = 1",
            "insert into sx_audit_stream select 99, tenant_id, stream_id || 'x', version, head, type, created, appended from sx_audit_stream where ordinal = 0",
            "insert into sx_audit_page select 1, root from sx_audit_page where page = 0",
            $"insert into sx_audit_key values ('{record.KeyId}', '\\x{Convert.ToHexString(record.PublicKey)}', now(), '{record.EndorsedBy}', '\\x{Convert.ToHexString(record.Endorsement)}')",
        ];
        foreach (var insertion in insertions)
        {
            await store.AsSuperuserAsync(insertion);
            var table = insertion.Split(' ')[2];
            Assert.Contains((await store.VerifyAsync()).Findings, f => f.Table == table);
            await store.RestoreAsync(table);
        }
    }

    [Fact]
    public async Task A_verification_without_a_key_from_outside_is_refused() =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.VerifyAsync(new VerifyOptions([])));

    [Fact]
    public async Task Starting_behind_a_checkpoint_skips_the_events_before_it()
    {
        await store.AsSuperuserAsync("update mt_events set data = '{}' where seq_id = 3");
        Assert.False((await store.VerifyAsync()).IsSound);
        var later = await store.VerifyAsync(store.Trusting with { AfterBlock = 2 });
        Assert.True(later.IsSound, string.Join('\n', later.Findings));
        Assert.Equal(AuditedStore.Events - 20, later.Events);
    }

    /// <summary>Changes an event and makes a new trail over everything, as somebody would who has all rights in the database and the given key.</summary>
    private async Task RewriteAsync(AuditKey key)
    {
        await store.AsSuperuserAsync("update mt_events set data = '{\"By\": 666}' where seq_id = 9; delete from sx_audit_block; delete from sx_audit_stream; delete from sx_audit_page; delete from sx_audit_key; delete from sx_audit_removal; "
            + "insert into mt_high_water_skips (starting_sequence, ending_sequence) select n, n from generate_series(1, (select max(seq_id) from mt_events)) n "
            + "where not exists (select from mt_events where seq_id = n) and not exists (select from mt_high_water_skips where n between starting_sequence and ending_sequence)");
        Assert.NotNull(await store.Notary(key).CatchUpAsync());
    }

    /// <summary>A store of its own that can be set back to where it stood two blocks ago.</summary>
    private sealed class Earlier : IAsyncDisposable
    {
        public AuditedStore Store { get; } = new();
        public SignedCheckpoint? Anchor { get; private set; }

        public async Task SetBackAsync()
        {
            foreach (var table in new[] { "mt_streams", "mt_events", "mt_high_water_skips", "sx_audit_block", "sx_audit_stream", "sx_audit_page", "sx_audit_key" })
                await Store.Postgres.ExecuteAsync($"drop table kept_{table}; create table kept_{table} as table {table}");
            // "Earlier" is made by going on: what was kept is the backup that the attacker plays back.
            await Store.Postgres.Store.AppendToStreamAsync("acme", "later", ExpectedVersion.Any, [Contract.Facts.Raised(1)]);
            await Store.SignAsync();
            Anchor = await Store.Trail.LastCheckpointAsync();
            await Store.RestoreAsync();
        }

        public async ValueTask DisposeAsync() => await Store.DisposeAsync();
    }
}
