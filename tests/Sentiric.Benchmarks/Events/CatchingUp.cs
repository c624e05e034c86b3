using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using Sentiric.Benchmarks.Kit;
using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>A daemon that is warm and has fallen behind: how fast a single-stream and a multi-stream projection pass the same log.</summary>
public static class CatchingUp
{
    private const int CallsAtATime = 500;
    private const int TurnsPerCall = 60;
    private const int WarmWaves = 2;
    private const int Waves = 7;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(70);
    private static readonly DateTime Day = new(2026, 1, 5, 9, 0, 0, DateTimeKind.Utc);

    public static async Task RunAsync(Bench bench)
    {
        await using var database = await Database.CreateAsync();
        if (database is null)
        {
            bench.Skip("events.catch_up", Database.Missing);
            return;
        }
        var store = database.NewStore();
        var daemon = new ProjectionDaemon(database.Source, store, [new Views(), new Speakers()], TimeProvider.System);
        var log = new Log(bench, database);
        await log.AddAsync(WarmWaves);
        await Passing.UntilAsync(bench, daemon, log.Last, Patience);
        await Measure.CompilerSettlesAsync(bench.Stop);
        var events = await log.AddAsync(bench.Times(Waves));
        var (took, cpu) = await Passing.MeasureAsync(bench, database, daemon, log.Last, Patience);
        var share = cpu.Per(events);
        bench.Add(new Row("events.catch_up", $"warm daemon, single-stream and multi-stream projection, {events} events behind, {CallsAtATime} calls at a time", events / took.TotalSeconds, "events/s")
        {
            Target = Target.AtLeast(60_000),
            Detail = $"each event applied to both; {share}; {await database.DescribeAsync()}",
        });
    }

    private sealed class Views() : SingleStreamProjection<CallView>("CallView", NotesJson.Default.CallView)
    {
        public override IReadOnlyCollection<string> EventTypes { get; } = new HashSet<string> { Notes.StoredName };

        public override CallView? Evolve(CallView? document, RecordedEvent recorded, object @event) =>
            @event is TurnNote note ? (document ?? CallView.Empty).With(note) : document;
    }

    /// <summary>What each of a hundred lines heard and said.</summary>
    private sealed class Speakers() : MultiStreamProjection<CallView>("SpeakerView", NotesJson.Default.CallView)
    {
        private const int Lines = 100;

        public override IReadOnlyCollection<string> EventTypes { get; } = new HashSet<string> { Notes.StoredName };

        public override IEnumerable<string> KeysOf(RecordedEvent recorded, object @event) =>
            [((TurnNote)@event).Speaker + (int.Parse(recorded.StreamId.AsSpan("call-".Length), CultureInfo.InvariantCulture) % Lines).ToString(CultureInfo.InvariantCulture)];

        public override CallView? Evolve(string key, CallView? document, RecordedEvent recorded, object @event) =>
            @event is TurnNote note ? (document ?? CallView.Empty).With(note) : document;
    }

    /// <summary>Calls come in waves; the turns of a wave's calls are interleaved.</summary>
    private sealed class Log(Bench bench, Database database)
    {
        private const string Streams = "copy mt_streams (tenant_id, id, type, version, timestamp, created, is_archived) from stdin (format binary)";
        private int _calls;

        public long Last { get; private set; }

        public async Task<int> AddAsync(int waves)
        {
            bench.Say($"storing {waves} waves of {CallsAtATime} calls");
            await using var connection = await database.Source.OpenConnectionAsync(bench.Stop);
            await using var transaction = await connection.BeginTransactionAsync(bench.Stop);
            var first = _calls;
            _calls += waves * CallsAtATime;
            await using (var rows = await connection.BeginBinaryImportAsync(Streams, bench.Stop))
            {
                for (var call = first; call < _calls; call++) await WriteStreamAsync(rows, call);
                await rows.CompleteAsync(bench.Stop);
            }
            var before = Last;
            await using (var rows = await connection.BeginBinaryImportAsync(CopyFloor.Copy, bench.Stop))
            {
                for (var wave = first; wave < _calls; wave += CallsAtATime)
                    for (var number = 0; number < TurnsPerCall * CallsAtATime; number++)
                        await CopyFloor.WriteAsync(rows, ++Last, StreamOf(wave + number % CallsAtATime), number / CallsAtATime, Day.AddSeconds(Last));
                await rows.CompleteAsync(bench.Stop);
            }
            await using var counted = new NpgsqlCommand("select setval('mt_events_sequence', $1)", connection) { Parameters = { new() { Value = Last } } };
            await counted.ExecuteNonQueryAsync(bench.Stop);
            await transaction.CommitAsync(bench.Stop);
            return (int)(Last - before);
        }

        private static async Task WriteStreamAsync(NpgsqlBinaryImporter rows, int call)
        {
            await rows.StartRowAsync();
            await rows.WriteAsync(Notes.Tenant, NpgsqlDbType.Varchar);
            await rows.WriteAsync(StreamOf(call), NpgsqlDbType.Varchar);
            await rows.WriteAsync("call", NpgsqlDbType.Varchar);
            await rows.WriteAsync((long)TurnsPerCall, NpgsqlDbType.Bigint);
            await rows.WriteAsync(Day, NpgsqlDbType.TimestampTz);
            await rows.WriteAsync(Day, NpgsqlDbType.TimestampTz);
            await rows.WriteAsync(false, NpgsqlDbType.Boolean);
        }

        private static string StreamOf(int call) => $"call-{call}";
    }
}
