using System.Diagnostics;
using System.Security.Cryptography;
using Sentiric.Benchmarks.Kit;
using Sentiric.EventStore;
using Sentiric.EventStore.Proofs;

namespace Sentiric.Benchmarks.Events;

/// <summary>
/// What tamper evidence costs: the hashing alone, the notary over a full log, a verification against a raw scan of the same columns, and appends with
/// the notary running beside them.
/// </summary>
public static class Notarising
{
    private const int Rounds = 5;
    private const int Appends = 4_000;
    private const int Callers = 8;
    private const int BlockEvents = 1_024;
    private static readonly byte[] Inputs = new byte[4_096];

    public static async Task RunAsync(Bench bench)
    {
        await using var database = await Database.CreateAsync();
        if (database is null)
        {
            bench.Skip("events.audit", Database.Missing);
            return;
        }
        Hashing(bench);
        var store = database.NewStore();
        var events = await Seeding.InterleavedAsync(bench, database.Source);
        await database.AnalyzeAsync();
        using var key = AuditKey.Create();
        await LogAsync(bench, database, store, key, events);
        await AppendingAsync(bench, database, store, key);
    }

    private static void Hashing(Bench bench)
    {
        bench.Say("hashing events");
        var image = new TupleImage().Int64(1L).Text("demo").Text("call-01980000-0000-7000-8000-0000000abcde").Int64(1L).Uuid(Guid.Empty).Text("turn_noted").Int64(0L)
            .Text(new string('x', 200)).Null().Text("Sentiric.Benchmarks.Events.TurnNote, Sentiric.Benchmarks").Null().Null().Null().Null().Written.ToArray();
        var floor = BlocksPerSecond(() =>
        {
            for (var i = 0; i < BlockEvents; i++) LibraryAlone(image.Length);
        });
        bench.Add(new Row("events.floor.audit_hash", $"SHA256.HashData over inputs as long as those of {image.Length} bytes' leaf, link and node, nothing else", floor, "events/s"));
        var work = new BlockOfHashes(image);
        bench.Add(new Row("events.audit.hash", $"a block of {BlockEvents}: leaves of {image.Length} bytes, links of {BlockOfHashes.Streams} chains, nodes of the tree, one core", BlocksPerSecond(work.Run), "events/s")
        {
            Reference = ("SHA256.HashData", floor), Target = Target.AtLeast(300_000),
        });
    }

    private static double BlocksPerSecond(Action block) => BlockEvents * 1e9 / Measure.Loop(block).Nanoseconds;

    /// <summary>As many calls and bytes as an event needs: prefix and fields of the leaf, two hashes and a prefix for link and node.</summary>
    private static void LibraryAlone(int fields)
    {
        const int leafPrefix = 24, linkPrefix = 24, nodePrefix = 1;
        Span<byte> hash = stackalloc byte[AuditHash.Size];
        SHA256.HashData(Inputs.AsSpan(0, leafPrefix + fields), hash);
        SHA256.HashData(Inputs.AsSpan(0, linkPrefix + 2 * AuditHash.Size), hash);
        SHA256.HashData(Inputs.AsSpan(0, nodePrefix + 2 * AuditHash.Size), hash);
    }

    /// <summary>What a notary hashes for a block, with the code that it does it with.</summary>
    private sealed class BlockOfHashes(byte[] image)
    {
        public const int Streams = 500;
        private readonly HashBatch _batch = new();
        private readonly byte[] _leaves = new byte[BlockEvents * AuditHash.Size];
        private readonly byte[] _heads = new byte[Streams * AuditHash.Size];

        public void Run()
        {
            for (var i = 0; i < BlockEvents; i++) AuditHash.AddEventLeaf(_batch, image);
            _batch.Run().CopyTo(_leaves);
            for (var from = 0; from < BlockEvents; from += Streams) Link(from, Math.Min(Streams, BlockEvents - from));
            MerkleTree.Root(_leaves, _batch);
        }

        private void Link(int from, int count)
        {
            for (var i = 0; i < count; i++) AuditHash.AddLink(_batch, Hash(_heads, i), Hash(_leaves, from + i));
            _batch.Run().CopyTo(_heads);
        }

        private static ReadOnlySpan<byte> Hash(byte[] hashes, int index) => hashes.AsSpan(index * AuditHash.Size, AuditHash.Size);
    }

    private static async Task LogAsync(Bench bench, Database database, PostgresEventStore store, AuditKey key, int events)
    {
        var (trail, trust) = (new AuditTrail(database.Source, store, TimeProvider.System), new VerifyOptions([key.Public]));
        await using var connection = await database.Plain.OpenConnectionAsync(bench.Stop);
        var (scans, signed, verified) = (new List<double>(), new List<double>(), new List<double>());
        await store.GetHighWaterMarkAsync(bench.Stop);
        for (var round = 0; round < bench.Times(Rounds) + 1; round++)
        {
            bench.Say($"signing and verifying {events} events, round {round + 1}");
            await using (var forget = database.Source.CreateCommand("truncate sx_audit_block, sx_audit_stream, sx_audit_page, sx_audit_key")) await forget.ExecuteNonQueryAsync(bench.Stop);
            scans.Add(await PerSecondAsync(events, () => ScanAsync(connection)));
            signed.Add(await PerSecondAsync(events, async () =>
            {
                await new AuditNotary(database.Source, store, AuditKeys.Of(key), new AuditOptions(), TimeProvider.System).CatchUpAsync(bench.Stop);
                return events;
            }));
            verified.Add(await PerSecondAsync(events, async () =>
            {
                var report = await trail.VerifyAsync(trust, ct: bench.Stop);
                return report.IsSound ? (int)report.Events : throw new InvalidDataException(report.Findings[0].ToString());
            }));
        }
        var floor = Samples.Median(scans.Skip(1));
        bench.Add(new Row("events.floor.audit_scan", $"raw binary COPY of every column of {events} events", floor, "events/s"));
        bench.Add(new Row("events.audit.notary", "notary: read, hash, sign, write blocks", Samples.Median(signed.Skip(1)), "events/s") { Reference = ("raw scan", floor), Target = Target.RatioAtLeast(0.5) });
        bench.Add(new Row("events.audit.verify", "verification of the whole store", Samples.Median(verified.Skip(1)), "events/s") { Reference = ("raw scan", floor), Target = Target.RatioAtLeast(0.7) });
    }

    /// <summary>The same rows and columns, received and thrown away.</summary>
    private static async Task<int> ScanAsync(Npgsql.NpgsqlConnection connection)
    {
        const string sql = """
            copy (select seq_id, tenant_id, stream_id, version, id, type, timestamp, data::text, bdata, mt_dotnet_type, correlation_id, causation_id, headers::text, user_name, is_archived
                  from mt_events order by seq_id) to stdout (format binary)
            """;
        await using var copy = await connection.BeginRawBinaryCopyAsync(sql);
        var buffer = new byte[256 * 1024];
        var bytes = 0L;
        while (await copy.ReadAsync(buffer, CancellationToken.None) is var read and > 0) bytes += read;
        return bytes > 0 ? -1 : 0;
    }

    private static async Task AppendingAsync(Bench bench, Database database, PostgresEventStore store, AuditKey key)
    {
        var (off, on) = (new List<double>(), new List<double>());
        for (var round = 0; round < bench.Times(Rounds) + 1; round++)
        {
            bench.Say($"appending with and without a notary, round {round + 1}");
            off.Add(await AppendAsync(store, $"off-{round}"));
            using var stop = new CancellationTokenSource();
            var running = new AuditNotary(database.Source, store, AuditKeys.Of(key), new AuditOptions { Interval = TimeSpan.FromMilliseconds(200) }, TimeProvider.System).RunAsync(stop.Token);
            on.Add(await AppendAsync(store, $"on-{round}"));
            await stop.CancelAsync();
            await running;
        }
        var floor = Samples.Median(off.Skip(1));
        bench.Add(new Row("events.audit.append", $"1 event an append, {Callers} callers, a notary beside them", Samples.Median(on.Skip(1)), "events/s")
        {
            Reference = ("without a notary", floor), Target = Target.RatioAtLeast(0.95),
        });
    }

    private static async Task<double> AppendAsync(PostgresEventStore store, string name)
    {
        var from = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(async caller =>
        {
            for (var i = 0; i < Appends / Callers; i++)
                await store.AppendToStreamAsync(Notes.Tenant, $"{name}-{caller}", ExpectedVersion.Any, [EventData.Of(Notes.Make(i))]);
        }));
        return Appends / Stopwatch.GetElapsedTime(from).TotalSeconds;
    }

    private static async Task<double> PerSecondAsync(int events, Func<Task<int>> work)
    {
        var from = Stopwatch.GetTimestamp();
        var seen = await work();
        var took = Stopwatch.GetElapsedTime(from);
        return seen == events || seen == -1 ? events / took.TotalSeconds : throw new InvalidDataException($"Of {events} events {seen} came back.");
    }
}
