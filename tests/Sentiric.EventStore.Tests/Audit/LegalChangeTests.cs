using Sentiric.EventStore.Proofs;
using Sentiric.EventStore.Tests.Contract;
using Xunit;

namespace Sentiric.EventStore.Tests.Audit;

/// <summary>What may happen to a signed history by right, and that the rest stays provable.</summary>
public sealed class LegalChangeTests(AuditedStore store) : IClassFixture<AuditedStore>
{
    [Fact]
    public async Task A_truncated_stream_keeps_its_leaves_and_is_listed()
    {
        // The other facts of this class removed events by right as well.
        var before = (await store.VerifyAsync()).Removed;
        await store.Postgres.Store.AppendToStreamAsync("acme", "shortened", ExpectedVersion.Any, Facts.Raised(5, 1));
        await store.SignAsync();
        await store.Ordering.TruncateStreamAsync("acme", "shortened", 4, new TruncationReason("the caller asked", "officer", EvenUnread: true));
        var whole = await store.VerifyAsync();
        Assert.True(whole.IsSound, string.Join('\n', whole.Findings));
        Assert.Equal(before + 3, whole.Removed);
        Assert.Contains(whole.Removals, r => r is { Tenant: "acme", StreamId: "shortened", UpToVersion: 3, Why: "the caller asked", Actor: "officer" });
        var scoped = await store.VerifyAsync(store.Trusting with { Tenant = "acme", StreamId = "shortened" });
        Assert.True(scoped.IsSound, string.Join('\n', scoped.Findings));
        Assert.Equal(3, scoped.Removed);

        var proof = await store.Trail.ProveAsync("acme", "shortened");
        Assert.Empty(proof.Check([store.Key.Public]));
        Assert.Equal(3, proof.Events.Count(e => e.Leaf is not null));
        await store.Postgres.Store.AppendToStreamAsync("acme", "shortened", ExpectedVersion.Any, Facts.Raised(2, 1));
        await store.SignAsync();
        Assert.True((await store.VerifyAsync()).IsSound);
    }

    [Fact]
    public async Task One_event_more_than_the_record_of_a_truncation_says_is_a_removed_event()
    {
        await store.Postgres.Store.AppendToStreamAsync("acme", "more", ExpectedVersion.Any, Facts.Raised(5, 1));
        await store.SignAsync();
        await store.Ordering.TruncateStreamAsync("acme", "more", 3, new TruncationReason("by right", EvenUnread: true));
        await store.AsSuperuserAsync("create table kept_more as select * from mt_events where stream_id = 'more' and version = 3; delete from mt_events where stream_id = 'more' and version = 3");
        foreach (var options in new[] { store.Trusting, store.Trusting with { Tenant = "acme", StreamId = "more" } })
        {
            var found = Assert.Single((await store.VerifyAsync(options)).Findings);
            Assert.Equal((AuditFindingKind.EventRemoved, "more", 3L), (found.Kind, found.StreamId, found.Version));
        }
        await store.AsSuperuserAsync("insert into mt_events table kept_more; drop table kept_more");
    }

    [Fact]
    public async Task The_record_of_a_truncation_is_signed_although_nothing_is_appended_afterwards()
    {
        await store.Postgres.Store.AppendToStreamAsync("acme", "recorded", ExpectedVersion.Any, Facts.Raised(3, 1));
        await store.SignAsync();
        await store.Ordering.TruncateStreamAsync("acme", "recorded", 3, new TruncationReason("by right", "officer", EvenUnread: true));
        var waiting = await store.VerifyAsync();
        Assert.True(waiting.IsSound, string.Join('\n', waiting.Findings));
        Assert.Null(Assert.Single(waiting.Removals, r => r.StreamId == "recorded").SignedAt);
        await store.SignAsync();
        foreach (var options in new[] { store.Trusting, store.Trusting with { Tenant = "acme", StreamId = "recorded" } })
            Assert.NotNull(Assert.Single((await store.VerifyAsync(options)).Removals, r => r.StreamId == "recorded").SignedAt);
        await store.SignAsync();
        Assert.Equal(["1"], await store.Postgres.LinesAsync("select count(*) from sx_audit_removal where stream_id = 'recorded'"));
    }

    [Theory]
    [InlineData("insert into sx_stream_truncation select tenant_id, stream_id, 2, 1, first_seq_id, first_seq_id, sha256, reason, actor, truncated_at from sx_stream_truncation where stream_id = 'gone-0'", AuditFindingKind.TrailInserted, 2)]
    [InlineData("delete from sx_stream_truncation where stream_id = 'gone-0'", AuditFindingKind.TrailRemoved, 3)]
    [InlineData("update sx_stream_truncation set reason = 'another' where stream_id = 'gone-0'", AuditFindingKind.TrailChanged, 3)]
    [InlineData("update sx_stream_truncation set actor = null where stream_id = 'gone-0'", AuditFindingKind.TrailChanged, 3)]
    public async Task A_record_that_somebody_else_wrote_changed_or_took_away_is_named(string change, AuditFindingKind kind, long version)
    {
        await store.AsSuperuserAsync(change);
        foreach (var options in new[] { store.Trusting, store.Trusting with { Tenant = "acme", StreamId = "gone-0" } })
        {
            var found = (await store.VerifyAsync(options)).Findings;
            Assert.Contains(found, f => f.Kind == kind && (f.Table, f.Tenant, f.StreamId, f.Version) == ("sx_stream_truncation", "acme", "gone-0", version));
        }
        await store.AsSuperuserAsync("delete from sx_stream_truncation where stream_id = 'gone-0'; insert into sx_stream_truncation select * from kept_sx_stream_truncation where stream_id = 'gone-0'");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_forged_truncation_is_told_since_no_key_ordered_it_although_the_notary_signed_it(bool withAnOrderOfAnotherKey)
    {
        await store.Postgres.Store.AppendToStreamAsync("acme", "forged", ExpectedVersion.Any, Facts.Raised(4, 1));
        await store.SignAsync();
        await store.AsSuperuserAsync("""
            create table kept_forged as select * from mt_events where stream_id = 'forged' and version < 4;
            insert into sx_stream_truncation (tenant_id, stream_id, before_version, events, first_seq_id, last_seq_id, sha256, reason, actor, truncated_at)
            select tenant_id, stream_id, 4, count(*), min(seq_id), max(seq_id), sha256('x'), 'asked to', 'officer', now() from mt_events where stream_id = 'forged' and version < 4 group by 1, 2;
            delete from mt_events where stream_id = 'forged' and version < 4
            """);
        using var thief = AuditKey.Create();
        if (withAnOrderOfAnotherKey)
        {
            await using var connection = await store.Postgres.Source.OpenConnectionAsync();
            var record = Assert.Single(await RemovalRows.TruncationAsync(connection, "acme", "forged", 4, default));
            await store.AsSuperuserAsync($"insert into sx_audit_order values ('{record.Leaf}', '{thief.Id}', '\\x{Convert.ToHexString(thief.Sign(RemovalOrder.Text(record.Leaf, thief.Id)))}')");
        }
        for (var signed = 0; signed < 2; signed++)
        {
            foreach (var options in new[] { store.Trusting, store.Trusting with { Tenant = "acme", StreamId = "forged" } })
            {
                var report = await store.VerifyAsync(options);
                var found = Assert.Single(report.Findings);
                Assert.Equal((AuditFindingKind.RemovalNotOrdered, "sx_stream_truncation", "forged", 4L), (found.Kind, found.Table, found.StreamId, found.Version));
                Assert.Null(Assert.Single(report.Removals, r => r.StreamId == "forged").OrderedBy);
            }
            await store.SignAsync();
        }
        await UndoForgeryAsync();
    }

    [Fact]
    public async Task Removals_by_right_name_the_key_that_ordered_them()
    {
        await store.Postgres.Store.AppendToStreamAsync("acme", "ordered", ExpectedVersion.Any, Facts.Raised(3, 1));
        await store.SignAsync();
        await store.Ordering.TruncateStreamAsync("acme", "ordered", 3, new TruncationReason("by right", "officer", EvenUnread: true));
        for (var signed = 0; signed < 2; signed++)
        {
            var report = await store.VerifyAsync();
            Assert.True(report.IsSound, string.Join('\n', report.Findings));
            Assert.Equal([store.Key.Id], report.Removals.Select(r => r.OrderedBy).Distinct());
            await store.SignAsync();
        }
    }

    [Theory]
    [InlineData("insert into sx_stream_move select tenant_id, stream_id, 2, true, file, sha256, events, version, first_seq_id, last_seq_id, moved_at from sx_stream_move where stream_id = 'filed-1'", "sx_stream_move", AuditFindingKind.TrailInserted)]
    [InlineData("delete from sx_stream_move where stream_id = 'filed-1'", "sx_stream_move", AuditFindingKind.TrailRemoved)]
    [InlineData("update sx_stream_move set file = 'another' where stream_id = 'filed-1'", "sx_stream_move", AuditFindingKind.TrailChanged)]
    [InlineData("update sx_stream_move set version = 7 where stream_id = 'filed-1'", "sx_stream_move", AuditFindingKind.TrailRemoved)]
    [InlineData("delete from sx_archived_stream where stream_id = 'filed-1'", "sx_archived_stream", AuditFindingKind.TrailRemoved)]
    [InlineData("update sx_archived_stream set version = 7 where stream_id = 'filed-1'", "sx_archived_stream", AuditFindingKind.TrailChanged)]
    [InlineData("delete from sx_stream_move where stream_id = 'filed-1'; delete from sx_archived_stream where stream_id = 'filed-1'", "mt_events", AuditFindingKind.EventRemoved)]
    public async Task A_record_of_a_file_that_somebody_else_wrote_changed_or_took_away_is_named_even_when_a_notary_runs_meanwhile(string change, string table, AuditFindingKind kind)
    {
        await store.AsSuperuserAsync(change);
        for (var signed = 0; signed < 2; signed++)
        {
            foreach (var options in new[] { store.Trusting, store.Trusting with { Tenant = "acme", StreamId = "filed-1" } })
            {
                var found = (await store.VerifyAsync(options)).Findings;
                // What nobody had signed is signed by the notary as it finds it; that the stream does not lie where its last record says stays to be seen.
                if (signed == 1 && kind == AuditFindingKind.TrailInserted) Assert.Contains(found, f => (f.Table, f.StreamId) == ("sx_archived_stream", "filed-1"));
                else Assert.Contains(found, f => f.Kind == kind && (f.Table, f.Tenant, f.StreamId) == (table, "acme", "filed-1"));
            }
            await store.SignAsync();
        }
        foreach (var kept in new[] { "sx_stream_move", "sx_archived_stream" })
            await store.AsSuperuserAsync($"delete from {kept} where stream_id = 'filed-1'; insert into {kept} select * from kept_{kept} where stream_id = 'filed-1'");
        await store.AsSuperuserAsync("delete from sx_audit_removal where stream_id = 'filed-1' and number > (select max(number) from kept_sx_audit_removal)");
    }

    [Fact]
    public async Task Archiving_and_opening_a_stream_changes_nothing_that_is_signed()
    {
        await store.Postgres.Store.AppendToStreamAsync("acme", "closed", ExpectedVersion.Any, Facts.Raised(2, 1));
        await store.SignAsync();
        await store.Postgres.Store.ArchiveStreamAsync("acme", "closed");
        Assert.True((await store.VerifyAsync()).IsSound);
        await store.Postgres.Store.UnarchiveStreamAsync("acme", "closed");
        Assert.True((await store.VerifyAsync()).IsSound);
    }

    [Fact]
    public async Task Streams_that_lie_in_files_are_gone_by_right_and_verify_again_when_they_are_back()
    {
        var folder = Directory.CreateTempSubdirectory("audit-files").FullName;
        var files = new StreamFiles(store.Postgres.Source, folder, TimeProvider.System, new() { OrderKey = store.Key });
        var before = (await store.VerifyAsync()).Removed;
        var moved = await files.ArchiveAsync(new FileArchivePolicy(TimeSpan.Zero) { EndingEventTypes = ["note_taken"] });
        Assert.True(moved.Events > 0);
        var away = await store.VerifyAsync();
        Assert.True(away.IsSound, string.Join('\n', away.Findings));
        Assert.Equal(before + moved.Events, away.Removed);
        await store.SignAsync();
        Assert.All((await store.VerifyAsync()).Removals, r => Assert.NotNull(r.SignedAt));
        await files.RestoreAsync(tenant: "ünlü");
        await files.RestoreAsync(tenant: "globex");
        foreach (var stream in (await store.VerifyAsync()).Removals.Where(r => r.File is not null && !r.StreamId.StartsWith("filed-", StringComparison.Ordinal)))
            await files.RestoreAsync(stream.Tenant, stream.StreamId);
        var back = await store.VerifyAsync();
        Assert.True(back.IsSound, string.Join('\n', back.Findings));
        Assert.All(back.Removals.Where(r => r.File is not null), r => Assert.StartsWith("filed-", r.StreamId, StringComparison.Ordinal));
        // Moved again, the stream has a record of its own for each time.
        await store.SignAsync();
        await files.ArchiveAsync(new FileArchivePolicy(TimeSpan.Zero) { EndingEventTypes = ["note_taken"] });
        await store.SignAsync();
        var again = await store.VerifyAsync();
        Assert.True(again.IsSound, string.Join('\n', again.Findings));
        Assert.Equal(away.Removed, again.Removed);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>What was forged is taken back out of the tables and of the end of the chain, as if it had never been: the other facts share the store.</summary>
    private Task UndoForgeryAsync() => store.AsSuperuserAsync("""
        delete from sx_audit_removal where stream_id = 'forged';
        delete from sx_audit_order where key_id not in (select key_id from sx_audit_key);
        delete from sx_stream_truncation where stream_id = 'forged';
        insert into mt_events table kept_forged;
        drop table kept_forged
        """);
}
