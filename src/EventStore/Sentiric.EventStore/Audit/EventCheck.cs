using System.Collections.Concurrent;
using Npgsql;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// Second part of a verification: every event against the lists of the blocks, several stretches of the log side by side.
/// <code>
///   log      5   6       8 9           7 is signed and gone: removed
///   entries  5   6   7     9           8 is there and not signed: inserted        6 has another leaf: changed
/// </code>
/// </summary>
internal sealed class EventCheck(AuditTables tables, LegalRemovals removals, ArchivedMarks marks, Findings findings)
{
    private const string Table = "mt_events";
    private readonly ConcurrentDictionary<AuditFinding, long> _unnamed = new();
    private long _done;
    private long _removed;

    public long Done => _done;

    /// <summary>Events that are gone by right.</summary>
    public long Removed => _removed;

    /// <summary>Findings that know their stream by its place only.</summary>
    public IReadOnlyDictionary<AuditFinding, long> Unnamed => _unnamed;

    /// <summary><paramref name="total"/>: positions there are to compare, for the progress.</summary>
    public async Task RunAsync(VerifySnapshot snapshot, IAsyncEnumerable<BlockStretch> stretches, int parallelism, long total, IProgress<VerifyProgress>? progress, CancellationToken ct)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = parallelism, CancellationToken = ct };
        var (opened, free) = (new ConcurrentBag<VerifySnapshot.View>(), new ConcurrentBag<VerifySnapshot.View>());
        try
        {
            await Parallel.ForEachAsync(stretches, options, async (stretch, stop) =>
            {
                if (!free.TryTake(out var view)) opened.Add(view = await snapshot.OpenAsync(stop).ConfigureAwait(false));
                await StretchAsync(stretch, view.Connection, stop).ConfigureAwait(false);
                free.Add(view);
                progress?.Report(new VerifyProgress("events", Interlocked.Read(ref _done), total));
            }).ConfigureAwait(false);
        }
        finally
        {
            foreach (var view in opened) await view.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask StretchAsync(BlockStretch stretch, NpgsqlConnection reading, CancellationToken ct)
    {
        var skips = await SkipsAsync(reading, stretch.From, stretch.To, ct).ConfigureAwait(false);
        await using var tuples = await EventTuples.OpenAsync(
            reading, tables, FormattableString.Invariant($"where seq_id >= {stretch.From} and seq_id <= {stretch.To} order by seq_id"), ct).ConfigureAwait(false);
        var hasRow = await tuples.ReadAsync(ct).ConfigureAwait(false);
        var compared = new EntryComparison(new HashBatch());
        var expected = stretch.From;
        foreach (var ((block, _, _), entries) in stretch.Blocks)
        {
            var count = entries.Length / AuditEntries.Bytes;
            for (var i = 0; i < count; i++)
            {
                var position = AuditEntries.Position(EntryOf(entries, i));
                for (; hasRow && tuples.Position < position; hasRow = await tuples.ReadAsync(ct).ConfigureAwait(false))
                {
                    Inserted(tuples, block);
                    expected = Gap(expected, tuples.Position, skips, block);
                }
                expected = Gap(expected, position, skips, block);
                if (!hasRow || tuples.Position != position)
                {
                    Gone(EntryOf(entries, i), block);
                    continue;
                }
                marks.Set(AuditEntries.Ordinal(EntryOf(entries, i)), tuples.IsArchived);
                if (compared.Add(i, tuples.Fields)) Compare(compared, entries, block);
                hasRow = await tuples.ReadAsync(ct).ConfigureAwait(false);
            }
            Compare(compared, entries, block);
            Interlocked.Add(ref _done, count);
        }
        for (; hasRow; hasRow = await tuples.ReadAsync(ct).ConfigureAwait(false)) Inserted(tuples, stretch.Blocks[^1].Span.Number);
    }

    private static ReadOnlySpan<byte> EntryOf(byte[] entries, int index) => entries.AsSpan(index * AuditEntries.Bytes, AuditEntries.Bytes);

    private void Compare(EntryComparison compared, byte[] entries, long block)
    {
        foreach (var (index, columns) in compared.Run(entries))
        {
            var entry = EntryOf(entries, index);
            Add(new AuditFinding(AuditFindingKind.EventChanged, Table, columns.Count == 0 ? "the event is not the one that was signed" : "columns are not what was signed")
            {
                Position = AuditEntries.Position(entry), Version = AuditEntries.Version(entry), Block = block, Columns = columns,
            }, AuditEntries.Ordinal(entry));
        }
    }

    private void Gone(ReadOnlySpan<byte> entry, long block)
    {
        if (removals.Covers(AuditEntries.Ordinal(entry), AuditEntries.Version(entry)))
        {
            Interlocked.Increment(ref _removed);
            return;
        }
        Add(new AuditFinding(AuditFindingKind.EventRemoved, Table, "the event was signed and is gone")
        {
            Position = AuditEntries.Position(entry), Version = AuditEntries.Version(entry), Block = block,
        }, AuditEntries.Ordinal(entry));
    }

    private void Inserted(EventTuples tuple, long block) => findings.Add(new AuditFinding(AuditFindingKind.EventInserted, Table, "the event stands where nothing was signed")
    {
        Position = tuple.Position, Version = tuple.Version, Tenant = tuple.Text(1), StreamId = tuple.Text(2), Block = block,
    });

    /// <summary>The position behind the given one; what was left out before it must be on record.</summary>
    private long Gap(long expected, long position, List<(long From, long To)> skips, long block)
    {
        if (tables.Skips is null || expected >= position) return position + 1;
        foreach (var (skipFrom, skipTo) in skips)
        {
            if (skipTo < expected) continue;
            if (skipFrom >= position) break;
            if (skipFrom > expected) Hole(expected, skipFrom - 1, block);
            expected = Math.Max(expected, skipTo + 1);
        }
        if (expected < position) Hole(expected, position - 1, block);
        return position + 1;
    }

    private void Hole(long from, long to, long block) => findings.Add(new AuditFinding(
        AuditFindingKind.HoleNotRecorded, "mt_high_water_skips", from == to ? "no event ever had this number, and no record says why" : $"no event ever had the numbers up to {to}, and no record says why")
    { Position = from, Block = block });

    private void Add(AuditFinding finding, long ordinal)
    {
        if (findings.Add(finding)) _unnamed[finding] = ordinal;
    }

    private async ValueTask<List<(long From, long To)>> SkipsAsync(NpgsqlConnection connection, long from, long to, CancellationToken ct)
    {
        var skips = new List<(long, long)>();
        if (tables.Skips is not { } sql) return skips;
        await using var command = new NpgsqlCommand(sql + " where ending_sequence >= $1 and starting_sequence <= $2 order by starting_sequence", connection)
        {
            Parameters = { new() { Value = from }, new() { Value = to } },
        };
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) skips.Add((rows.GetInt64(0), rows.GetInt64(1)));
        return skips;
    }
}
