using Sentiric.EventStore.Proofs;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Audit;

/// <summary>Names that look alike, streams that change hands, and clocks that go back: what is signed is bytes, positions and the chain, nothing else.</summary>
public sealed class NamesAndClocksTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IAsyncLifetime
{
    /// <summary>Alike but for case, for the dot of an i (Turkish and English disagree), or for how an accent is composed (Unicode NFC and NFD).</summary>
    private static readonly string[] Alike = ["call-I", "call-i", "call-ı", "call-İ", "call-i\u0307", "caf\u00e9", "cafe\u0301", "CAFE\u0301", "stra\u00dfe", "strasse", "\ufb01n", "fin", "a b", "a\u00a0b"];
    private static readonly string[] Tenants = ["\u00fcnl\u00fc", "u\u0308nlu\u0308", "\u00dcnl\u00fc"];
    private static readonly DateTimeOffset Noon = new(2026, 11, 17, 12, 0, 0, TimeSpan.Zero);

    private readonly AuditKey _key = AuditKey.Create();

    private AuditTrail Trail => new(postgres.Source, postgres.Store, TimeProvider.System);

    // Each fact has a database of its own.
    public Task InitializeAsync() => postgres.ExecuteAsync("truncate sx_audit_block, sx_audit_stream, sx_audit_page, sx_audit_key, sx_audit_removal, sx_stream_truncation, mt_events, mt_streams cascade; "
        + "insert into mt_high_water_skips (starting_sequence, ending_sequence) select 1, last_value from mt_events_sequence where is_called on conflict do nothing");

    public Task DisposeAsync()
    {
        _key.Dispose();
        return Task.CompletedTask;
    }

    [Trait("Category", "Slow")]
    [Fact]
    public async Task Names_that_differ_in_case_or_composition_only_are_streams_of_their_own()
    {
        await AppendToAllAsync();
        var rows = (await postgres.LinesAsync("select count(*), count(distinct (tenant_id, stream_id)), count(distinct head) from sx_audit_stream"))[0];
        var streams = Tenants.Length * Alike.Length;
        Assert.Equal($"{streams} | {streams} | {streams}", rows);
        var whole = await VerifyAsync();
        Assert.True(whole.IsSound, string.Join('\n', whole.Findings));
        foreach (var tenant in Tenants)
        {
            Assert.Equal(2 * Alike.Length, (await VerifyAsync(tenant)).Events);
            foreach (var stream in Alike)
            {
                var proof = await Trail.ProveAsync(tenant, stream);
                Assert.Empty(proof.Check([_key.Public]));
                Assert.Equal((tenant, stream, 2), (proof.Tenant, proof.Stream, proof.Events.Count));
                Assert.Equal(2, (await VerifyAsync(tenant, stream)).Events);
            }
        }
    }

    [Theory]
    [InlineData("call-I", "call-i")]
    [InlineData("call-i", "call-ı")]
    [InlineData("caf\u00e9", "cafe\u0301")]
    [InlineData("strasse", "stra\u00dfe")]
    public async Task An_event_that_moved_to_the_stream_whose_name_looks_the_same_is_named(string from, string to)
    {
        await AppendToAllAsync();
        await AsSuperuserAsync($"update mt_events set stream_id = '{to}', version = 3 where tenant_id = '{Tenants[0]}' and stream_id = '{from}' and version = 2");
        var found = Assert.Single((await VerifyAsync()).Findings, f => f.Kind == AuditFindingKind.EventChanged);
        Assert.Equal((Tenants[0], from, 2L), (found.Tenant, found.StreamId, found.Version));
        Assert.Equal(["stream_id", "version"], found.Columns.Order());
        foreach (var stream in new[] { from, to }) Assert.False((await VerifyAsync(Tenants[0], stream)).IsSound);
    }

    [Fact]
    public async Task A_stream_whose_name_was_normalised_everywhere_is_found()
    {
        await postgres.Store.AppendToStreamAsync("acme", "cafe\u0301", ExpectedVersion.Any, Facts.Raised(2, 1));
        await SignAsync();
        await AsSuperuserAsync("update mt_events set stream_id = normalize(stream_id, NFC); update mt_streams set id = normalize(id, NFC); update sx_audit_stream set stream_id = normalize(stream_id, NFC)");
        var report = await VerifyAsync();
        Assert.Equal(2, report.Findings.Count(f => f.Kind == AuditFindingKind.EventChanged && f.Columns.Contains("stream_id")));
        Assert.Contains(report.Findings, f => f is { Kind: AuditFindingKind.TrailChanged, Table: "sx_audit_stream" });
        Assert.False((await VerifyAsync("acme", "caf\u00e9")).IsSound);
    }

    [Fact]
    public async Task An_event_that_was_given_to_another_tenant_is_named()
    {
        foreach (var tenant in new[] { "acme", "globex" }) await postgres.Store.AppendToStreamAsync(tenant, "call", ExpectedVersion.Any, Facts.Raised(2, 1));
        await SignAsync();
        await AsSuperuserAsync("update mt_events set tenant_id = 'globex', version = 3 where tenant_id = 'acme' and version = 2");
        var found = Assert.Single((await VerifyAsync()).Findings, f => f.Kind == AuditFindingKind.EventChanged);
        Assert.Equal(("acme", "call", 2L), (found.Tenant, found.StreamId, found.Version));
        Assert.Equal(["tenant_id", "version"], found.Columns.Order());
        Assert.Contains((await VerifyAsync("acme", "call")).Findings, f => f.Kind == AuditFindingKind.EventRemoved);
        Assert.Contains((await VerifyAsync("globex", "call")).Findings, f => f is { Kind: AuditFindingKind.EventInserted, Version: 3 });
    }

    [Fact]
    public async Task A_stream_that_was_given_to_another_tenant_in_every_table_is_found()
    {
        await postgres.Store.AppendToStreamAsync("acme", "mine", ExpectedVersion.Any, Facts.Raised(2, 1));
        await postgres.Store.AppendToStreamAsync("globex", "theirs", ExpectedVersion.Any, Facts.Raised(2, 1));
        await SignAsync();
        await AsSuperuserAsync("update mt_events set tenant_id = 'globex' where stream_id = 'mine'; update mt_streams set tenant_id = 'globex' where id = 'mine'; update sx_audit_stream set tenant_id = 'globex' where stream_id = 'mine'");
        var report = await VerifyAsync();
        Assert.Equal([1L, 2L], report.Findings.Where(f => f.Kind == AuditFindingKind.EventChanged && f.Columns.Contains("tenant_id")).Select(f => f.Version ?? 0));
        Assert.Contains(report.Findings, f => f is { Kind: AuditFindingKind.TrailChanged, Table: "sx_audit_stream", StreamId: "mine" } && f.Columns.Contains("tenant_id"));
        Assert.False((await VerifyAsync("globex")).IsSound);
    }

    [Fact]
    public async Task A_clock_that_goes_back_between_events_leaves_a_history_that_verifies_and_their_times_as_they_were()
    {
        TimeSpan[] steps = [TimeSpan.Zero, TimeSpan.FromHours(-3), TimeSpan.FromDays(-400), TimeSpan.FromMinutes(5)];
        for (var at = 0; at < steps.Length; at++)
        {
            await using var store = new PostgresEventStore(postgres.Source, Facts.Serializer, new ManualTime(Noon + steps[at]));
            await store.AppendToStreamAsync("acme", $"clock-{at}", ExpectedVersion.Any, Facts.Raised(1, 1));
            await store.AppendToStreamAsync("acme", "clock", ExpectedVersion.Any, Facts.Raised(1, 1));
            // Within a stream our store lets no time go back; another host that writes to the tables may.
            await postgres.ExecuteAsync($"update mt_events set timestamp = '{AuditTime.Text(Noon + steps[at])}' where stream_id = 'clock' and version = {at + 1}");
            await SignAsync();
        }
        var report = await VerifyAsync();
        Assert.True(report.IsSound, string.Join('\n', report.Findings));
        var proofs = new List<StreamProof>();
        foreach (var stream in new[] { "clock", "clock-0", "clock-1", "clock-2", "clock-3" }) proofs.Add(await Trail.ProveAsync("acme", stream));
        Assert.All(proofs, p => Assert.Empty(p.Check([_key.Public])));
        var times = steps.Select(s => AuditTime.Text(Noon + s)).ToList();
        Assert.Equal(times, proofs[0].Events.Select(e => e.Timestamp));
        Assert.Equal(times, proofs.Skip(1).Select(p => p.Events.Single().Timestamp));
        // Putting the times into an order that looks better is a change like any other.
        await AsSuperuserAsync("update mt_events set timestamp = timestamp + interval '3 hours' where stream_id = 'clock' and version = 2");
        Assert.Equal(["timestamp"], Assert.Single((await VerifyAsync()).Findings).Columns);
    }

    [Fact]
    public async Task A_clock_that_goes_back_between_checkpoints_leaves_a_chain_that_verifies_and_the_order_is_that_of_the_numbers()
    {
        DateTimeOffset[] clocks = [Noon, Noon.AddDays(-30), Noon.AddHours(1), Noon.AddHours(-1)];
        foreach (var now in clocks)
        {
            await postgres.Store.AppendToStreamAsync("acme", "clock", ExpectedVersion.Any, Facts.Raised(1, 1));
            await SignAsync(new ManualTime(now));
        }
        var report = await VerifyAsync();
        Assert.True(report.IsSound, string.Join('\n', report.Findings));
        var checkpoints = await Trail.CheckpointsAsync().Select(c => c.Read()!).ToListAsync();
        Assert.Equal(clocks, checkpoints.Select(c => c.SignedAt));
        Assert.Equal([1L, 2L, 3L, 4L], checkpoints.Select(c => c.Number));
        // Each vouches for the one before, whatever the clocks said: an anchor of any of them still finds a history that was rewritten.
        foreach (var anchor in await Trail.CheckpointsAsync().ToListAsync())
            Assert.True((await Trail.VerifyAsync(new VerifyOptions([_key.Public]) { Anchors = [anchor] })).IsSound);
        await AsSuperuserAsync("delete from sx_audit_block where number = 2");
        Assert.Contains((await VerifyAsync()).Findings, f => f is { Kind: AuditFindingKind.TrailRemoved, Table: "sx_audit_block", Block: 2 });
    }

    private async Task AppendToAllAsync()
    {
        foreach (var tenant in Tenants)
        {
            foreach (var stream in Alike) await postgres.Store.AppendToStreamAsync(tenant, stream, ExpectedVersion.Any, Facts.Raised(2, 1));
        }
        await SignAsync();
    }

    private async Task SignAsync(TimeProvider? clock = null) =>
        Assert.NotNull(await new AuditNotary(postgres.Source, postgres.Store, AuditKeys.Of(_key), new AuditOptions(), clock ?? TimeProvider.System).CatchUpAsync());

    private async Task<AuditReport> VerifyAsync(string? tenant = null, string? stream = null) =>
        await Trail.VerifyAsync(new VerifyOptions([_key.Public]) { Tenant = tenant, StreamId = stream });

    private Task AsSuperuserAsync(string sql) => postgres.ExecuteAsync($"begin; set local session_replication_role = replica; {sql}; commit");
}
