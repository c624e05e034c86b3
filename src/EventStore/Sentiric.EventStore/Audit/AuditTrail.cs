using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Npgsql;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// The reading side of the audit trail: verifies the store against what was signed, proves single streams, hands out checkpoints and keys.
/// It needs PostgreSQL; the in-memory store is forgotten with its process, so there is nothing in it to prove.
/// </summary>
public sealed class AuditTrail(NpgsqlDataSource source, IEventStore store, TimeProvider clock)
{
    private const int CheckpointPage = 500;
    private const int MaxParallelism = 16;
    private const int UsualParallelism = 4;
    private readonly AuditTables _tables = AuditTables.Of(store);

    /// <summary>
    /// Compares everything that was signed with everything that is stored, as of one moment. Reads only. Throws <see cref="ArgumentException"/> when no trusted
    /// key is given: the keys in the database prove nothing about the database.
    /// </summary>
    public ValueTask<AuditReport> VerifyAsync(VerifyOptions options, IProgress<VerifyProgress>? progress = null, CancellationToken ct = default)
    {
        if (options.TrustedKeys.Count == 0) throw new ArgumentException("At least one public key must come from outside the database.", nameof(options));
        if (options.StreamId is not null && options.Tenant is null) throw new ArgumentException("A stream needs its tenant.", nameof(options));
        return Failures.GuardAsync(() => VerifyGuardedAsync(options, progress, ct));
    }

    /// <summary>The proof of one stream up to the newest checkpoint. Throws <see cref="StreamNotNotarisedException"/> and <see cref="AuditTamperedException"/>.</summary>
    public ValueTask<StreamProof> ProveAsync(string tenant, string streamId, CancellationToken ct = default) => Failures.GuardAsync(async () =>
    {
        await using var snapshot = await VerifySnapshot.TakeAsync(source, ct).ConfigureAwait(false);
        await using var view = await snapshot.OpenAsync(ct).ConfigureAwait(false);
        return await StreamProver.ProveAsync(view.Connection, _tables, tenant, streamId, ct).ConfigureAwait(false);
    });

    /// <summary>
    /// Who vouches for truncations of a stream, each named by the first version that stayed. Reads every record of a removal there is, and no event: whether
    /// anything else is missing, <see cref="VerifyAsync"/> says.
    /// </summary>
    public ValueTask<IReadOnlyList<TruncationOrder>> OrdersAsync(
        IReadOnlyList<AuditPublicKey> trustedKeys, string tenant, string streamId, IReadOnlyList<long> beforeVersions, CancellationToken ct = default) => Failures.GuardAsync(async () =>
    {
        await using var snapshot = await VerifySnapshot.TakeAsync(source, ct).ConfigureAwait(false);
        await using var view = await snapshot.OpenAsync(ct).ConfigureAwait(false);
        var records = new RemovalCheck(new KeyTrust(await KeyRows.ListAsync(view.Connection, _tables, ct).ConfigureAwait(false), trustedKeys), new Findings());
        await records.ReadAsync(view.Connection, ct).ConfigureAwait(false);
        return (IReadOnlyList<TruncationOrder>)[.. beforeVersions.Select(version => records.Signed.Find(new RemovalKey(tenant, streamId, version)) ?? TruncationOrder.None)];
    });

    /// <summary>Checkpoints in order, starting with block <paramref name="from"/>; each is an anchor for later.</summary>
    public async IAsyncEnumerable<SignedCheckpoint> CheckpointsAsync(long from = 1, [EnumeratorCancellation] CancellationToken ct = default)
    {
        while (true)
        {
            var page = await Failures.GuardAsync(() => PageAsync(from, ct)).ConfigureAwait(false);
            foreach (var (_, signed) in page) yield return signed;
            if (page.Count < CheckpointPage) yield break;
            from = page[^1].Number + 1;
        }
    }

    /// <summary>The newest checkpoint; null when nothing has been signed yet.</summary>
    public ValueTask<SignedCheckpoint?> LastCheckpointAsync(CancellationToken ct = default) => Failures.GuardAsync(async () =>
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        return await BlockRows.LastAsync(connection, _tables, ct).ConfigureAwait(false);
    });

    /// <summary>Every key that ever signed.</summary>
    public ValueTask<IReadOnlyList<KeyRecord>> KeysAsync(CancellationToken ct = default) => Failures.GuardAsync(async () =>
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        return await KeyRows.ListAsync(connection, _tables, ct).ConfigureAwait(false);
    });

    private async ValueTask<AuditReport> VerifyGuardedAsync(VerifyOptions options, IProgress<VerifyProgress>? progress, CancellationToken ct)
    {
        var started = clock.GetTimestamp();
        var findings = new Findings();
        await using var snapshot = await VerifySnapshot.TakeAsync(source, ct).ConfigureAwait(false);
        await using var view = await snapshot.OpenAsync(ct).ConfigureAwait(false);
        var keys = await KeyRows.ListAsync(view.Connection, _tables, ct).ConfigureAwait(false);
        var trust = new KeyTrust(keys, options.TrustedKeys);
        foreach (var fault in trust.Faults) findings.Add(new AuditFinding(AuditFindingKind.TrailChanged, "sx_audit_key", $"key {fault.KeyId}: {fault.Why}"));
        await AnchorsAsync(view.Connection, options.Anchors, trust, findings, ct).ConfigureAwait(false);
        var report = options.Tenant is { } tenant
            ? await ScopedAsync(snapshot, view.Connection, trust, tenant, options.StreamId, findings, progress, ct).ConfigureAwait(false)
            : await WholeAsync(snapshot, view.Connection, trust, keys, options, findings, progress, ct).ConfigureAwait(false);
        return report with { Findings = findings.List, FindingCount = findings.Count, Took = clock.GetElapsedTime(started) };
    }

    private async ValueTask<AuditReport> WholeAsync(
        VerifySnapshot snapshot, NpgsqlConnection view, KeyTrust trust, IReadOnlyList<KeyRecord> keys, VerifyOptions options, Findings findings,
        IProgress<VerifyProgress>? progress, CancellationToken ct)
    {
        var records = new RemovalCheck(trust, findings);
        await records.ReadAsync(view, ct).ConfigureAwait(false);
        var removals = await RemovalRows.ListAsync(view, records.Signed, ct).ConfigureAwait(false);
        var (marks, ofEvents) = (new ArchivedMarks(), new Findings());
        var blocks = new BlockCheck(_tables, trust, keys.Select(k => k.KeyId), marks, findings);
        var events = new EventCheck(_tables, removals, marks, ofEvents);
        await SideBySideAsync(snapshot, blocks, events, options, await TotalAsync(view, options, ct).ConfigureAwait(false), progress, ct).ConfigureAwait(false);
        records.Judge(blocks.Last?.SignedAt);
        findings.Add(ofEvents);
        var streams = new StreamCheck(_tables, blocks, marks, findings);
        await streams.RunAsync(snapshot, events.Unnamed.Values.ToHashSet(), progress, ct).ConfigureAwait(false);
        findings.Name(streams.Names, events.Unnamed);
        var pending = await PendingAsync(view, blocks.Last?.To ?? 0, ct).ConfigureAwait(false);
        return new AuditReport(events.Done, blocks.Last?.Streams ?? 0, blocks.Spans.Count, pending, events.Removed, removals.Records, blocks.Last, [], 0, default);
    }

    /// <summary>Blocks are checked in their order by one thread; the events of those that are read are compared by others meanwhile.</summary>
    private static async Task SideBySideAsync(
        VerifySnapshot snapshot, BlockCheck blocks, EventCheck events, VerifyOptions options, long total, IProgress<VerifyProgress>? progress, CancellationToken ct)
    {
        var parallelism = Parallelism(options);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var channel = Channel.CreateBounded<BlockStretch>(new BoundedChannelOptions(parallelism) { SingleWriter = true });
        var comparing = CompareAsync();
        await Task.WhenAll(comparing, blocks.RunAsync(snapshot, options.AfterBlock, channel.Writer, progress, stop.Token)).ConfigureAwait(false);

        async Task CompareAsync()
        {
            try
            {
                await events.RunAsync(snapshot, channel.Reader.ReadAllAsync(stop.Token), parallelism, total, progress, stop.Token).ConfigureAwait(false);
            }
            catch
            {
                // Nobody takes stretches any more: whoever waits to hand one over would wait for ever.
                await stop.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    private async ValueTask<long> TotalAsync(NpgsqlConnection view, VerifyOptions options, CancellationToken ct) =>
        options.AfterBlock == 0 ? (await BlockRows.LastAsync(view, _tables, ct).ConfigureAwait(false))?.Read()?.To ?? 0 : 0;

    private async ValueTask<AuditReport> ScopedAsync(
        VerifySnapshot snapshot, NpgsqlConnection view, KeyTrust trust, string tenant, string? streamId, Findings findings, IProgress<VerifyProgress>? progress, CancellationToken ct)
    {
        if (await DirectoryReader.OpenAsync(view, _tables, ct).ConfigureAwait(false) is not { } directory)
        {
            var pending = await PendingAsync(view, 0, ct).ConfigureAwait(false);
            return new AuditReport(0, 0, 0, pending, 0, [], null, [], 0, default);
        }
        if (trust.Find(directory.Last.KeyId)?.Signed(directory.Signed.Statement, directory.Signed.Signature) != true || !trust.Counts(directory.Last.KeyId))
            findings.Add(new AuditFinding(AuditFindingKind.SignatureWrong, "sx_audit_block", "the newest block is not signed with a key that counts") { Block = directory.Last.Number });
        var records = new RemovalCheck(trust, findings);
        await records.ReadAsync(view, ct).ConfigureAwait(false);
        records.Judge(directory.Last.SignedAt);
        var removals = await RemovalRows.ListAsync(view, records.Signed, ct).ConfigureAwait(false);
        var check = new ScopedCheck(_tables, directory, findings);
        var streams = await check.RunAsync(snapshot, tenant, streamId, removals, progress, ct).ConfigureAwait(false);
        return new AuditReport(check.Done, streams, directory.Last.Number, check.Pending, check.Removed, [.. removals.Records.Where(r => r.Tenant == tenant && (streamId is null || r.StreamId == streamId))], directory.Last, [], 0, default);
    }

    private async ValueTask AnchorsAsync(NpgsqlConnection view, IReadOnlyList<SignedCheckpoint> anchors, KeyTrust trust, Findings findings, CancellationToken ct)
    {
        foreach (var anchor in anchors)
        {
            var statement = anchor.Read();
            if (statement is null || trust.Find(statement.KeyId)?.Signed(anchor.Statement, anchor.Signature) != true)
            {
                findings.Add(new AuditFinding(AuditFindingKind.AnchorMissing, "anchor", "the anchor itself is not signed with a known key") { Block = statement?.Number });
                continue;
            }
            var stored = await BlockRows.FindAsync(view, _tables, statement.Number, ct).ConfigureAwait(false);
            if (stored?.Statement != anchor.Statement)
            {
                findings.Add(new AuditFinding(AuditFindingKind.AnchorMissing, "sx_audit_block", stored is null
                    ? "the database does not hold this checkpoint any more: it was set back"
                    : "the database holds another checkpoint under this number: the history was rewritten") { Block = statement.Number });
            }
        }
    }

    private async ValueTask<List<(long Number, SignedCheckpoint Signed)>> PageAsync(long from, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select number, statement, signature from sx_audit_block where number >= $1 order by number limit $2");
        command.Parameters.Add(new() { Value = from });
        command.Parameters.Add(new() { Value = CheckpointPage });
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var page = new List<(long, SignedCheckpoint)>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) page.Add((rows.GetInt64(0), new SignedCheckpoint(rows.GetString(1), rows.GetFieldValue<byte[]>(2))));
        return page;
    }

    private async ValueTask<long> PendingAsync(NpgsqlConnection view, long after, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select count(*) from mt_events where seq_id > $1", view) { Parameters = { new() { Value = after } } };
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as long? ?? 0;
    }

    private static int Parallelism(VerifyOptions options) => options.Parallelism is > 0 and <= MaxParallelism
        ? options.Parallelism
        : Math.Clamp(Environment.ProcessorCount / 2, 1, UsualParallelism);
}
