using Npgsql;
using Sentiric.EventStore.Tests.Contract;

namespace Sentiric.EventStore.Tests.Chaos.Children;

/// <summary>Runs projections and a subscription for ever, beside other processes that would do the same.</summary>
internal static class ChildDaemon
{
    public const string SeenTable = "sub_seen";

    public static readonly ProjectionOptions Options = new()
    {
        BatchSize = 50,
        RetryDelay = TimeSpan.FromMilliseconds(20),
        PollInterval = TimeSpan.FromMilliseconds(200),
        OwnershipInterval = TimeSpan.FromMilliseconds(200),
    };

    /// <summary>What the subscription has seen, in the order in which it saw it for the first time.</summary>
    public const string Schema = $"create table if not exists {SeenTable} (position bigint primary key, number bigserial)";

    public static async Task RunAsync(NpgsqlDataSource source, string owner, IEnumerable<string> projections, string subscription, CancellationToken stop)
    {
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);
        var daemon = new ProjectionDaemon(source, store, projections.Select(name => new PositionRows(name, owner)), TimeProvider.System, Options);
        await Task.WhenAll(daemon.RunAsync(stop), subscription.Length == 0 ? Task.CompletedTask : Subscription(source, store, subscription).RunAsync(stop));
    }

    public static SubscriptionRunner Subscription(NpgsqlDataSource source, IEventStore store, string name) => new(
        store, new PostgresCheckpointStore(source),
        new SubscriptionOptions(name) { BatchSize = 20, RetryDelay = Options.RetryDelay, PollInterval = Options.PollInterval, OwnershipInterval = Options.OwnershipInterval },
        async (batch, ct) =>
        {
            await using var command = source.CreateCommand($"insert into {SeenTable} (position) select p from unnest($1) with ordinality as u(p, n) order by n on conflict do nothing");
            command.Parameters.Add(new() { Value = batch.Select(e => e.Position).ToArray() });
            await command.ExecuteNonQueryAsync(ct);
        },
        TimeProvider.System);
}
