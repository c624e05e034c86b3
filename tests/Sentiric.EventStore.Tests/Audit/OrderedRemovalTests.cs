using Sentiric.EventStore.Proofs;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Audit;

/// <summary>Which removals a key vouches for: from before the first order on, through orders, to removals that somebody else made.</summary>
public sealed class OrderedRemovalTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IDisposable
{
    private readonly AuditKey _key = AuditKey.Create();

    private AuditTrail Trail => new(postgres.Source, postgres.Store, TimeProvider.System);

    public void Dispose() => _key.Dispose();

    [Fact]
    public async Task A_removal_is_ordered_or_older_than_the_first_order_or_nobodys()
    {
        await AppendAsync("old", "ordered", "stolen");
        await SignAsync();
        await TruncateAsync(postgres.Store, "old");
        await ShowsAsync([], ("old", RemovalStanding.BeforeOrders, false));
        await SignAsync();
        await ShowsAsync([], ("old", RemovalStanding.BeforeOrders, true));

        await using (var ordering = new PostgresEventStore(postgres.Source, Facts.Serializer, TimeProvider.System, new() { OrderKey = _key }))
        {
            await TruncateAsync(ordering, "ordered");
        }

        await ShowsAsync([], ("old", RemovalStanding.BeforeOrders, true), ("ordered", RemovalStanding.Ordered, false));
        await SignAsync();
        await TruncateAsync(postgres.Store, "stolen");
        await ShowsAsync(
            [AuditFindingKind.RemovalNotOrdered], ("old", RemovalStanding.BeforeOrders, true), ("ordered", RemovalStanding.Ordered, true), ("stolen", RemovalStanding.NotOrdered, false));
        await SignAsync();
        await ShowsAsync(
            [AuditFindingKind.RemovalNotOrdered], ("old", RemovalStanding.BeforeOrders, true), ("ordered", RemovalStanding.Ordered, true), ("stolen", RemovalStanding.NotOrdered, true));

        // An order that the notary saw and that is gone vouches for nothing, and makes no removal an old one.
        await postgres.ExecuteAsync("delete from sx_audit_order");
        await ShowsAsync(
            [AuditFindingKind.TrailRemoved, AuditFindingKind.RemovalNotOrdered],
            ("old", RemovalStanding.BeforeOrders, true), ("ordered", RemovalStanding.NotOrdered, true), ("stolen", RemovalStanding.NotOrdered, true));

        // A record that is not the one that was signed has nothing to stand on.
        await postgres.ExecuteAsync("update sx_stream_truncation set reason = 'another' where stream_id = 'old'");
        Assert.Equal([TruncationOrder.None], await Trail.OrdersAsync([_key.Public], "acme", "old", [3]));
    }

    private async Task ShowsAsync(AuditFindingKind[] findings, params (string Stream, RemovalStanding Standing, bool IsSigned)[] expected)
    {
        var report = await Trail.VerifyAsync(new VerifyOptions([_key.Public]));
        Assert.Equal(findings, report.Findings.Select(f => f.Kind));
        Assert.Equal(expected, report.Removals.Select(r => (r.StreamId, r.Standing, r.SignedAt is not null)));
        Assert.All(report.Removals, r => Assert.Equal(r.Standing == RemovalStanding.Ordered ? _key.Id : null, r.OrderedBy));
        foreach (var removal in report.Removals)
        {
            Assert.Equal([new TruncationOrder(removal.SignedAt, removal.OrderedBy, removal.Standing)], await Trail.OrdersAsync([_key.Public], "acme", removal.StreamId, [removal.UpToVersion + 1]));
        }
    }

    private async Task AppendAsync(params string[] streams)
    {
        foreach (var stream in streams) await postgres.Store.AppendToStreamAsync("acme", stream, ExpectedVersion.Any, Facts.Raised(3, 1));
    }

    private static async Task TruncateAsync(IStreamLifecycle store, string stream) =>
        Assert.NotNull(await store.TruncateStreamAsync("acme", stream, 3, new TruncationReason("asked to", "officer", EvenUnread: true)));

    private async Task SignAsync() => Assert.NotNull(await new AuditNotary(postgres.Source, postgres.NewStore(), AuditKeys.Of(_key), new AuditOptions(), TimeProvider.System).CatchUpAsync());
}
