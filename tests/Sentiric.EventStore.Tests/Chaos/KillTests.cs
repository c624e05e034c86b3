using System.Globalization;
using Npgsql;
using Sentiric.EventStore.Tests.Chaos.Children;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.Testing.Platform;
using Sentiric.Testing.Postgres;
using Xunit.Abstractions;

namespace Sentiric.EventStore.Tests.Chaos;

/// <summary>
/// Processes of writers and of projections and a PostgreSQL that waits for the disk, killed at random moments. <c>SENTIRIC_KILLS</c> sets how often,
/// <c>SENTIRIC_SEED</c> the dice. The next kill waits until the writers have been acknowledged again, so each one also proves that the store recovers.
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int UsualKills = 20, Writers = 3, Daemons = 2;
    private const string Projections = "KillA,KillB,KillC", Subscription = "KillSub";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Nothing_is_lost_doubled_or_skipped_whoever_is_killed()
    {
        var (kills, seed) = (Setting("SENTIRIC_KILLS", UsualKills), Setting("SENTIRIC_SEED", 20_261_122));
        await using var server = await OwnServer.StartAsync();
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await PostgresSchema.EnsureAsync(source);
        await ExecuteAsync(source, ChildDaemon.Schema);
        using var cast = new Cast(server);
        var counts = await KillAsync(server, source, cast, kills, new Random(seed));
        await cast.StopAsync();

        var where = $"Seed {seed}; repeat with SENTIRIC_SEED={seed} SENTIRIC_KILLS={kills} ./sentiric test {nameof(Nothing_is_lost_doubled_or_skipped_whoever_is_killed)}";
        await using var after = NpgsqlDataSource.Create(server.ConnectionString);
        await using var fresh = new PostgresEventStore(after, Facts.Serializer, TimeProvider.System);
        await CheckLogAsync(fresh, after, cast.Calls(), where);
        await CheckReadersAsync(fresh, after, where);
        output.WriteLine($"{kills} kills ({counts}), {cast.Calls().Count(c => c.End is CallEnd.Stored or CallEnd.Known)} appends acknowledged, {cast.Calls().Count(c => c.End == CallEnd.Unknown)} without an answer, "
            + $"log: {await PositionRows.ExpectedAsync(after)}, holes: {(await LinesAsync(after, "select count(*) from mt_high_water_skips"))[0]}");
    }

    private static async Task<string> KillAsync(OwnServer server, NpgsqlDataSource source, Cast cast, int kills, Random dice)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var kill = 1; kill <= kills; kill++)
        {
            var goal = cast.Acknowledged() + dice.Next(1, 40);
            await Until.TrueAsync($"the writers to have {goal} appends acknowledged before kill {kill}", () => Task.FromResult(cast.Acknowledged() >= goal), Patience, cast.Describe);
            var who = await KillOneAsync(server, source, cast, dice);
            counts[who] = counts.GetValueOrDefault(who) + 1;
        }
        var last = cast.Acknowledged() + Writers;
        await Until.TrueAsync("the writers to go on after the last kill", () => Task.FromResult(cast.Acknowledged() >= last), Patience, cast.Describe);
        return string.Join(", ", counts.Select(c => $"{c.Value} {c.Key}"));
    }

    private static async Task<string> KillOneAsync(OwnServer server, NpgsqlDataSource source, Cast cast, Random dice)
    {
        switch (dice.Next(10))
        {
            case < 2:
                cast.KillWriter(dice.Next(Writers));
                return "writer";
            case < 4:
                cast.KillDaemon(dice.Next(Daemons));
                return "projections";
            case < 7:
                return await KillBackendAsync(source, dice) ? "backend" : "nobody";
            case < 9:
                server.Kill();
                await server.StartAgainAsync();
                return "server";
            default:
                await server.StopImmediatelyAsync();
                await server.StartAgainAsync();
                return "server at once";
        }
    }

    /// <summary>SIGKILL for a process of the server that serves a client: the server throws all others out and recovers.</summary>
    private static async Task<bool> KillBackendAsync(NpgsqlDataSource source, Random dice)
    {
        NpgsqlConnection.ClearPool(source.CreateConnection());
        var pids = await LinesAsync(source, "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() order by pid");
        if (pids.Count == 0) return false;
        using var backend = System.Diagnostics.Process.GetProcessById(int.Parse(pids[dice.Next(pids.Count)], CultureInfo.InvariantCulture));
        backend.Kill();
        return true;
    }

    private static async Task CheckLogAsync(PostgresEventStore store, NpgsqlDataSource source, List<Call> calls, string where)
    {
        var stored = new Dictionary<string, List<RecordedEvent>>(StringComparer.Ordinal);
        for (var stream = 0; stream < ChildWriter.Streams; stream++)
            stored[$"s{stream}"] = await store.ReadStreamAsync(ChildWriter.Tenant, $"s{stream}").ToListAsync();
        var complaints = HistoryCheck.Complaints(calls, stored).Take(5).ToList();
        Assert.True(complaints.Count == 0, where + "\n" + string.Join('\n', complaints));
        foreach (var (what, sql) in new[]
                 {
                     ("the row of a stream stands elsewhere than its last event", "select s.id from mt_streams s where s.version <> (select count(*) from mt_events e where e.tenant_id = s.tenant_id and e.stream_id = s.id)"),
                     ("a remembered event id points at another event", "select k.event_id from sx_append_key k left join mt_events e on e.seq_id = k.seq_id where e.id is distinct from k.event_id"),
                     ("a hole that was declared dead holds an event", "select e.seq_id from mt_events e join mt_high_water_skips h on e.seq_id between h.starting_sequence and h.ending_sequence"),
                 })
        {
            var found = await LinesAsync(source, sql);
            Assert.True(found.Count == 0, $"{where}\n{what}: {string.Join(", ", found.Take(5))}");
        }
    }

    private static async Task CheckReadersAsync(PostgresEventStore store, NpgsqlDataSource source, string where)
    {
        var daemon = new ProjectionDaemon(source, store, Projections.Split(',').Select(name => new PositionRows(name)), TimeProvider.System, ChildDaemon.Options);
        await Until.TrueAsync("the locks of the killed processes to be free", async () => (await LinesAsync(source, "select 1 from pg_locks where locktype = 'advisory'")).Count == 0, Patience);
        await daemon.CatchUpAsync();
        await ChildDaemon.Subscription(source, store, Subscription).CatchUpAsync();
        var log = await PositionRows.ExpectedAsync(source);
        foreach (var name in Projections.Split(','))
        {
            Assert.True(log == await PositionRows.ActualAsync(source, name), $"{where}\n{name} differs from the log: {await PositionRows.ActualAsync(source, name)}, the log has {log}");
            Assert.Equal(await store.GetHighWaterMarkAsync(), await new PostgresCheckpointStore(source).LoadAsync(ShardName.Of(name)));
        }
        await daemon.RebuildAsync(Projections.Split(',')[0]);
        Assert.True(log == await PositionRows.ActualAsync(source, Projections.Split(',')[0]), where + "\nthe rebuilt projection differs from the log");
        Assert.Equal(
            await LinesAsync(source, "select seq_id from mt_events order by 1"),
            await LinesAsync(source, $"select position from {ChildDaemon.SeenTable} order by number"));
        Assert.Empty(await LinesAsync(source, "select id from mt_doc_deadletterevent"));
    }

    private static int Setting(string variable, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : usual;

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<List<string>> LinesAsync(NpgsqlDataSource source, string sql)
    {
        const int maxTries = 200;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var command = source.CreateCommand(sql);
                await using var rows = await command.ExecuteReaderAsync();
                var lines = new List<string>();
                while (await rows.ReadAsync()) lines.Add(Convert.ToString(rows.GetValue(0), CultureInfo.InvariantCulture) ?? "");
                return lines;
            }
            catch (NpgsqlException) when (attempt < maxTries)
            {
                // The server recovers from the kill before.
                using var timer = new PeriodicTimer(ChildDaemon.Options.RetryDelay);
                await timer.WaitForNextTickAsync();
            }
        }
    }

    /// <summary>The processes of one test and their diaries.</summary>
    private sealed class Cast : IDisposable
    {
        private readonly OwnServer _server;
        private readonly string _folder = Directory.CreateTempSubdirectory("sentiric-diaries-").FullName;
        private readonly Child[] _writers, _daemons;
        private readonly Dictionary<string, (long Octets, int Acknowledged)> _read = [];
        private int _births;

        public Cast(OwnServer server)
        {
            _server = server;
            _writers = [.. Enumerable.Range(0, Writers).Select(_ => NewWriter())];
            _daemons = [.. Enumerable.Range(0, Daemons).Select(_ => NewDaemon())];
        }

        public void KillWriter(int number)
        {
            _writers[number].Kill();
            _writers[number] = NewWriter();
        }

        public void KillDaemon(int number)
        {
            _daemons[number].Kill();
            _daemons[number] = NewDaemon();
        }

        public async Task StopAsync()
        {
            foreach (var writer in _writers) await writer.StopAsync();
            foreach (var daemon in _daemons) daemon.Kill();
        }

        public List<Call> Calls() => [.. Directory.EnumerateFiles(_folder).SelectMany(ChildWriter.Read)];

        /// <summary>How many appends the diaries know as stored; reads only what is new in them.</summary>
        public int Acknowledged()
        {
            foreach (var file in Directory.EnumerateFiles(_folder))
            {
                var (from, count) = _read.GetValueOrDefault(file);
                using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                stream.Position = from;
                using var reader = new StreamReader(stream);
                var text = reader.ReadToEnd();
                var whole = text[..(text.LastIndexOf('\n') + 1)];
                _read[file] = (from + whole.Length, count + whole.Split('\n').Count(line => line.StartsWith("S ", StringComparison.Ordinal)));
            }
            return _read.Values.Sum(r => r.Acknowledged);
        }

        public string Describe() => $"alive: {_writers.Count(w => w.IsAlive)} writers, {_daemons.Count(d => d.IsAlive)} hosts of projections; acknowledged: {Acknowledged()}";

        public void Dispose()
        {
            foreach (var child in _writers.Concat(_daemons)) child.Dispose();
            Directory.Delete(_folder, recursive: true);
        }

        private Child NewWriter()
        {
            var birth = ++_births;
            return Child.Start("writer", _server.ConnectionString, Path.Combine(_folder, $"writer-{birth}"), birth.ToString(CultureInfo.InvariantCulture));
        }

        private Child NewDaemon() => Child.Start("daemon", _server.ConnectionString, "test", Projections, Subscription);
    }
}
