using System.Reflection;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.EventStore.Tests.Projections;
using Sentiric.Testing.Platform;

namespace Sentiric.EventStore.Tests.Chaos;

/// <summary>A host whose lock was cut does not know it yet: another one has taken its shard over and applied what this one is about to apply.</summary>
public sealed class StaleOwnerTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly PostgresFixture _postgres = new();

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task What_the_next_owner_has_applied_is_not_applied_again(int atLook)
    {
        await _postgres.Store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, Facts.Raised(3, 5));
        var looks = 0;
        var store = HookedStore.Around(_postgres.Store, async () =>
        {
            if (++looks != atLook) return;
            await _postgres.Store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, Facts.Raised(2, 5));
            await _postgres.ExecuteAsync($"select pg_terminate_backend(pid) {ShardLocks}");
            await FreeAsync();
            await NewDaemon(_postgres.Store).CatchUpAsync();
        });
        await Record.ExceptionAsync(async () => await NewDaemon(store).CatchUpAsync());
        await Until.TrueAsync("the shard to be free for the last owner", async () =>
            await Record.ExceptionAsync(async () => await NewDaemon(_postgres.Store).CatchUpAsync()) is not ProjectionOwnedElsewhereException, Patience);

        var events = await _postgres.LinesAsync("select count(*), sum((data->>'By')::int) from mt_events");
        Assert.Equal(events, await _postgres.LinesAsync("select count(*), sum(amount) from counter_entry"));
        Assert.Equal(events[0].Split(" | ")[1], (await _postgres.LinesAsync("select sum(total) from counter_row"))[0]);
        Assert.Empty(await _postgres.LinesAsync("select data::text from mt_doc_deadletterevent"));
    }

    private const string ShardLocks =
        "from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())";

    private Task FreeAsync() => Until.TrueAsync("the lock to be free", async () => (await _postgres.LinesAsync("select pid " + ShardLocks)).Count == 0, Patience);

    private ProjectionDaemon NewDaemon(IEventStore store) =>
        new(_postgres.Source, store, [new CounterRows()], TimeProvider.System, new ProjectionOptions { BatchSize = 2, RetryDelay = TimeSpan.FromMilliseconds(1) });

    /// <summary>The store, with something that happens whenever a reader asks how far the log goes.</summary>
    public class HookedStore : DispatchProxy
    {
        private IEventStore _inner = null!;
        private Func<Task> _hook = null!;

        public static IEventStore Around(IEventStore inner, Func<Task> hook)
        {
            var proxy = Create<IEventStore, HookedStore>();
            ((HookedStore)(object)proxy)._inner = inner;
            ((HookedStore)(object)proxy)._hook = hook;
            return proxy;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod?.Name == nameof(IEventStore.GetHighWaterMarkAsync)
                ? AfterHookAsync((CancellationToken)(args?[0] ?? CancellationToken.None))
                : targetMethod?.Invoke(_inner, args);

        private async ValueTask<long> AfterHookAsync(CancellationToken ct)
        {
            await _hook();
            return await _inner.GetHighWaterMarkAsync(ct);
        }
    }
}
