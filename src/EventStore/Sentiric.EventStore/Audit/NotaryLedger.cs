using System.Security.Cryptography;
using Npgsql;
using NpgsqlTypes;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>Where the notary stands: the newest checkpoint and the directory of streams. Opened from the database, and only if both fit.</summary>
internal sealed class NotaryLedger
{
    private readonly AuditTables _tables;
    private readonly AuditKeys _keys;
    private readonly AuditOptions _options;
    private readonly TimeProvider _clock;
    private readonly KeyTrust _trust;
    private readonly HashBatch _batch;
    private readonly ChainFold _chains;
    private Checkpoint? _last;

    private NotaryLedger(AuditTables tables, AuditKeys keys, AuditOptions options, TimeProvider clock, KeyTrust trust, HashBatch batch, Checkpoint? last, StreamDirectory directory)
    {
        (_tables, _keys, _options, _clock, _last, Directory) = (tables, keys, options, clock, last, directory);
        (_trust, _batch, _chains) = (trust, batch, new ChainFold(batch));
    }

    public StreamDirectory Directory { get; }

    public long Position => _last?.To ?? 0;

    public long Blocks => _last?.Number ?? 0;

    /// <summary>Throws <see cref="AuditTamperedException"/> when the newest checkpoint, its key, the directory or the anchor do not fit together.</summary>
    public static async ValueTask<NotaryLedger> OpenAsync(
        NpgsqlDataSource source, AuditTables tables, AuditKeys keys, AuditOptions options, TimeProvider clock, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        var records = await KeyRows.EnsureAsync(connection, tables, keys, clock, ct).ConfigureAwait(false);
        var signed = await BlockRows.LastAsync(connection, tables, ct).ConfigureAwait(false);
        await AuditAnchor.EnsureHeldAsync(connection, tables, options.AnchorFile, ct).ConfigureAwait(false);
        var trust = new KeyTrust(records, [keys.Current.Public]);
        var last = signed is null ? null : Checked(signed, trust);
        var batch = new HashBatch();
        var directory = await StreamDirectory.LoadAsync(connection, batch, last?.Streams ?? 0, ct).ConfigureAwait(false);
        if (last is not null && AuditHash.Hex(directory.Root()) != last.Directory) throw new AuditTamperedException("sx_audit_page does not fit the newest checkpoint");
        if (last is null && await BlockRows.AnyLeftAsync(connection, tables, ct).ConfigureAwait(false))
            throw new AuditTamperedException("there are audited streams but no block");
        return new NotaryLedger(tables, keys, options, clock, trust, batch, last, directory);
    }

    /// <summary>Signs what was truncated since; rarely anything.</summary>
    public async ValueTask SignRemovalsAsync(NpgsqlDataSource source, Func<string, ValueTask> atStep, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await new RemovalNotary(_keys, _clock).SignAsync(connection, _trust, atStep, ct).ConfigureAwait(false);
    }

    /// <summary>Signs a page, block by block, and writes all of it or nothing.</summary>
    public async ValueTask SealAsync(NpgsqlConnection connection, NotaryPage page, Func<string, ValueTask> atStep, CancellationToken ct)
    {
        await atStep("read").ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        await atStep("begun").ConfigureAwait(false);
        await Directory.EnsureAsync(connection, page.Names, ct).ConfigureAwait(false);
        page.Place(Directory);
        await atStep("placed").ConfigureAwait(false);
        await StreamRows.LookAsync(connection, _tables, page.Streams, ct).ConfigureAwait(false);
        await atStep("looked").ConfigureAwait(false);
        var blocks = Sign(page);
        await BlockRows.InsertAsync(connection, _tables, blocks, ct).ConfigureAwait(false);
        await atStep("blocks").ConfigureAwait(false);
        await StreamRows.SaveAsync(connection, _tables, page.Streams, ct).ConfigureAwait(false);
        await atStep("streams").ConfigureAwait(false);
        await StreamRows.SavePagesAsync(connection, _tables, [.. Directory.ChangedPages], ct).ConfigureAwait(false);
        await atStep("pages").ConfigureAwait(false);
        await PublishAsync(connection, blocks[^1].Checkpoint.To, ct).ConfigureAwait(false);
        await atStep("progress").ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        await atStep("committed").ConfigureAwait(false);
        Directory.Saved();
        _last = blocks[^1].Checkpoint;
        AuditAnchor.Keep(_options.AnchorFile, blocks[^1].Signed);
        await atStep("anchored").ConfigureAwait(false);
    }

    private List<SignedBlock> Sign(NotaryPage page)
    {
        var blocks = new List<SignedBlock>();
        var last = _last;
        for (var from = 0; from < page.Count; from += NotaryPage.BlockSize)
        {
            blocks.Add(Sign(page, from, Math.Min(NotaryPage.BlockSize, page.Count - from), last));
            last = blocks[^1].Checkpoint;
        }
        return blocks;
    }

    private SignedBlock Sign(NotaryPage page, int from, int count, Checkpoint? previous)
    {
        var number = (previous?.Number ?? 0) + 1;
        var leaves = new byte[count * AuditHash.Size];
        var touched = new List<DirectoryStream>();
        for (var i = 0; i < count; i++)
        {
            var entry = page.Entry(from + i);
            var stream = page.Stream(from + i);
            AuditEntries.Leaf(entry).CopyTo(leaves.AsSpan(i * AuditHash.Size));
            _chains.Add(stream.Head, i);
            stream.Version = AuditEntries.Version(entry);
            if (stream.InBlock == number) continue;
            stream.InBlock = number;
            touched.Add(stream);
        }
        var entries = page.Entries(from, count);
        _chains.Run(entries);
        foreach (var stream in touched) Directory.Touch(stream);
        var checkpoint = new Checkpoint(
            number, (previous?.To ?? 0) + 1, AuditEntries.Position(page.Entry(from + count - 1)), count, AuditHash.Hex(MerkleTree.Root(leaves, _batch)),
            AuditHash.Hex(SHA256.HashData(entries)), Directory.Count, AuditHash.Hex(Directory.Root()), previous?.Hash ?? Checkpoint.NoPrevious,
            Timestamps.Now(_clock), _keys.Current.Id);
        var text = checkpoint.Text;
        return new SignedBlock(checkpoint, new SignedCheckpoint(text, _keys.Current.Sign(text)), entries.ToArray());
    }

    // For those who look at progress; the notary itself believes the newest block only.
    private async ValueTask PublishAsync(NpgsqlConnection connection, long position, CancellationToken ct)
    {
        const string sql = """
            insert into mt_event_progression (name, last_seq_id, last_updated) values ($1, $2, transaction_timestamp())
            on conflict (name) do update set last_seq_id = excluded.last_seq_id, last_updated = excluded.last_updated
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = ShardName.Of(AuditOptions.ShardName) }, new() { Value = position } },
        };
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static Checkpoint Checked(SignedCheckpoint signed, KeyTrust trust)
    {
        if (signed.Read() is not { } last) throw new AuditTamperedException("the newest row of sx_audit_block holds no statement");
        if (trust.Find(last.KeyId)?.Signed(signed.Statement, signed.Signature) != true) throw new AuditTamperedException($"the signature of block {last.Number} is wrong");
        return last;
    }
}

/// <summary>A block ready to be written.</summary>
internal sealed record SignedBlock(Checkpoint Checkpoint, SignedCheckpoint Signed, byte[] Entries);
