using System.Diagnostics;
using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>An append meets a server that is full, slow, ended or out of reach: the error has a type, says whether it is stored, and the next one gets through.</summary>
public sealed class BrokenWorldTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly PostgresEventStoreOptions Patient = new() { AppendLockTimeout = TimeSpan.FromSeconds(30) };
    private readonly string _tenant = "w-" + Guid.NewGuid().ToString("N")[..8];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_connection_lost_under_way_leaves_the_outcome_unknown_and_repeating_settles_it(int events)
    {
        var address = new NpgsqlConnectionStringBuilder(postgres.ConnectionString);
        await using var wire = new TcpProxy(address.Host ?? "", address.Port);
        await using var source = NpgsqlDataSource.Create(wire.Postgres(postgres.ConnectionString));
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System, Patient);
        await using var row = await RowLock.TakeAsync(postgres, _tenant, "s");
        var batch = Facts.Raised(events, 1);
        var append = store.AppendToStreamAsync(_tenant, "s", ExpectedVersion.Any, batch, new AppendOptions(Idempotent: true)).AsTask();
        await row.IsWaitedForAsync(postgres);
        wire.Cut();

        var unknown = await Assert.ThrowsAsync<AppendOutcomeUnknownException>(() => append.WaitAsync(Patience));
        Assert.Contains("may or may not", unknown.Message);
        await row.DisposeAsync();
        wire.Mend();
        var settled = await RepeatAsync(() => store.AppendToStreamAsync(_tenant, "s", ExpectedVersion.Any, batch, new AppendOptions(Idempotent: true)));
        Assert.Equal(events, settled.Version);
        Assert.Equal(events, await store.ReadStreamAsync(_tenant, "s").CountAsync());
    }

    [Fact]
    public async Task A_session_that_the_server_ended_is_opened_again_and_the_append_is_stored_once()
    {
        await using var store = postgres.NewStore(Patient);
        await using var row = await RowLock.TakeAsync(postgres, _tenant, "s");
        var append = store.AppendToStreamAsync(_tenant, "s", ExpectedVersion.Any, [Facts.Raised(1)]).AsTask();
        await row.IsWaitedForAsync(postgres);
        await postgres.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
        await row.DisposeAsync();

        Assert.Equal(1, (await append.WaitAsync(Patience)).Version);
        Assert.Equal(1, await store.ReadStreamAsync(_tenant, "s").CountAsync());
    }

    [Fact]
    public async Task A_statement_that_the_server_cancels_is_told_and_nothing_is_stored()
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString + ";Options=-c statement_timeout=200");
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System, Patient);
        await using var row = await RowLock.TakeAsync(postgres, _tenant, "s");
        var slow = await Assert.ThrowsAsync<EventStoreUnavailableException>(async () => await store.AppendToStreamAsync(_tenant, "s", ExpectedVersion.Any, [Facts.Raised(1)]));
        Assert.Contains("statement_timeout", slow.Message);

        await row.DisposeAsync();
        Assert.Equal(1, (await store.AppendToStreamAsync(_tenant, "s", ExpectedVersion.NoStream, [Facts.Raised(1)])).Version);
    }

    [Fact]
    public async Task An_append_that_takes_too_long_is_cancelled_and_told()
    {
        await using var store = postgres.NewStore(Patient with { AppendTimeout = TimeSpan.FromSeconds(1) });
        await using var row = await RowLock.TakeAsync(postgres, _tenant, "s");
        var slow = await Assert.ThrowsAsync<EventStoreUnavailableException>(async () => await store.AppendToStreamAsync(_tenant, "s", ExpectedVersion.Any, [Facts.Raised(1)]));
        Assert.Contains("nothing was appended", slow.Message);

        await row.DisposeAsync();
        Assert.Equal(1, (await store.AppendToStreamAsync(_tenant, "s", ExpectedVersion.NoStream, [Facts.Raised(1)])).Version);
    }

    [Fact]
    public async Task Too_many_connections_are_told()
    {
        await using var few = await FewConnections.CreateAsync(postgres, limit: 1);
        await using var busy = await few.Source.OpenConnectionAsync();
        await using var store = new PostgresEventStore(few.Source, Facts.Serializer, TimeProvider.System);
        var refused = await Assert.ThrowsAsync<EventStoreUnavailableException>(async () => await store.AppendToStreamAsync(_tenant, "s", ExpectedVersion.Any, [Facts.Raised(1)]));
        Assert.Contains("max_connections", refused.Message);
    }

    [Fact]
    public async Task Lanes_that_find_no_connection_leave_their_work_to_those_that_have_one()
    {
        await using var few = await FewConnections.CreateAsync(postgres, limit: 1);
        await using var store = new PostgresEventStore(few.Source, Facts.Serializer, TimeProvider.System);
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => store.AppendToStreamAsync(_tenant, $"s-{i}", ExpectedVersion.Any, Facts.Raised(120, 1)).AsTask()));
        Assert.All(results, r => Assert.Equal(120, r.Version));
    }

    [Fact]
    public async Task A_full_disk_is_told_and_appends_go_on_when_there_is_room()
    {
        // What the server says when it cannot write a page, said in its place: that a test can fill a disk needs root (see below).
        await postgres.ExecuteAsync("""
            create function disk_is_full() returns trigger language plpgsql as $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$;
            create trigger full_disk before insert on mt_events for each statement execute function disk_is_full();
            """);
        await AssertFullAsync(async () => await postgres.Store.AppendToStreamAsync(_tenant, "s", ExpectedVersion.Any, [Facts.Raised(1)]));
        await AssertFullAsync(async () => await postgres.Store.AppendToStreamAsync(_tenant, "s", ExpectedVersion.Any, Facts.Raised(5, 1)));
        await postgres.ExecuteAsync("drop trigger full_disk on mt_events; drop function disk_is_full()");

        Assert.Equal(1, (await postgres.Store.AppendToStreamAsync(_tenant, "s", ExpectedVersion.NoStream, [Facts.Raised(1)])).Version);
    }

    [RootFact]
    public async Task A_disk_that_is_really_full_is_told_and_appends_go_on_when_there_is_room()
    {
        await using var tiny = await TinyTablespace.CreateAsync(postgres);
        await postgres.ExecuteAsync($"alter table mt_events set tablespace {tiny.Name}");
        var stored = 0;
        await AssertFullAsync(async () =>
        {
            for (var i = 0; i < 1_000; i++)
            {
                await postgres.Store.AppendToStreamAsync(_tenant, "s", ExpectedVersion.Any, [EventData.Of(new NoteTaken(Noise(i)))]);
                stored++;
            }
        });
        await postgres.ExecuteAsync("alter table mt_events set tablespace pg_default");

        Assert.Equal(stored, (await postgres.Store.GetStreamStateAsync(_tenant, "s"))?.Version ?? 0);
        Assert.Equal(stored + 1, (await postgres.Store.AppendToStreamAsync(_tenant, "s", ExpectedVersion.Any, [Facts.Raised(1)])).Version);
    }

    private static async Task AssertFullAsync(Func<Task> append) =>
        Assert.Contains("disk", (await Assert.ThrowsAsync<EventStoreUnavailableException>(append)).Message, StringComparison.Ordinal);

    // Something that does not compress.
    private static string Noise(int seed)
    {
        var bytes = new byte[6_000];
        new Random(seed).NextBytes(bytes);
        return Convert.ToBase64String(bytes);
    }

    private static async Task<AppendResult> RepeatAsync(Func<ValueTask<AppendResult>> append)
    {
        const int maxTries = 5;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await append();
            }
            catch (EventStoreUnavailableException) when (attempt < maxTries)
            {
                continue;
            }
        }
    }

    /// <summary>A role that the server gives only so many connections.</summary>
    private sealed class FewConnections(PostgresFixture postgres, string role) : IAsyncDisposable
    {
        public NpgsqlDataSource Source { get; } = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Username = role, Password = "for-tests" }.ConnectionString);

        public static async Task<FewConnections> CreateAsync(PostgresFixture postgres, int limit)
        {
            var role = "few_" + Guid.NewGuid().ToString("N");
            await postgres.ExecuteAsync($"""
                create role {role} login password 'for-tests' connection limit {limit};
                grant all on all tables in schema public to {role};
                grant all on all sequences in schema public to {role};
                """);
            return new FewConnections(postgres, role);
        }

        public async ValueTask DisposeAsync()
        {
            await Source.DisposeAsync();
            await postgres.ExecuteAsync($"drop owned by {role}; drop role {role}");
        }
    }

    /// <summary>A tablespace in two megabytes of memory, on the machine of the server.</summary>
    private sealed class TinyTablespace(PostgresFixture postgres, string name, string folder) : IAsyncDisposable
    {
        public string Name => name;

        public static async Task<TinyTablespace> CreateAsync(PostgresFixture postgres)
        {
            var name = "tiny_" + Guid.NewGuid().ToString("N");
            var folder = Directory.CreateTempSubdirectory("sentiric-tiny-").FullName;
            var data = Assert.Single(await postgres.LinesAsync("show data_directory"));
            await RunAsync("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder);
            await RunAsync("chown", "--reference=" + data, folder);
            await postgres.ExecuteAsync($"create tablespace {name} location '{folder}'");
            return new TinyTablespace(postgres, name, folder);
        }

        public async ValueTask DisposeAsync()
        {
            await postgres.ExecuteAsync("alter table mt_events set tablespace pg_default");
            await postgres.ExecuteAsync($"drop tablespace {name}");
            await RunAsync("umount", folder);
            Directory.Delete(folder);
        }

        private static async Task RunAsync(string program, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments));
            Assert.NotNull(process);
            await process.WaitForExitAsync();
            Assert.Equal(0, process.ExitCode);
        }
    }

    /// <summary>Runs only for root on Linux: it mounts a file system.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class RootFactAttribute : FactAttribute
    {
        public RootFactAttribute()
        {
            if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) Skip = "Mounting a tiny disk needs root on Linux.";
        }
    }
}
